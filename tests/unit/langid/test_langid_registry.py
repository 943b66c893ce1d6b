import pytest

from transforms.errors import UsageError
from transforms.langid.registry import Language, Registry, load_registry


@pytest.mark.parametrize(
    ("label", "tail", "why"),
    [
        ("eng_Latn", False, "class 5"),
        ("arb_Arab", False, "class 5, listed as the individual language"),
        ("cmn_Hant", False, "class 5 in either script"),
        ("ind_Latn", False, "class 3 is above the line"),
        ("swh_Latn", True, "class 2 is on the line"),
        ("ekk_Latn", False, "class 3, listed as the individual language"),
        ("plt_Latn", True, "class 1 by its macrolanguage, Malagasy"),
        ("als_Latn", True, "class 1 by its macrolanguage, Albanian"),
        ("arq_Arab", True, "not listed, and its macrolanguage's class is Standard Arabic's"),
        ("zlm_Latn", False, "the table lists Malay as zsm"),
        ("djk_Latn", True, "in no table of classes"),
        ("qqq_Latn", True, "in no table at all"),
        ("und", False, "noise must not fill a floor"),
        ("zxx", False, "noise must not fill a floor"),
    ],
)
def test_is_tail(label: str, tail: bool, why: str) -> None:
    assert load_registry().is_tail(label) is tail, why


@pytest.mark.parametrize(
    ("code", "joshi", "source"),
    [("plt", 1, "mlg"), ("ara", 5, "arb"), ("zho", 5, "cmn"), ("eng", 5, "eng"), ("djk", 0, "")],
)
def test_class_says_whose_it_is(code: str, joshi: int, source: str) -> None:
    language = load_registry().get(code)
    assert language is not None
    assert (language.joshi, language.joshi_from) == (joshi, source)


@pytest.mark.parametrize(
    ("code", "resolved", "why"),
    [
        ("sw", "swh", "two letters, to the macrolanguage, to its principal member"),
        ("zho", "cmn", "a macrolanguage"),
        ("chi", "cmn", "ISO 639-2/B"),
        ("iw", "heb", "withdrawn"),
        ("kzj", "dtp", "merged into another"),
        ("oji", "oji", "a macrolanguage without a principal member stays"),
        ("swh", "swh", "what it is already"),
    ],
)
def test_resolve(code: str, resolved: str, why: str) -> None:
    language = load_registry().resolve(code)
    assert language is not None
    assert language.code == resolved, why


def test_resolve_knows_no_unknown_code() -> None:
    assert load_registry().resolve("qqq") is None


def test_relations_name_languages_of_the_table() -> None:
    registry = load_registry()
    for code in ("swa", "ara", "zho", "msa", "nor"):
        language = registry.get(code)
        assert language is not None
        member = registry.get(language.principal)
        assert member is not None
        assert member.macrolanguage == code


def test_override_by_label_beats_override_by_code_beats_class() -> None:
    registry = load_registry().overridden({"srp_Cyrl": False, "srp": True, "swh": False})
    assert not registry.is_tail("srp_Cyrl")
    assert registry.is_tail("srp_Latn")
    assert not registry.is_tail("swh_Latn")
    assert registry.is_tail("zul_Latn")


def test_override_leaves_the_shared_registry_alone() -> None:
    load_registry().overridden({"eng": True})
    assert not load_registry().is_tail("eng_Latn")


@pytest.mark.parametrize("label", ["und", "zxx", "qqq", "english", ""])
def test_override_of_what_is_no_language_is_refused(label: str) -> None:
    with pytest.raises(UsageError, match="names no language"):
        load_registry().overridden({label: True})


def test_own_code_beats_another_languages_alias() -> None:
    def language(code: str, *aliases: str) -> Language:
        return Language(code, code, aliases, "", "", ("Latn",), 0, "", None)

    found = Registry([language("aaa", "bbb"), language("bbb")]).resolve("bbb")
    assert found is not None
    assert found.code == "bbb"


def test_registry_is_read_once() -> None:
    assert load_registry() is load_registry()
    assert len(load_registry()) > 7_500
