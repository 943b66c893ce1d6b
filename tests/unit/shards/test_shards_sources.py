"""Sources: how many a language has, and how much of it comes from the largest."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st
from shards_documents import document, promise, published

from transforms.shards.sources import LARGEST, SOURCES, largest, largest_sources, sources_of


def row(text: str, lang: str, source: str | None, host: str | None = None, repeat: int = 0) -> Any:
    return document(text, lang=lang, host=host, repeat=repeat) | {"source": source}


def summed(*shards: list[Any], partitions: int = 1) -> dict[str, dict[str, Any]]:
    tables = [published(*rows) for rows in shards]
    sources = pa.concat_tables([sources_of(t, promise().sizes(t)) for t in tables])
    assert sources.schema == SOURCES
    key = sources.column("key").to_numpy() % partitions
    tops = []
    for number in range(partitions):
        some = {"sources": sources.filter(pa.array(key == number))}
        ((name, top),) = largest(number, some)
        assert (name, top.schema) == ("largest", LARGEST)
        tops.append(top)
    return largest_sources(pa.concat_tables(tops))


def test_a_tail_that_is_all_one_book_shows():
    rows = [row("mwanzo ", "swh_Latn", "bible"), row("neno", "swh_Latn", "bible")]
    found = summed([*rows, row("hello", "eng_Latn", "web"), row("news", "eng_Latn", "press")])
    assert found == {
        "eng_Latn": {"sources": 2, "largest_source": "web", "largest_source_size": 5},
        "swh_Latn": {"sources": 1, "largest_source": "bible", "largest_source_size": 11},
    }


def test_a_host_stands_for_a_source_that_nobody_names():
    found = summed([row("habari", "swh_Latn", None, "a.example"), row("x", "swh_Latn", None)])
    assert found["swh_Latn"] == {
        "sources": 2, "largest_source": "a.example", "largest_source_size": 6,
    }  # fmt: skip


def test_repeats_do_not_count():
    once, again = (row("asili", "swh_Latn", "a", repeat=repeat) for repeat in (0, 1))
    assert summed([once, again])["swh_Latn"]["largest_source_size"] == 5


def test_of_sources_of_one_size_the_first_by_name_counts():
    rows = [row("aaaa", "swh_Latn", "b"), row("bbbb", "swh_Latn", "a")]
    assert summed(rows)["swh_Latn"]["largest_source"] == "a"


ROWS = st.lists(
    st.tuples(
        st.sampled_from(["swh_Latn", "isl_Latn"]), st.sampled_from("abcde"), st.integers(1, 9)
    ),
    min_size=1,
    max_size=12,
)


@given(ROWS, st.integers(1, 12), st.integers(1, 4))
def test_shards_and_partitions_do_not_matter(rows: Any, cut: int, partitions: int):
    made = [row("x" * n, lang, source) for lang, source, n in rows]
    halves = [some for some in (made[:cut], made[cut:]) if some]
    whole = summed(made)
    assert summed(*halves, partitions=partitions) == whole
    for lang in whole:
        sizes: dict[str, int] = {}
        for other, source, n in rows:
            if other == lang:
                sizes[source] = sizes.get(source, 0) + n
        assert whole[lang]["sources"] == len(sizes)
        assert whole[lang]["largest_source_size"] == max(sizes.values())
