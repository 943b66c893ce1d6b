"""The command `holdfast`."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

from rich.console import Console

from pipelines import commands, logs, report
from pipelines.flags import add_shared_flags, bound
from pipelines.options import Parser, refuse_unknown, split_flags
from transforms.errors import HoldfastError

__all__ = ["main"]

_EPILOG = """Every other flag goes to Apache Beam (--runner, --direct_num_workers, --project, ...).

exit codes: 0 done, 1 verification failed, 2 usage or input, 3 infeasible,
4 too many dead letters, 5 storage, 6 another run holds the place"""

Command = Callable[[argparse.Namespace, Sequence[str]], int]
_JOBS = {"curate", "annotate", "select"}


def _job(
    subparsers: Any, name: str, told: str, run: Command, *, reading: bool, selecting: bool
) -> None:
    parser = subparsers.add_parser(
        name,
        help=told,
        description=told,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    if name in ("select", "plan"):
        parser.add_argument(
            "staging", metavar="STAGING", help="folder that curate or annotate left"
        )
        parser.add_argument("--config", metavar="FILE", help="configuration (YAML)")
    else:
        parser.add_argument("config", nargs="?", metavar="CONFIG", help="configuration (YAML)")
        parser.add_argument(
            "--config", dest="config_flag", metavar="FILE", help="the same, as a flag"
        )
    if name != "plan":
        parser.add_argument("--output", metavar="DIR", help="folder of the published run")
    add_shared_flags(parser, reading=reading, selecting=selecting)
    parser.set_defaults(run=run, beam=name != "plan", parser=parser)


def _simple(subparsers: Any, name: str, told: str, run: Command) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = subparsers.add_parser(name, help=told, description=told)
    parser.set_defaults(run=run, beam=False, parser=parser)
    return parser


def _parser() -> Parser:
    parser = Parser(
        prog="holdfast",
        description="Training shards that provably keep their share of original and "
        "tail-language text.",
        epilog="holdfast COMMAND --help tells more",
    )
    parser.add_argument("--verbose", action="store_true", help="log what Beam says, too")
    parser.add_argument(
        "--log-format", choices=["text", "json"], help="json: an object a line, for machines"
    )
    sub = parser.add_subparsers(
        dest="command", required=True, metavar="COMMAND", parser_class=Parser
    )
    _job(sub, "curate", "Files to published shards.", commands.curate, reading=True, selecting=True)
    _job(
        sub,
        "annotate",
        "Files to staging: the same records with all scores.",
        commands.annotate,
        reading=True,
        selecting=False,
    )
    _job(
        sub,
        "select",
        "Staging to published shards.",
        commands.select,
        reading=False,
        selecting=True,
    )
    _job(
        sub,
        "plan",
        "What is feasible from a staging folder.",
        commands.plan,
        reading=False,
        selecting=True,
    )
    run = _simple(sub, "verify", "Recompute every promise of a run.", commands.verify)
    run.add_argument("run_dir", metavar="RUN", help="folder of a published run")
    run.add_argument(
        "--tokenizer", metavar="FILE", help="that the run was made with: recomputes n_tokens, too"
    )
    run.add_argument("--against", metavar="RUN", help="say how it differs from an earlier run")
    run.add_argument(
        "--max-drift",
        type=bound,
        action="append",
        default=[],
        metavar="NAME=X",
        help="fail where a figure changed by more: shares by X, sizes by X of what they were, "
        "languages gained or lost by X of them; may be repeated",
    )
    run.add_argument("--json", action="store_true", help="print JSON")
    show = _simple(sub, "inspect", "Print a manifest as tables.", commands.inspect)
    show.add_argument("run_dir", metavar="RUN", help="folder of a published run")
    _doctor(sub)
    _index(sub)
    languages = _simple(sub, "languages", "Print the language registry.", commands.languages)
    languages.add_argument("codes", nargs="*", metavar="CODE", help="such as swh, sw or swh_Latn")
    train = _simple(sub, "train", "Train a model.", commands.train)
    train.add_argument("what", choices=["langid", "synthetic", "words"])
    train.add_argument(
        "--data",
        nargs="+",
        required=True,
        metavar="FILE",
        help="JSON Lines, .gz: text, lang; for langid also source; for synthetic also label, "
        "generator, domain; for words also label",
    )
    train.add_argument("--out", required=True, metavar="FILE", help="where the model goes")
    train.add_argument(
        "--leave-out",
        action="append",
        default=[],
        metavar="LABEL=SOURCE",
        help="langid: leave out a source's sentences in one language, such as mislabelled ones",
    )
    calibrate = _simple(sub, "calibrate", "Make a table of reference scores.", commands.calibrate)
    calibrate.add_argument("what", choices=["synthetic"])
    for name, told in (
        ("--controls", "human text: JSON Lines, .gz: text, lang; a file is a source"),
        ("--machine", "machine-made text, likewise; by default what the table that ships has"),
    ):
        calibrate.add_argument(name, nargs="+", default=[], metavar="FILE", help=told)
    calibrate.add_argument("--synthetic-model", metavar="FILE", help="another classifier")
    calibrate.add_argument("--out", required=True, metavar="FILE", help="where the table goes")
    evaluate = _simple(sub, "evaluate", "Measure a model on labelled texts.", commands.evaluate)
    evaluate.add_argument("what", choices=["langid", "synthetic"])
    evaluate.add_argument(
        "--data",
        nargs="+",
        required=True,
        metavar="FILE",
        help="JSON Lines, .gz: text, lang; for langid also source; for synthetic also label "
        "(human, machine, mixed), generator, domain",
    )
    evaluate.add_argument("--model", metavar="FILE", help="default: the one that ships")
    evaluate.add_argument("--against", metavar="MODEL", help="langid: a second model, side by side")
    evaluate.add_argument(
        "--attacks",
        action="store_true",
        help="synthetic: also after misspelling, look-alike letters, ...",
    )
    evaluate.add_argument(
        "--synthetic-reference",
        metavar="FILE",
        help="synthetic: another table of reference scores (holdfast calibrate synthetic)",
    )
    evaluate.add_argument("--json", action="store_true", help="synthetic: print JSON Lines")
    return parser


def _doctor(subparsers: Any) -> None:
    parser = _simple(subparsers, "doctor", "Check the environment and places.", commands.doctor)
    parser.add_argument(
        "places", nargs="*", metavar="PLACE", help="folder that a run is to write to"
    )
    parser.add_argument(
        "--input", action="append", default=[], metavar="PATH", help="what a run is to read"
    )
    parser.add_argument("--langid-model", metavar="FILE", help="another language identifier")
    parser.add_argument("--synthetic-model", metavar="FILE", help="another classifier")


def _index(subparsers: Any) -> None:
    parser = _simple(subparsers, "index", "Look after an index of published runs.", commands.index)
    parser.add_argument(
        "what",
        choices=["show", "verify", "compact"],
        help="list what it holds; recompute it from the published texts; merge small files",
    )
    parser.add_argument("path", metavar="PATH", help="folder of the index")
    parser.add_argument(
        "--older-than",
        type=float,
        metavar="HOURS",
        help="compact: remove only files that nothing has needed for so long (default 72)",
    )
    parser.add_argument(
        "--remove-unfinished",
        action="store_true",
        help="compact: also remove segments of so long ago that do not count",
    )


def _tell(error: HoldfastError, console: Console) -> None:
    if logs.is_json():
        kind, code = type(error).__name__, error.exit_code
        logs.event("failed", str(error), level=logging.ERROR, error=kind, exit_code=code)
        return
    console.print(f"holdfast: {error}", style="red", markup=False, highlight=False, soft_wrap=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command.

    Args:
        arguments: Without the program's name; those of the process by default.

    Returns:
        The exit code.
    """
    console = report.console(stderr=True)
    try:
        given_all = list(sys.argv[1:] if arguments is None else arguments)
        log_format, given_all = logs.chosen_format(given_all)
        beam, own = split_flags(given_all) if _JOBS & set(given_all[:2]) else ([], given_all)
        given, unknown = _parser().parse_known_args(own)
        logs.set_up(log_format, verbose=given.verbose)
        refuse_unknown(unknown, given.parser, beam=given.beam)
        return int(given.run(given, beam))
    except HoldfastError as error:
        _tell(error, console)
        return error.exit_code
    except BrokenPipeError:
        os.close(sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        console.print("holdfast: interrupted", style="red")
        return 130


if __name__ == "__main__":
    sys.exit(main())
