import random

from hypothesis import given
from hypothesis import strategies as st

from transforms.langid.windows import spoil, windows
from transforms.langid.zxx import generate


@given(
    st.lists(st.text("ab ", min_size=1, max_size=60), min_size=1, max_size=5),
    st.integers(1, 5000),
    st.integers(0, 99),
)
def test_windows_keep_to_their_length_and_budget(texts: list[str], chars: int, seed: int) -> None:
    found = list(windows(texts, chars, random.Random(seed), longest=200))
    assert all(20 <= len(window) <= 220 for window in found)
    limit = min(chars, 4 * sum(map(len, texts)))
    assert limit <= sum(map(len, found)) <= limit + 220
    assert found == list(windows(texts, chars, random.Random(seed), longest=200))


def test_no_text_has_no_windows() -> None:
    assert list(windows([""], 1000, random.Random(1))) == []


def test_spoiled_texts_keep_most_of_their_words() -> None:
    text = "watu wote wamezaliwa huru, hadhi na haki zao ni sawa na kila mtu ana akili"
    rng = random.Random(2)
    spoiled = [spoil(text, rng) for _ in range(300)]
    assert 20 < sum(other != text for other in spoiled) < 120
    assert all("wamezaliwa" in other for other in spoiled)


def test_generated_noise_is_repeatable_and_bounded() -> None:
    texts = generate(300, random.Random(3))
    assert texts == generate(300, random.Random(3))
    assert all(15 <= len(text) <= 600 for text in texts)
    assert len(set(texts)) > 290
