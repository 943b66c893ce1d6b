"""Log lines: for people, or one JSON object a line for machines."""

from __future__ import annotations

import datetime
import logging
from collections.abc import Sequence
from typing import Any, Literal, get_args

import orjson

from pipelines.options import Parser

__all__ = ["Format", "chosen_format", "event", "is_json", "set_up", "tell_of"]

Format = Literal["text", "json"]

_LOG = logging.getLogger("holdfast")
_TEXT = "%(asctime)s %(name)s %(levelname)s %(message)s"
_about: dict[str, Any] = {}
"""What every line says besides: the run, once it has a name."""


class _JsonLines(logging.Formatter):
    """A record as one JSON object: time, level, event, message, and what else is known."""

    def format(self, record: logging.LogRecord) -> str:
        when = datetime.datetime.fromtimestamp(record.created, datetime.UTC)
        line: dict[str, Any] = {
            "time": when.isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": getattr(record, "event", "log"),
            **_about,
            **getattr(record, "fields", {}),
            "message": record.getMessage(),
        }
        if record.name != _LOG.name:
            line["logger"] = record.name
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return orjson.dumps(line, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def chosen_format(arguments: Sequence[str]) -> tuple[Format, list[str]]:
    """Takes `--log-format` out of arguments, wherever it stands.

    Raises:
        UsageError: Its value is no format.
    """
    parser = Parser(add_help=False)
    parser.add_argument("--log-format", choices=get_args(Format), default="text")
    found, rest = parser.parse_known_args(list(arguments))
    return found.log_format, rest


def set_up(log_format: Format, *, verbose: bool) -> None:
    """Sends log lines to standard error, in one format.

    Args:
        log_format: `text` or `json`.
        verbose: Whether Beam's lines are shown, too.
    """
    _about.clear()
    json = log_format == "json"
    if json or is_json() or not logging.getLogger().handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(_JsonLines() if json else logging.Formatter(_TEXT))
        logging.basicConfig(level=logging.WARNING, handlers=[handler], force=json or is_json())
    _LOG.setLevel(logging.INFO)
    if not verbose:
        # A failing step is told once, in one line; Beam would print every traceback of it.
        logging.getLogger().setLevel(logging.CRITICAL)
        logging.getLogger("apache_beam").setLevel(logging.CRITICAL)


def is_json() -> bool:
    """Whether lines are for machines."""
    handlers = logging.getLogger().handlers
    return any(isinstance(handler.formatter, _JsonLines) for handler in handlers)


def tell_of(**fields: Any) -> None:
    """Adds to what every line says."""
    _about.update(fields)


def event(
    name: str, message: str, *, level: int = logging.INFO, people: bool = True, **fields: Any
) -> None:
    """Logs something that happened.

    Args:
        name: Of the event; machines look for it.
        message: For people.
        level: Of the line.
        people: Whether people want to read it, too.
        fields: What else a machine may want: `stage`, `counts`, `exit_code`.
    """
    if people or is_json():
        _LOG.log(level, "%s", message, extra={"event": name, "fields": fields})
