"""Groups of exact copies, and how verdicts on them come home."""

import numpy as np
import pytest
from dedup_reference import light, light_row, survivor_sort_key
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.dedup.exact import settle_exact
from transforms.dedup.rows import COPY, CREDIT, FATE, KEPT, REMOVED, SURVIVOR, reason_code
from transforms.dedup.settle import add_copies, remove_near
from transforms.provenance.group import settle_groups

EXACT, NEAR, EXCLUDED = map(reason_code, ("exact_duplicate", "near_duplicate", "excluded"))


def own_evidence(group, tier, date_day, declared, convicted):
    """Every row as it is: no copy speaks for another."""
    return np.where(tier < 2, 0, np.where(declared | convicted, 2, 1)).astype(np.int8), tier


def together(*arguments):
    return settle_groups(*arguments)[:2]


def settled(rows, settle=own_evidence):
    found = dict(settle_exact(0, {"documents": light(rows)}, settle=settle))
    assert found["survivors"].schema == SURVIVOR
    assert found["copies"].schema == COPY
    return {r["node"]: r for r in found["survivors"].to_pylist()}, {
        r["node"]: r for r in found["copies"].to_pylist()
    }


def test_each_group_keeps_its_best():
    rows = [
        light_row(1, "a", date_day=730_002),
        light_row(2, "b"),
        light_row(3, "a", date_day=730_001, size=7, lang="swh_Latn", tail=True, bands=b"k" * 8),
        light_row(4, "a", date_day=None),
    ]
    kept, copies = settled(rows)
    assert set(kept) == {2, 3}
    assert (kept[3]["copies"], kept[2]["copies"]) == (3, 1)
    given_fields = {
        name: rows[2][name] for name in ("doc_id", "size", "lang", "mixed", "tail", "bands")
    }
    assert given_fields.items() <= kept[3].items()
    for node in (1, 4):
        assert copies[node] == {
            "node": node,
            "reason": EXACT,
            "witness": rows[2]["doc_id"],
            "similarity": 1.0,
            "tier": 2,
            "origin": 1,
            "of": 3,
        }


def test_hashes_that_share_a_half_are_different_texts():
    halves = (b"A" * 8, b"B" * 8)
    hashes = [a + b for a in halves for b in halves]
    kept, copies = settled([light_row(k, text_hash=h) for k, h in enumerate(hashes * 2)])
    assert len(kept) == len(copies) == 4


def test_an_excluded_row_neither_stays_nor_bears_witness():
    best = light_row(1, "a", excluded=True, tier=0, date_day=1)
    kept, copies = settled([best, light_row(2, "a"), light_row(3, "a", n_chars=5)])
    assert set(kept) == {2}
    # Nor does it count: its source has no say in what the survivor stands for.
    assert (kept[2]["copies"], kept[2]["copies_original"]) == (2, 0)
    assert (copies[1]["reason"], copies[1]["witness"], copies[1]["similarity"]) == (
        EXCLUDED,
        None,
        None,
    )
    assert copies[3]["witness"] == light_row(2)["doc_id"]


def test_a_group_of_excluded_rows_leaves_nothing():
    kept, copies = settled([light_row(n, "a", excluded=True) for n in (1, 2)])
    assert kept == {}
    assert {c["reason"] for c in copies.values()} == {EXCLUDED}


def test_originals_among_copies_are_counted():
    tiers = [0, 1, 2, 2]
    kept, _ = settled([light_row(n, "a", tier=tier) for n, tier in enumerate(tiers)])
    assert (kept[0]["copies"], kept[0]["copies_original"]) == (4, 2)


def test_a_declaration_decides_who_stays():
    # A copy that was declared machine-made strips the later original of its tier,
    # and then the earlier date wins.
    rows = [
        light_row(1, "a", declared=True, date_day=738_000),
        light_row(2, "a", tier=1, date_day=738_400),
    ]
    kept, _ = settled(rows)
    assert set(kept) == {2}
    kept, copies = settled(rows, together)
    assert set(kept) == {1}
    assert kept[1]["copies_original"] == 0
    assert (copies[2]["tier"], copies[2]["origin"]) == (2, 2)


def test_no_rows_give_empty_tables():
    assert settled([]) == ({}, {})


ROW = st.fixed_dictionaries(
    {
        "tier": st.integers(0, 2),
        "date_day": st.none() | st.integers(737_000, 737_003),
        "p": st.sampled_from([-1, 0, 500]),
        "n_chars": st.integers(1, 3),
        "excluded": st.booleans(),
    }
)


