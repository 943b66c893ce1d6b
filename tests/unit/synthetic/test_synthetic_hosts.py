"""Pages of one host, judged together."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.synthetic.hosts import HOST, MIN_PAGES, PAGE, host_rows
from transforms.synthetic.policy import apply_hosts, pages_of
from transforms.synthetic.sample import clusters

PRIOR = 2000
chances = st.lists(st.integers(0, 10_000), min_size=MIN_PAGES, max_size=60)


def pages(p: list[int], host: int = 7) -> pa.Table:
    return pa.table([np.full(len(p), host), np.arange(len(p)), p], PAGE.names).cast(PAGE)


def judged(p: list[int]) -> int:
    rows = host_rows(pages(p), PRIOR)
    assert rows.schema == HOST
    (found,) = rows.column("p").to_pylist()
    return int(found)


def test_fourteen_pages_say_nothing():
    assert len(host_rows(pages([9000] * (MIN_PAGES - 1)), PRIOR)) == 0
    assert len(host_rows(pages([9000] * MIN_PAGES), PRIOR)) == 1
    assert len(host_rows(PAGE.empty_table(), PRIOR)) == 0


def test_pages_that_are_each_uncertain_add_up():
    # None of the pages is more likely machine-made than not.
    assert judged([4500] * 15) > 8000
    assert judged([4500] * 60) > judged([4500] * 15)
    # Pages at the prior say nothing, however many they are.
    assert abs(judged([PRIOR] * 60) - PRIOR) <= 1
    assert judged([1000] * 15) < 500


def test_pages_of_one_host_never_add_up_to_more_than_ten_strangers():
    assert judged([4500] * 5000) - judged([4500] * 500) < 50


@settings(deadline=None)
@given(chances, st.data())
def test_a_likelier_page_never_makes_the_host_less_likely(p: list[int], data: st.DataObject):
    row = data.draw(st.integers(0, len(p) - 1))
    more = [*p]
    more[row] = data.draw(st.integers(p[row], 10_000))
    assert judged(more) >= judged(p) - 1  # a ten-thousandth of rounding


@settings(deadline=None)
@given(chances)
def test_more_of_the_same_never_weakens(p: list[int]):
    once, twice = judged(p), judged(p + p)
    assert (twice - PRIOR) * (once - PRIOR) >= 0 or min(abs(twice - PRIOR), abs(once - PRIOR)) < 300


@settings(deadline=None)
@given(chances, chances, st.randoms())
def test_hosts_do_not_depend_on_order_or_on_each_other(a: list[int], b: list[int], rng):
    rows = pa.concat_tables([pages(a, 3), pages(b, 9)])
    order = list(range(len(rows)))
    rng.shuffle(order)
    found = host_rows(rows.take(order), PRIOR)
    assert found.column("host").to_pylist() == [3, 9]
    assert found.column("p").to_pylist() == [judged(a), judged(b)]


def test_copies_of_one_page_count_once():
    copies = pa.table([[7] * 40, [1] * 40, [9000] * 40], PAGE.names).cast(PAGE)
    assert len(host_rows(copies, PRIOR)) == 0
    more = pa.concat_tables([pages([4500] * 20), pages([4500] * 20)])
    assert host_rows(more, PRIOR).to_pylist() == host_rows(pages([4500] * 20), PRIOR).to_pylist()


def test_only_scored_pages_of_unknown_origin_speak():
    rows = pa.table(
        {
            "host": ["a", None, "a", "a", "b"],
            "text_hash": [bytes([i]) * 16 for i in range(5)],
            "origin_tier": pa.array([None, None, "B", None, None], pa.string()),
            "p_synthetic": pa.array([0.1234, 0.5, 0.5, None, 1.0], pa.float32()),
        }
    )
    found = pages_of(rows)
    a, b = clusters(pa.array(["a", "b"]), pa.array(["a", "b"])).tolist()
    assert found.column("host").to_pylist() == [a, b]
    assert found.column("p").to_pylist() == [1234, 10_000]


def test_every_page_of_a_known_host_gets_its_posterior():
    hosts = pa.array(["a", "b", None, "c"])
    names = np.sort(clusters(hosts, hosts)[[0, 3]])
    decision = pa.table([names, [20, 30], [111, 222]], schema=HOST)
    rows = pa.table({"host": hosts, "p_synthetic_host": pa.nulls(4, pa.float32())})
    found = apply_hosts(rows, decision).column("p_synthetic_host").to_pylist()
    assert found[1] is None
    assert found[2] is None
    known = dict(zip(names.tolist(), [111, 222], strict=True))
    expected = [known[name] for name in clusters(hosts, hosts)[[0, 3]].tolist()]
    assert [round(found[0] * 10_000), round(found[3] * 10_000)] == expected
