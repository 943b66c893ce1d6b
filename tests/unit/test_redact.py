"""Nothing that gives access is shown, and nothing else is hidden."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms import storage
from transforms.errors import HoldfastError, InputError
from transforms.redact import printable, redact

CASES = [
    ("s3://AKIA:se/cret@host/a", "s3://AKIA:se/cret@host/a", "a slash ends the authority"),
    ("s3://AKIA:secret@host/a", "s3://***@host/a", "user and password"),
    ("https://token@host/a.jsonl", "https://***@host/a.jsonl", "a token for a user"),
    ("x https://u:p@a, ftp://u:p@b y", "x https://***@a, ftp://***@b y", "several in a message"),
    ("https://u:p@ss@host/", "https://***@host/", "an at sign in the password"),
    (
        "https://h/a?X-Goog-Signature=5f&X-Goog-Expires=3#f",
        "https://h/a?X-Goog-Signature=***&X-Goog-Expires=***#f",
        "a signed URL",
    ),
    ("https://h/a?sig=x;tok=y", "https://h/a?sig=***;tok=***", "semicolons"),
    ("gs://bucket/part-?.parquet", "gs://bucket/part-?.parquet", "a glob"),
    ("gs://bucket/a@b.parquet", "gs://bucket/a@b.parquet", "an at sign in a path"),
    ("/data/a@b?c=d.jsonl", "/data/a@b?c=d.jsonl", "a local path"),
    ("alias a@b: is it?", "alias a@b: is it?", "no URL"),
]


@pytest.mark.parametrize(("text", "shown", "why"), CASES, ids=[case[2] for case in CASES])
def test_what_is_hidden(text: str, shown: str, why: str):
    assert redact(text) == shown
    assert redact(shown) == shown


@given(st.text("abc123-_.~%", min_size=8, max_size=30))
def test_secrets_do_not_come_through(secret: str):
    for text in (f"s3://{secret}@host/a", f"https://h/?token={secret}", f"x://u:{secret}@h"):
        assert secret not in redact(f"cannot read {text}: denied").replace("***", "")


def test_errors_hide_it_wherever_they_are_made():
    for path in ("s3x://user:hunter2@host/a", "httpx://host/a?token=hunter2"):
        with pytest.raises(HoldfastError) as caught:
            storage.read_bytes(path)
        assert "hunter2" not in str(caught.value)
        assert "host/a" in str(caught.value)
    error = pickle.loads(pickle.dumps(InputError("s3://a:b@c")))  # noqa: S301  # ours, as Beam does
    assert str(error) == "s3://***@c"


def test_control_characters_are_spelled_out():
    assert printable("a\x1b[2Jb\r\u202e\n") == "a\\x1b[2Jb\\r\\u202e\n"
    assert printable("größer | [bold]") == "größer | [bold]"
