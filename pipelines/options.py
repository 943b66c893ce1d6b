"""Flags: holdfast's own, then Beam's, and nothing that neither knows."""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from transforms.errors import UsageError

__all__ = ["Parser", "flag_values", "once", "refuse_unknown", "split_flags"]


class Parser(argparse.ArgumentParser):
    """A parser that raises `UsageError` and knows no abbreviations."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**(kwargs | {"allow_abbrev": False}))

    def error(self, message: str) -> NoReturn:
        """Raises instead of leaving the program."""
        raise UsageError(message)


def once(flag: str, pairs: Sequence[tuple[str, float]]) -> dict[str, float]:
    """Pairs as a mapping.

    Raises:
        UsageError: A name is given twice.
    """
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise UsageError(f"--{flag} {twice} is given twice; keep one of them")
    return found


_PLAIN = (
    "input",
    "output",
    "staging",
    "no_floors",
    "target",
    "shard_size",
    "unit",
    "repeat_cap",
    "allocation",
    "temperature",
    "objective",
    "rehydrate",
    "rotation",
    "format",
    "exclude",
    "index",
    "tokenizer",
    "exchange",
    "run_name",
    "latest",
    "stale_after",
)
"""Flags that are called as in a configuration file."""


def _mapping(pairs: Sequence[str] | None) -> dict[str, str]:
    found = {}
    for pair in pairs or ():
        name, equals, column = pair.partition("=")
        if not equals:
            raise UsageError(f"--field {pair!r} is not NAME=COLUMN, such as text=body")
        found[name] = column
    return found


def flag_values(given: argparse.Namespace) -> dict[str, Any]:
    """Flags in the shape of a configuration file; those not given are left out."""
    flat = vars(given)
    values = {name: flat[name] for name in _PLAIN if flat.get(name) is not None}
    for flag, key in (("floor", "floors"), ("cap", "caps"), ("concentration", "concentration")):
        if flat.get(flag):
            values[key] = once(flag, flat[flag])
    if flat.get("no_rare_types"):
        values["rare_types"] = False
    ingest: dict[str, Any] = {"fields": fields} if (fields := _mapping(flat.get("field"))) else {}
    if flat.get("max_dead_fraction") is not None:
        ingest["max_dead_fraction"] = flat["max_dead_fraction"]
    provenance = {"trusted_sources": flat.get("trusted_source"), "date_kind": flat.get("date_kind")}
    groups = {"ingest": ingest, "langid": {"model": flat.get("langid_model")}}
    groups |= {"provenance": provenance, "synthetic": _synthetic(flat)}
    for name, group in groups.items():
        if kept := {key: value for key, value in group.items() if value is not None}:
            values[name] = kept
    return values


def _synthetic(flat: Mapping[str, Any]) -> dict[str, Any]:
    names = {"model": "synthetic_model", "reference": "synthetic_reference"}
    return {key: flat.get(flag) for key, flag in (names | {"previous": "previous_run"}).items()}


def _beam_parser() -> Parser:
    from apache_beam.options.pipeline_options import PipelineOptions

    parser = Parser(add_help=False)
    for options in PipelineOptions.__subclasses__():
        options._add_argparse_args(parser)  # as Beam's own parser does
    return parser


def split_flags(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Parts arguments into Beam's and the rest, each in order.

    Beam's go first: otherwise the value of one of its flags could be taken for CONFIG.
    """
    _, rest = _beam_parser().parse_known_args(list(arguments))
    beam, own = [], list(rest)
    for argument in arguments:
        if own and own[0] == argument:
            own.pop(0)
        else:
            beam.append(argument)
    return beam, rest


def refuse_unknown(unknown: Sequence[str], own: argparse.ArgumentParser, *, beam: bool) -> None:
    """Refuses arguments that nobody knows.

    Args:
        unknown: What is left when all parsers have taken theirs.
        own: The command's parser.
        beam: Whether the command hands flags on to Beam.

    Raises:
        UsageError: There are any; the message names the nearest flag.
    """
    if not unknown:
        return
    parsers = [own, _beam_parser()] if beam else [own]
    known = [flag for parser in parsers for flag in parser._option_string_actions]
    near = difflib.get_close_matches(unknown[0].partition("=")[0], known, n=1, cutoff=0)
    raise UsageError(f"unknown argument {unknown[0]!r}; did you mean {near[0]}?")
