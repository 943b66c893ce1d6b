import datetime

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.ingest.dates import parse_date, parse_dates


def day(year: int, month: int, of_month: int) -> int:
    return datetime.date(year, month, of_month).toordinal()


def parse(array: pa.Array) -> list[tuple[str | None, int | None, bool]]:
    columns = parse_dates(array)
    assert [column.type for column in columns] == [pa.string(), pa.int32(), pa.bool_()]
    return list(zip(*(column.to_pylist() for column in columns), strict=True))


GOOD = [
    ("2021", "2021", (2021, 12, 31), "a year can mean its last day"),
    ("2021-02", "2021-02", (2021, 2, 28), "a month can mean its last day"),
    ("2020-02", "2020-02", (2020, 2, 29), "the last day of February in a leap year"),
    ("2021-03-04", "2021-03-04", (2021, 3, 4), "the common form"),
    (" 2021-03-04\n", "2021-03-04", (2021, 3, 4), "space around it"),
    ("2000-02-29", "2000-02-29", (2000, 2, 29), "a century that is a leap year"),
    ("2021-03-04T05:06:07Z", "2021-03-04T05:06:07Z", (2021, 3, 4), "the usual time stamp"),
    ("2021-03-04t05:06:07z", "2021-03-04T05:06:07Z", (2021, 3, 4), "lower case, RFC 3339"),
    ("2021-03-04 05:06:07", "2021-03-04T05:06:07Z", (2021, 3, 4), "space, no zone: UTC"),
    ("2021-03-04 05:06:07 UTC", "2021-03-04T05:06:07Z", (2021, 3, 4), "as databases print it"),
    ("2021-03-04T05:06", "2021-03-04T05:06:00Z", (2021, 3, 4), "no seconds"),
    ("2021-03-04T05:06:07.987654321Z", "2021-03-04T05:06:07Z", (2021, 3, 4), "fraction is cut"),
    ("2021-03-04T01:00:00+02:00", "2021-03-03T23:00:00Z", (2021, 3, 3), "zone moves the day back"),
    ("2021-12-31T23:30:00-0100", "2022-01-01T00:30:00Z", (2022, 1, 1), "and on, without colon"),
    ("20210304", "2021-03-04", (2021, 3, 4), "compact"),
    ("20210304050607", "2021-03-04T05:06:07Z", (2021, 3, 4), "WARC"),
    ("Thu, 04 Mar 2021 05:06:07 GMT", "2021-03-04T05:06:07Z", (2021, 3, 4), "HTTP"),
    ("4 Mar 2021 23:06:07 -0500", "2021-03-05T04:06:07Z", (2021, 3, 5), "mail, with a zone"),
    ("Sunday, 06-Nov-94 08:49:37 GMT", "1994-11-06T08:49:37Z", (1994, 11, 6), "RFC 850"),
    ("Sun Nov  6 08:49:37 1994", "1994-11-06T08:49:37Z", (1994, 11, 6), "asctime"),
    ("1614834367", "2021-03-04T05:06:07Z", (2021, 3, 4), "seconds since 1970"),
    ("1614834367123", "2021-03-04T05:06:07Z", (2021, 3, 4), "milliseconds"),
    ("733276800", "1993-03-28T00:00:00Z", (1993, 3, 28), "seconds before September 2001"),
]


@pytest.mark.parametrize(("text", "iso", "last", "why"), GOOD, ids=[case[3] for case in GOOD])
def test_forms(text: str, iso: str, last: tuple[int, int, int], why: str) -> None:
    assert parse(pa.array([text])) == [(iso, day(*last), False)]


