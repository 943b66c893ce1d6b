"""Flags: holdfast's own, then Beam's, and nothing that neither knows."""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from transforms.errors import UsageError

__all__ = ["Parser", "add_shared_flags", "bound", "flag_values", "once", "refuse_unknown"]
__all__ += ["split_flags"]


class Parser(argparse.ArgumentParser):
    """A parser that raises `UsageError` and knows no abbreviations."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**(kwargs | {"allow_abbrev": False}))

    def error(self, message: str) -> NoReturn:
        """Raises instead of leaving the program."""
        raise UsageError(message)


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
