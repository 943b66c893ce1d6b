"""Dates as crawls, feeds, mail and columns write them, brought to one form.

A date is kept as precise as it was given (`2021`, `2021-03`, `2021-03-04`,
`2021-03-04T05:06:07Z`). Its day is the last one that it can mean, so that nothing
is held older than it is. Times without a zone are taken as UTC; fractions of a
second are cut.
"""

from __future__ import annotations

import calendar
import datetime
import email.utils
import re
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["parse_date", "parse_dates"]

_EPOCH = datetime.date(1970, 1, 1).toordinal()
_MAX_DAY = datetime.date.max.toordinal()
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_EPOCH_DIGITS = {9: 1, 10: 1, 12: 1000, 13: 1000}
"""Digits of a count since 1970, and how many of its units make a second."""

_ISO = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,]\d+)?)?"
    r" ?(Z|UTC|[+-]\d\d(?::?\d\d)?)?)?)?)?",
    re.IGNORECASE | re.ASCII,
)
_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d)(\d\d)(Z)?)?", re.ASCII)
_MAIL = re.compile(
    # RFC 2822 and HTTP's preferred form; RFC 850's; asctime's.
    r"(?:[a-z]{3}, *)?\d{1,2} [a-z]{3} \d{2,4} \d{1,2}:\d\d(?::\d\d)?(?: [+-]\d{4}| [a-z]{1,4})?"
    r"(?: \([^)]*\))?"
    r"|[a-z]{6,9}, \d\d-[a-z]{3}-\d\d \d\d:\d\d:\d\d gmt"
    r"|[a-z]{3} [a-z]{3} +\d{1,2} \d\d:\d\d:\d\d \d{4}",
    re.IGNORECASE | re.ASCII,
)

Array: TypeAlias = "pa.Array[Any]"
Columns: TypeAlias = tuple[pa.StringArray, pa.Int32Array, pa.BooleanArray]
Parsed = tuple[str | None, int | None, bool]
"""ISO form, ordinal of the last possible day, and whether the value is no date."""
_BAD: Parsed = (None, None, True)


def parse_dates(array: Array) -> Columns:
    """Parses a column of dates.

    Args:
        array: Strings, integers (digits as `parse_date` takes them), floats (cut to
            integers), dates or timestamps; dictionaries of these.

    Returns:
        ISO text, `datetime.date.toordinal` of the last day that the value can mean,
        and whether it is no date; the first two are null where the third is true
        and where the value is null or blank.
    """
    kind = array.type
    if isinstance(array, pa.DictionaryArray):
        return parse_dates(array.dictionary_decode())
    if pa.types.is_date(kind):
        days: Any = array.cast(pa.date32()).cast(pa.int32()).cast(pa.int64())
        return _from_days(array, days.fill_null(0).to_numpy())
    if pa.types.is_timestamp(kind):
        return _from_seconds(array, array.cast(pa.int64()).fill_null(0).to_numpy())
    if pa.types.is_floating(kind):
        array = _whole(array.cast(pa.float64()))
    return _from_strings(array.cast(pa.string()))


def parse_date(text: str) -> Parsed:
    """Parses one date.

    Takes ISO 8601 down to the month or the year, with `T` or a space before the
    time; the digits of `YYYYMMDD` and of WARC's `YYYYMMDDhhmmss`; dates of mail
    and HTTP; seconds (9 or 10 digits) and milliseconds (12 or 13) since 1970.
    """
    text = text.strip()
    if not text:
        return None, None, False
    try:
        if len(text) in _EPOCH_DIGITS and text.isascii() and text.isdigit():
            seconds = int(text) // _EPOCH_DIGITS[len(text)]
            return _moment(datetime.datetime.fromtimestamp(seconds, datetime.UTC))
        if match := _ISO.fullmatch(text) or _COMPACT.fullmatch(text):
            return _civil(match)
        if _MAIL.fullmatch(text):
            there = email.utils.parsedate_to_datetime(text)
            return _moment(there.astimezone(datetime.UTC) if there.tzinfo else there)
    except (ValueError, OverflowError):
        pass
    return _BAD


def _moment(utc: datetime.datetime) -> Parsed:
    return f"{utc.year:04}{utc:-%m-%dT%H:%M:%SZ}", utc.toordinal(), False


def _civil(fields: re.Match[str]) -> Parsed:
    """An ISO or compact date: year, month, day, hour, minute, second, zone."""
    year, month, day, hour, minute, second, zone = fields.groups()
    y, m = int(year), int(month or 12)
    last = datetime.date(y, m, int(day) if day else calendar.monthrange(y, m)[1])
    if hour is None:
        return "-".join(part for part in (year, month, day) if part), last.toordinal(), False
    clock = datetime.time(int(hour), int(minute), int(second or 0), tzinfo=datetime.UTC)
    return _moment(datetime.datetime.combine(last, clock) - _offset(zone))


def _offset(zone: str | None) -> datetime.timedelta:
    if zone is None or zone.upper() in {"Z", "UTC"}:
        return datetime.timedelta(0)
    digits = zone[1:].replace(":", "").ljust(4, "0")
    if int(digits[2:]) > 59:
        raise ValueError(f"no such zone: {zone}")
    ahead = datetime.timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    if ahead >= datetime.timedelta(days=1):
        raise ValueError(f"no such zone: {zone}")
    return -ahead if zone[0] == "-" else ahead


