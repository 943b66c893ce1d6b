import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.errors import InputError
from transforms.langid.labels import canonical
from transforms.langid.registry import load_registry


@pytest.mark.parametrize(
    ("label", "expected", "why"),
    [
        ("eng_Latn", "eng_Latn", "our own style"),
        ("en", "eng_Latn", "two letters"),
        ("eng", "eng_Latn", "three letters"),
        ("fre", "fra_Latn", "ISO 639-2/B"),
        ("__label__pt", "por_Latn", "fastText's prefix, lid.176"),
        ("__label__eng_Latn", "eng_Latn", "fastText's prefix, GlotLID"),
        ("pt-BR", "por_Latn", "a region says nothing here"),
        ("iw", "heb_Hebr", "withdrawn code"),
        ("sw", "swh_Latn", "macrolanguage to principal member"),
        ("swa_Latn", "swh_Latn", "macrolanguage with a script"),
        ("swh", "swh_Latn", "the member itself"),
        ("zh", "cmn_Hans", "usual script"),
        ("zho", "cmn_Hans", "macrolanguage of three letters"),
        ("zh-Hant", "cmn_Hant", "a script named"),
        ("zh_Hans", "cmn_Hans", "underscore"),
        ("zh-TW", "cmn_Hant", "a region that implies a script"),
        ("ZH-hant-hk", "cmn_Hant", "case and further subtags"),
        ("cmn_Hani", "cmn_Hans", "Hani says neither Hans nor Hant"),
        ("yue_Hani", "yue_Hant", "Hani by the language's own usage"),
        ("vie_Hani", "vie_Hani", "Hani where it is no Chinese language"),
        ("ja", "jpn_Jpan", "several scripts as one"),
        ("kor_Kore", "kor_Hang", "Korean goes by Hangul"),
        ("sr-Latn", "srp_Latn", "two scripts in use"),
        ("sr", "srp_Cyrl", "the usual of the two"),
        ("ar", "arb_Arab", "macrolanguage"),
        ("fa", "pes_Arab", "macrolanguage"),
        ("no", "nob_Latn", "macrolanguage"),
        ("fil", "tgl_Latn", "Filipino is Tagalog here"),
        ("am", "amh_Ethi", "script from the table"),
        ("und", "und", "abstention has no script"),
        ("zxx_Zzzz", "zxx", "a script of no language is dropped"),
    ],
)
def test_canonical(label: str, expected: str, why: str) -> None:
    assert canonical(label) == expected, why


@pytest.mark.parametrize(
    ("label", "message"),
    [
        ("", "is no language tag"),
        ("english", "is no language tag"),
        ("positive", "is no language tag"),
        ("1", "is no language tag"),
        ("qqq_Latn", "no language has the code 'qqq'"),
        ("eng_Xxxx", "no script has the code 'Xxxx'"),
        ("__label__", "is no language tag"),
    ],
)
def test_unknown_labels_are_refused_by_name(label: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        canonical(label)
    assert repr(label) in str(caught.value)


def named(code: str) -> str | None:
    try:
        return canonical(code)
    except InputError:
        return None


LABELS = {code: label for code in sorted(load_registry()._codes) if (label := named(code))}


def test_nearly_every_code_has_a_label() -> None:
    assert len(LABELS) > 0.95 * len(load_registry())


@given(st.sampled_from(sorted(LABELS.values())))
def test_canonical_is_idempotent(label: str) -> None:
    assert canonical(label) == label
    assert canonical("__label__" + label) == label
    assert canonical(label.replace("_", "-").upper()) == label
