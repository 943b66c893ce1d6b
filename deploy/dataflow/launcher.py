"""What a Flex Template runs: parameters become flags, and `holdfast curate` builds the graph.

A template's parameters are a map of names to texts. Names have underscores where flags have
dashes, a repeated flag is one text with commas, and a switch is `true`. `{date}` stands for
the day of the launch (UTC), since a schedule posts the same every night. Everything that is
no flag of holdfast's goes to Beam as it is.
"""

from __future__ import annotations

import argparse
import datetime
import sys
from collections.abc import Iterator, Sequence

from pipelines.cli import main
from pipelines.flags import add_shared_flags
from pipelines.options import Parser

__all__ = ["arguments", "own_flags"]


def own_flags() -> dict[str, argparse.Action]:
    """Flags of `holdfast curate`, by the name of their parameter."""
    parser = Parser(add_help=False)
    parser.add_argument("--config")
    parser.add_argument("--output")
    add_shared_flags(parser, reading=True, selecting=True)
    return {action.dest: action for action in parser._actions}


def _flags(action: argparse.Action, text: str) -> Iterator[str]:
    flag = action.option_strings[0]
    if action.nargs == 0:
        if text.lower() not in ("true", "false", ""):
            raise SystemExit(f"parameter {action.dest}={text!r} is neither true nor false")
        yield from [flag] if text.lower() == "true" else []
    elif isinstance(action, argparse._AppendAction):
        yield from (f"{flag}={part.strip()}" for part in text.split(",") if part.strip())
    elif text:
        yield f"{flag}={text}"


def arguments(parameters: Sequence[str], today: str) -> list[str]:
    """Parameters, as `--name=text`, in the form in which the command line takes them.

    Args:
        parameters: Of the template, and what the launcher adds for Beam.
        today: What `{date}` stands for.
    """
    flags, own = [], own_flags()
    for parameter in parameters:
        name, _, text = parameter.removeprefix("--").partition("=")
        dated = text.replace("{date}", today)
        flags += list(_flags(own[name], dated)) if name in own else [parameter]
    return flags


if __name__ == "__main__":
    day = datetime.datetime.now(datetime.UTC).date().isoformat()
    sys.exit(main(["curate", *arguments(sys.argv[1:], day)]))
