"""The flags that the commands share."""

from __future__ import annotations

import argparse
from typing import Any, NoReturn

__all__ = ["add_shared_flags", "bound"]


def _share(text: str) -> tuple[str, float]:
    name, equals, share = text.rpartition("=")
    try:
        return (name.strip(), float(share)) if equals and name.strip() else _no_share(text)
    except ValueError:
        return _no_share(text)


def bound(text: str) -> tuple[str, float]:
    """The type of a flag `NAME=X`, X 0 or more."""
    name, _, most = text.rpartition("=")
    try:
        if name.strip() and float(most) >= 0:
            return name.strip(), float(most)
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"{text!r} is not NAME=X, such as tail=0.05")


def _no_share(text: str) -> NoReturn:
    raise argparse.ArgumentTypeError(f"{text!r} is not NAME=SHARE, such as original=0.3")


_FLAGS: tuple[tuple[str, dict[str, Any]], ...] = (
    (
        "--floor",
        {
            "type": _share,
            "action": "append",
            "metavar": "NAME=SHARE",
            "help": "least share of every shard: original, tail, lang:CODE, source:NAME, host:NAME",
        },
    ),
    (
        "--cap",
        {
            "type": _share,
            "action": "append",
            "metavar": "NAME=SHARE",
            "help": "greatest share of every shard: synthetic, or as for floors",
        },
    ),
    (
        "--concentration",
        {
            "type": _share,
            "action": "append",
            "metavar": "NAME=SHARE",
            "help": "most that one source or host has of an attribute: tail/source, tail/host",
        },
    ),
    (
        "--no-floors",
        {"action": "store_true", "default": None, "help": "say that no floors and caps are meant"},
    ),
    (
        "--target",
        {
            "metavar": "SIZE",
            "help": "size of the output, such as 2G (default: as much as the floors allow)",
        },
    ),
    ("--shard-size", {"metavar": "SIZE", "help": "size of a shard (default 64M)"}),
    (
        "--unit",
        {
            "choices": ["chars", "bytes", "docs", "tokens"],
            "help": "what sizes and shares are measured in (default chars)",
        },
    ),
    (
        "--repeat-cap",
        {
            "type": int,
            "metavar": "K",
            "help": "most appearances of a protected document (default 4)",
        },
    ),
    (
        "--allocation",
        {
            "choices": ["proportional", "temperature", "unimax"],
            "help": "whose text is cut or repeated first (default proportional)",
        },
    ),
    (
        "--temperature",
        {
            "type": float,
            "metavar": "POWER",
            "help": "power of a language's size, for --allocation temperature (default 0.3)",
        },
    ),
    (
        "--objective",
        {
            "choices": ["unique", "allocation"],
            "help": "what comes first after floors, caps and target (default unique text)",
        },
    ),
    (
        "--rehydrate",
        {
            "action": "store_true",
            "default": None,
            "help": "let documents with many copies count for more",
        },
    ),
    ("--rotation", {"type": int, "metavar": "N", "help": "seed of every draw (default 0)"}),
    (
        "--no-rare-types",
        {
            "action": "store_true",
            "default": None,
            "help": "do not count words that few originals hold",
        },
    ),
    (
        "--format",
        {
            "choices": ["parquet", "jsonl", "mds", "wds"],
            "help": "what the shards are files of: Parquet (default), JSON Lines with zstd, "
            "MosaicML Streaming or WebDataset",
        },
    ),
    (
        "--exclude",
        {"metavar": "FILE", "help": "ids, URLs and hosts that must not appear, one a line"},
    ),
    (
        "--index",
        {"metavar": "DIR", "help": "index of earlier runs to compare with and to append to"},
    ),
    (
        "--exchange",
        {
            "choices": ["files", "shuffle"],
            "help": "how rows travel between workers (default: files locally)",
        },
    ),
    (
        "--synthetic-reference",
        {"metavar": "FILE", "help": "table of reference scores (holdfast calibrate synthetic)"},
    ),
    (
        "--previous-run",
        {"metavar": "RUN", "help": "warn where more text is machine-made than in this run"},
    ),
    (
        "--run-name",
        {"metavar": "NAME", "help": "what people call the run (default: a digest of it)"},
    ),
    (
        "--latest",
        {
            "metavar": "FILE",
            "help": "file that names the newest published run, such as LATEST.json",
        },
    ),
    ("--staging", {"metavar": "DIR", "help": "annotated documents (default: beside the output)"}),
)


_READING: tuple[tuple[str, dict[str, Any]], ...] = (
    (
        "--input",
        {"action": "append", "metavar": "PATH", "help": "file, folder or glob; may be repeated"},
    ),
    (
        "--field",
        {
            "action": "append",
            "metavar": "NAME=COLUMN",
            "help": "input column of text, id, url, source, date, lang or origin",
        },
    ),
    (
        "--max-dead-fraction",
        {
            "type": float,
            "metavar": "SHARE",
            "help": "most unreadable records, as a share (default 0.01)",
        },
    ),
    ("--synthetic-model", {"metavar": "FILE", "help": "another classifier of machine text"}),
    (
        "--tokenizer",
        {"metavar": "FILE", "help": "Hugging Face tokenizer.json that counts tokens"},
    ),
    ("--langid-model", {"metavar": "FILE", "help": "another fastText language identifier"}),
    (
        "--trusted-source",
        {
            "action": "append",
            "metavar": "NAME",
            "help": "source or host whose documents are original",
        },
    ),
    (
        "--date-kind",
        {"choices": ["crawl", "page"], "help": "who recorded the dates (default crawl)"},
    ),
)


def add_shared_flags(parser: argparse.ArgumentParser, *, reading: bool, selecting: bool) -> None:
    """Adds the flags of jobs that read input, of jobs that select, or of both."""
    if reading:
        group = parser.add_argument_group("reading")
        for name, settings in _READING:
            group.add_argument(name, **settings)
    group = parser.add_argument_group("selecting" if selecting else "places")
    for name, settings in _FLAGS:
        if selecting or name in ("--staging", "--exchange"):
            group.add_argument(name, **settings)
    group.add_argument(
        "--stale-after",
        type=float,
        metavar="SECONDS",
        help="when a place is taken over from a run that shows no life (default 600)",
    )
    if reading:
        group.add_argument(
            "--resume",
            action="store_true",
            help="keep what an earlier attempt annotated with the same configuration",
        )
    else:
        name, settings = next(flag for flag in _READING if flag[0] == "--max-dead-fraction")
        group.add_argument(name, **settings)
