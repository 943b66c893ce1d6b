import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.langid.segments import SEGMENTS, WHOLE, segments


def cut(text: str, max_chars: int) -> tuple[str, ...]:
    found = segments(pa.array([text], pa.string()), max_chars)
    for part in found:
        part.validate(full=True)
    return tuple(part[0].as_py() for part in found)


@settings(deadline=None)  # the first call compiles the kernel
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=WHOLE), st.integers(2, 400))
def test_a_short_text_is_its_own_segment(text: str, more: int) -> None:
    assert cut(text, WHOLE + more) == (text, "", "")


@settings(deadline=None)  # the first call compiles the kernel
@given(
    st.text("aé漢😀 ", min_size=1, max_size=30),
    st.integers(1, 100),
    st.integers(20, 800).map(lambda n: SEGMENTS * n),
)
def test_segments_are_parts_of_the_text_within_the_limit(unit: str, times: int, limit: int) -> None:
    text = unit * times
    found = cut(text, limit)
    assert all(part in text for part in found)
    assert sum(map(len, found)) <= limit
    if len(text) > limit:
        assert any(found)


def test_a_text_within_the_limit_is_cut_into_thirds_without_loss() -> None:
    text = "word " * 102
    found = cut(text, 600)
    assert "".join(found) == text
    assert all(part.startswith("word") for part in found)
    assert min(map(len, found)) > 100


def test_segments_of_a_long_text_come_from_head_middle_and_tail() -> None:
    text = "a" * 10_000 + "b" * 10_000 + "c" * 10_000
    assert cut(text, 600) == ("a" * 200, "b" * 200, "c" * 200)


def test_segments_start_after_a_space_when_one_is_near() -> None:
    assert all(part.startswith("words") for part in cut("words " * 2000, 600))


def test_segments_do_not_depend_on_the_batch() -> None:
    texts = pa.array(["x " * 900, "", "é" * 1000, "漢字" * 700, "y"], pa.string())
    found = segments(texts, 600)
    for row, text in enumerate(texts.to_pylist()):
        assert cut(text, 600) == tuple(part[row].as_py() for part in found)
    assert segments(texts.slice(2, 2), 600)[1].equals(found[1].slice(2, 2))


def test_no_texts() -> None:
    assert [len(part) for part in segments(pa.array([], pa.string()), 600)] == [0] * SEGMENTS