@settings(max_examples=150, deadline=None, database=None)
@given(
    st.lists(st.tuples(st.sampled_from("abc"), ROW), max_size=12), st.randoms(use_true_random=False)
)
def test_groups_settle_as_defined_in_any_order(drawn, random):
    rows = [light_row(node, text, **fields) for node, (text, fields) in enumerate(drawn)]
    random.shuffle(rows)
    kept, copies = settled(rows)
    assert kept.keys() | copies.keys() == set(range(len(rows)))
    assert not kept.keys() & copies.keys()
    for text in "abc":
        group = [r for r in rows if r["text_hash"][:1] == text.encode()]
        candidates = [r for r in group if not r["excluded"]]
        if not candidates:
            assert all(r["node"] in copies for r in group)
            continue
        best = min(candidates, key=survivor_sort_key)
        survivor = kept[best["node"]]
        assert survivor["copies"] == len(candidates)
        assert survivor["copies_original"] == sum(r["tier"] < 2 for r in candidates)
        for r in group:
            if r is best:
                continue
            assert copies[r["node"]]["of"] == best["node"]
            assert copies[r["node"]]["witness"] == (None if r["excluded"] else best["doc_id"])


class TestVerdictsComeHome:
    """Groups a (1, 2, and 3 excluded), b (4, 5), c (6): 4's text is near 1's, 6 alone."""

    rows = (
        light_row(1, "a", tier=0),
        light_row(2, "a"),
        light_row(3, "a", excluded=True),
        light_row(4, "b", tier=1),
        light_row(5, "b"),
        light_row(6, "c"),
    )

    def home(self, removals):
        exact = dict(settle_exact(0, {"documents": light(self.rows)}, settle=own_evidence))
        removed = REMOVED.empty_table().from_pylist(removals, schema=REMOVED)
        out = {"kept": [], "fates": [], "credits": []}
        for name, table in remove_near(0, {**exact, "removed": removed}):
            out[name].extend(table.to_pylist())
            assert table.schema == {"kept": KEPT, "fates": FATE, "credits": CREDIT}[name]
        credit = CREDIT.empty_table().from_pylist(out["credits"], schema=CREDIT)
        kept = KEPT.empty_table().from_pylist(out["kept"], schema=KEPT)
        ((_, counted),) = add_copies(0, {"kept": kept, "credits": credit})
        assert counted.schema == KEPT
        return {r["node"]: r for r in counted.to_pylist()}, {r["node"]: r for r in out["fates"]}

    def removal(self, node, by, similarity):
        witness = light_row(by)["doc_id"]
        return {"node": node, "by": by, "witness": witness, "similarity": similarity}

    def test_without_removals_all_survivors_stay(self):
        kept, fates = self.home([])
        assert set(kept) == {1, 4, 6}
        assert {n: f["reason"] for n, f in fates.items()} == {2: EXACT, 3: EXCLUDED, 5: EXACT}

    def test_copies_follow_their_survivor(self):
        kept, fates = self.home([self.removal(4, 1, 0.875)])
        assert set(kept) == {1, 6}
        for node in (4, 5):
            # 5's survivor is gone: it names the witness that deduplication kept.
            assert (fates[node]["reason"], fates[node]["similarity"]) == (NEAR, 0.875)
            assert fates[node]["witness"] == light_row(1)["doc_id"]
        assert (fates[4]["tier"], fates[5]["tier"]) == (1, 2)
        assert (fates[2]["reason"], fates[2]["similarity"]) == (EXACT, 1.0)
        assert (kept[1]["copies"], kept[1]["copies_original"]) == (4, 2)
        assert (kept[6]["copies"], kept[6]["copies_original"]) == (1, 0)

    def test_an_excluded_copy_keeps_its_reason(self):
        _, fates = self.home([self.removal(1, 6, 0.9)])
        assert (fates[3]["reason"], fates[3]["witness"]) == (EXCLUDED, None)
        assert fates[2]["reason"] == NEAR

    def test_a_witness_of_several_counts_all(self):
        kept, fates = self.home([self.removal(4, 1, 0.8), self.removal(6, 1, 0.9)])
        assert (kept[1]["copies"], kept[1]["copies_original"]) == (5, 2)
        assert len(kept) + len(fates) == len(self.rows)

    @pytest.mark.parametrize("order", [(4, 6), (6, 4)])
    def test_the_order_of_removals_does_not_count(self, order):
        by = {4: self.removal(4, 1, 0.8), 6: self.removal(6, 1, 0.9)}
        assert self.home([by[n] for n in order]) == self.home(list(by.values()))