def _whole(floats: Any) -> Array:
    """Cuts fractions; not-a-number is absent, what is far too large becomes 0, no date."""
    cut = pc.if_else(pc.less(pc.abs(floats), pa.scalar(1e15)), pc.floor(floats), 0.0)
    whole: Array = pc.if_else(pc.is_nan(floats), None, cut).cast(pa.int64())
    return whole


def _from_days(array: Array, days: npt.NDArray[np.int64], moments: Array | None = None) -> Columns:
    """Days since 1970, one per row of `array`; the text is of `moments` or of the days."""
    ordinals = days + _EPOCH
    fits = (ordinals >= 1) & (ordinals <= _MAX_DAY)
    known = np.asarray(array.is_valid())
    lost = ~(known & fits)
    if moments is None:
        moments = pa.array(np.where(lost, 0, days).astype(np.int32), pa.date32())
        texts = moments.cast(pa.string())
    else:
        texts = pc.strftime(moments, "%Y-%m-%dT%H:%M:%SZ")
    iso = pc.if_else(pa.array(lost), None, texts)
    return iso, pa.array(ordinals, pa.int32(), mask=lost), pa.array(known & ~fits)


def _from_seconds(array: Array, counts: npt.NDArray[np.int64]) -> Columns:
    seconds = counts // _PER_SECOND[array.type.unit]
    days = seconds // 86_400
    inside = (days >= 1 - _EPOCH) & (days <= _MAX_DAY - _EPOCH)
    moments = pa.array(np.where(inside, seconds, 0), pa.timestamp("s"))
    return _from_days(array, np.where(inside, days, -_EPOCH), moments)


def _from_strings(texts: Any) -> Columns:
    ordinals = _common_forms(texts)
    common = ordinals > 0
    rest = np.flatnonzero(~common)
    # Other forms are parsed once each: years and blanks repeat.
    encoded = texts.take(pa.array(rest)).dictionary_encode()
    parsed = [parse_date(text) for text in encoded.dictionary.to_pylist()]
    where = np.full(len(texts), -1)
    where[rest] = encoded.indices.fill_null(-1).to_numpy()
    index: Any = pa.array(where, pa.int64(), mask=where < 0)
    iso = pa.array([item[0] for item in parsed], pa.string()).take(index)
    days = pa.array([item[1] for item in parsed], pa.int32()).take(index)
    bad: Any = pa.array([item[2] for item in parsed], pa.bool_()).take(index).fill_null(False)
    fast = pa.array(common)
    fast_days = pa.array(ordinals, pa.int32())
    return pc.if_else(fast, texts, iso), pc.if_else(fast, fast_days, days), bad


_DATE_TEMPLATE = np.frombuffer(b"0000-00-00", np.uint8)
_MOMENT_TEMPLATE = np.frombuffer(b"0000-00-00T00:00:00Z", np.uint8)


def _common_forms(texts: Any) -> npt.NDArray[np.int64]:
    """Ordinals of rows that read `2021-03-04` or `2021-03-04T05:06:07Z`; 0 elsewhere."""
    n, start = len(texts), texts.offset
    _, offsets_buffer, data_buffer = texts.buffers()
    ordinals = np.zeros(n, np.int64)
    if n == 0 or data_buffer is None:
        return ordinals
    offsets = np.frombuffer(offsets_buffer, np.int32)[start : start + n + 1].astype(np.int64)
    data = np.frombuffer(data_buffer, np.uint8)
    lengths = np.where(np.asarray(texts.is_valid()), np.diff(offsets), 0)
    for template in (_DATE_TEMPLATE, _MOMENT_TEMPLATE):
        rows = np.flatnonzero(lengths == len(template))
        cells = data[offsets[rows, None] + np.arange(len(template))]
        ordinals[rows] = _ordinals(cells, template)
    return ordinals


def _ordinals(
    cells: npt.NDArray[np.uint8], template: npt.NDArray[np.uint8]
) -> npt.NDArray[np.int64]:
    """One row of characters per date; 0 where it does not fit the template or the calendar."""
    digit = template == ord("0")
    values = (cells - ord("0")).astype(np.int64)
    fits = np.all(np.where(digit, values < 10, cells == template), axis=1)
    values = np.where(fits[:, None], values, 0)
    year = values[:, 0] * 1000 + values[:, 1] * 100 + values[:, 2] * 10 + values[:, 3]
    month, day = values[:, 5] * 10 + values[:, 6], values[:, 8] * 10 + values[:, 9]
    fits &= (year > 0) & (month > 0) & (month < 13) & (day > 0)
    if len(template) > 10:
        clock = values[:, 11::3] * 10 + values[:, 12::3]
        fits &= np.all(clock < np.array([24, 60, 60]), axis=1)
    months = (year - 1970) * 12 + month - 1
    first = months.astype("M8[M]").astype("M8[D]").astype(np.int64)
    following = (months + 1).astype("M8[M]").astype("M8[D]").astype(np.int64)
    fits &= day <= following - first
    return np.where(fits, first + day - 1 + _EPOCH, 0)