BAD = [
    ("2021-02-30", "no such day"),
    ("1900-02-29", "a century that is no leap year"),
    ("2021-13-01", "month 13"),
    ("2021-00-10", "month 0"),
    ("0000-01-01", "there is no year 0"),
    ("20211301", "month 13, compact"),
    ("2021-03-04T24:00:00Z", "hour 24"),
    ("2021-03-04T05:60:00Z", "minute 60"),
    ("2021-03-04T05:06:07+25:00", "a zone beyond a day"),
    ("9999-12-31T23:59:59-01:00", "UTC would be in year 10000"),
    ("30 Feb 2021 05:06:07 GMT", "no such day, in mail"),
    ("yesterday", "words"),
    ("12345", "digits of no known length"),
    ("-1", "negative"),
    ("2021-3-4", "without leading zeros it is ambiguous with other orders"),
    ("04/03/2021", "day and month cannot be told apart"),
    ("２０２１-03-04", "digits beyond ASCII"),
]


@pytest.mark.parametrize(("text", "why"), BAD, ids=[case[1] for case in BAD])
def test_no_dates(text: str, why: str) -> None:
    assert parse(pa.array([text])) == [(None, None, True)]


@pytest.mark.parametrize("text", ["", "   ", None])
def test_nothing_is_no_fault(text: str | None) -> None:
    assert parse(pa.array([text], pa.string())) == [(None, None, False)]


TYPED = [
    (pa.array([20210304, 2021, None]), ["2021-03-04", "2021", None]),
    (pa.array([1614834367, 1614834367000], pa.uint64()), ["2021-03-04T05:06:07Z"] * 2),
    (pa.array([2021.0, 1614834367.9, float("nan")]), ["2021", "2021-03-04T05:06:07Z", None]),
    (pa.array([datetime.date(2021, 3, 4), None]), ["2021-03-04", None]),
    (pa.array([datetime.date(2021, 3, 4)], pa.date64()), ["2021-03-04"]),
    (pa.array([-1, 10**18], pa.timestamp("ns")), ["1969-12-31T23:59:59Z", "2001-09-09T01:46:40Z"]),
    (pa.array([0], pa.timestamp("ms", "Asia/Tokyo")), ["1970-01-01T00:00:00Z"]),
    (pa.array(["2021", "2021", None]).dictionary_encode(), ["2021", "2021", None]),
    (pa.array(["2021-03-04"], pa.large_string()), ["2021-03-04"]),
    (pa.nulls(2), [None, None]),
    (pa.array([], pa.string()), []),
]  # fmt: skip


@pytest.mark.parametrize(("array", "iso"), TYPED, ids=[str(case[0].type) for case in TYPED])
def test_column_types(array: pa.Array, iso: list[str | None]) -> None:
    rows = parse(array)
    assert [row[0] for row in rows] == iso
    assert not any(row[2] for row in rows)


BEYOND = [
    pa.array([2**31 - 1], pa.date32()),
    pa.array([-(2**62)], pa.timestamp("s")),
    pa.array([1e300]),
    pa.array([True]),
]


@pytest.mark.parametrize("array", BEYOND, ids=[str(array.type) for array in BEYOND])
def test_values_beyond_the_calendar(array: pa.Array) -> None:
    assert parse(array) == [(None, None, True)]


@given(
    st.lists(st.one_of(st.none(), st.dates().map(str), st.sampled_from(["2021-02-30", "x", ""])))
)
def test_columns_agree_with_single_values(values: list[str | None]) -> None:
    """The vectorised path and the careful one give the same, in any mixture and slice."""
    expected = [(None, None, False) if v is None else parse_date(v) for v in values]
    padded = pa.array(["2020-01-01", *values, "1"], pa.string())
    assert parse(padded.slice(1, len(values))) == expected


@given(st.datetimes(), st.integers(-14 * 60, 14 * 60))
def test_zones_agree_with_datetime(moment: datetime.datetime, minutes: int) -> None:
    zone = datetime.timezone(datetime.timedelta(minutes=minutes))
    text = moment.replace(microsecond=0, tzinfo=zone).isoformat()
    try:
        utc = moment.replace(microsecond=0, tzinfo=zone).astimezone(datetime.UTC)
    except OverflowError:
        assert parse_date(text)[2]
        return
    iso = utc.replace(tzinfo=None).isoformat() + "Z"
    assert parse_date(text) == (iso, utc.toordinal(), False)
