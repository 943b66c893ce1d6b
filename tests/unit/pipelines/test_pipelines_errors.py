"""An error of ours keeps its code and its words through whatever runner it went."""

from __future__ import annotations

import pathlib

import pytest

from pipelines.failures import understood, with_code
from transforms import errors
from transforms.errors import HoldfastError, InfeasibleError, InputError, StorageError
from transforms.outcome import read_outcome, recorded, write_outcome

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type)]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_error_has_its_code_and_reaches_the_outcome(
    kind: type[HoldfastError], tmp_path: pathlib.Path
):
    with pytest.raises(kind), recorded(str(tmp_path)):
        raise kind("what, which value, and the way out")
    outcome = read_outcome(str(tmp_path))
    assert outcome == {"exit_code": kind.exit_code, "message": "what, which value, and the way out"}
    again = with_code(outcome["exit_code"], outcome["message"])
    assert (again.exit_code, str(again)) == (kind.exit_code, outcome["message"])


def test_codes_are_those_that_are_promised():
    assert {kind.__name__: kind.exit_code for kind in KINDS} == {
        "HoldfastError": 2,
        "UsageError": 2,
        "InputError": 2,
        "VerificationError": 1,
        "LedgerError": 1,
        "InfeasibleError": 3,
        "DeadLettersError": 4,
        "StorageError": 5,
        "HeldError": 6,
    }


def test_other_errors_are_not_recorded(tmp_path: pathlib.Path):
    with pytest.raises(ZeroDivisionError), recorded(str(tmp_path)):
        raise ZeroDivisionError
    assert read_outcome(str(tmp_path)) is None


def test_an_error_that_lost_its_type_is_known_by_the_record(tmp_path: pathlib.Path):
    write_outcome(str(tmp_path), 3, "no such output")
    found = understood(RuntimeError("a bundle failed"), str(tmp_path))
    assert isinstance(found, InfeasibleError)
    assert str(found) == "no such output"


@pytest.mark.parametrize(
    "text",
    [
        "Traceback ...\ntransforms.errors.InputError: a.jsonl is gone. [while running 'Read']\n",
        "error: \"transforms.errors.InputError: a.jsonl is gone. [while running \\'Read\\']\"",
    ],
)
def test_an_error_that_lost_its_type_is_known_by_its_words(tmp_path: pathlib.Path, text: str):
    found = understood(RuntimeError(text), str(tmp_path))
    assert isinstance(found, InputError)
    assert str(found) == "a.jsonl is gone."


def test_an_error_of_ours_says_nothing_of_the_step_that_it_came_from(tmp_path: pathlib.Path):
    # Beam appends the step's name to the words of what a step raised.
    given = InputError("a.jsonl is gone. [while running 'Read documents/Read splits']")
    assert str(understood(given, str(tmp_path))) == "a.jsonl is gone."


def test_a_full_disk_is_storage(tmp_path: pathlib.Path):
    found = understood(OSError(28, "No space left on device"), str(tmp_path))
    assert isinstance(found, StorageError)


def test_what_is_not_ours_stays_what_it_is(tmp_path: pathlib.Path):
    error = ZeroDivisionError("a bug")
    assert understood(error, str(tmp_path)) is error
