import functools
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.langid.config import LangidConfig
from transforms.langid.identify import identify
from transforms.langid.model import LanguageModel, load_model
from transforms.langid.registry import load_registry
from transforms.records import LANGUAGE

ENGLISH = (
    "Everyone has the right to freedom of thought, and nobody may be told what to think. "
    "The committee met again on Tuesday to discuss how the money should be spent this year. "
)
SWAHILI = (
    "Kila mtu ana haki ya kusema na kufikiri kwa uhuru bila kuingiliwa na mtu mwingine yeyote. "
    "Serikali imesema kwamba shule zote zitafunguliwa wiki ijayo baada ya mvua kubwa kunyesha. "
)
CODE = 'for (int i = 0; i < buf_len; i++) { ptr[i] = 0x1f; ctx->cfg_val += tmp[i]; } // "{}" '


@functools.cache
def default_model() -> LanguageModel:
    return load_model()


def rows(*texts: str, model: LanguageModel | None = None, **settings: Any) -> list[dict[str, Any]]:
    found = identify(
        pa.array(texts, pa.string()),
        model or default_model(),
        load_registry(),
        LangidConfig(**settings),
    )
    found.validate(full=True)
    assert found.schema.equals(LANGUAGE)
    assert found.num_rows == len(texts)
    return found.to_pylist()


def row(text: str, **settings: Any) -> dict[str, Any]:
    return rows(text, **settings)[0]


@pytest.mark.parametrize(
    ("text", "lang", "tail"),
    [
        (ENGLISH, "eng_Latn", False),
        (SWAHILI, "swh_Latn", True),
        ("Všichni lidé rodí se svobodní a sobě rovní co do důstojnosti a práv.", "ces_Latn", False),
        ("Alle Menschen sind frei und gleich an Würde und Rechten geboren.", "deu_Latn", False),
        ("Все люди рождаются свободными и равными в своём достоинстве.", "rus_Cyrl", False),
        ("中国政府今天宣布，将于下个月开始实施新的经济政策，以促进国内消费。", "cmn_Hans", False),
        ("すべての人間は、生まれながらにして自由であり、平等である。", "jpn_Jpan", False),
        ("모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다.", "kor_Hang", False),
        ("ሰው ሁሉ ነጻና እኩል ክብርና መብት ኖሮት የተወለደ ነው።", "amh_Ethi", True),
        ("ALLE MENSCHEN SIND FREI UND GLEICH AN WÜRDE UND RECHTEN GEBOREN.", "deu_Latn", False),
    ],
)
def test_known_languages(text: str, lang: str, tail: bool) -> None:
    found = row(text)
    assert (found["lang"], found["tail"]) == (lang, tail)
    assert found["script_share"] == 1
    assert not found["mixed"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "nothing"),
        (" \n\t ", "white space"),
        ("1234 5678.90", "digits"),
        ("😀😀🎉", "emoji"),
        ("--- *** !!!", "punctuation"),
        ("\ue000\ue001", "private use"),
        ("https://example.org/a/b?c=d", "only a link"),
        (CODE * 5, "code"),
        ("deadbeef00ff 9a8b7c6d5e4f3a2b 0011223344556677 8899aabbccddeeff", "hexadecimal"),
    ],
)
def test_texts_without_language(text: str, why: str) -> None:
    found = row(text)
    assert found["lang"] == "zxx", why
    assert not found["tail"]
    assert not found["mixed"]


@pytest.mark.parametrize(
    "text",
    [
        "a",
        "é",
        "漢",
        "\u0301",
        "\x00",
        "ÃƒÂ©tÃƒÂ© Ã§a",
        "\U0010ffff",
        "ﷺ",
        "x" * 5000,
        "ab " * 3000,
    ],
)
def test_odd_texts_get_a_row(text: str) -> None:
    found = row(text)
    assert 0 <= found["lang_score"] <= 1


def test_ten_megabytes_on_one_line() -> None:
    assert row(ENGLISH.replace("\n", " ") * 60_000)["lang"] == "eng_Latn"
    assert 0 <= row("x" * 10_000_000)["lang_score"] <= 1


def test_staged_labels_follow_no_policy() -> None:
    strict = {
        "min_score": 0.9,
        "enough_score": 1.0,
        "min_script_share": 1.0,
        "tail": {"swh": False},
    }
    assert row(SWAHILI, **strict) == row(SWAHILI)


def test_the_best_label_stays_where_the_verdict_abstains() -> None:
    found = row("Ünïcödé zxqv kjw bvx")
    assert found["lang_best"] is not None
    assert found["lang"] in (found["lang_best"], "und", "zxx")


def test_abstains_where_the_letters_contradict_the_label(train_model: Any) -> None:
    # A model that knows Latin and Cyrillic only must not call Thai either of them.
    model = load_model(str(train_model()))
    [found] = rows("มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกัน", model=model)
    assert found["lang"] == "und"
    assert found["script"] == "Thai"
    assert found["lang_best"] in ("eng_Latn", "swh_Latn", "rus_Cyrl", "zxx")
    assert found["script_share"] == 0


def test_script_share_is_of_letters_alone() -> None:
    found = row("Все люди рождаются свободными и равными 12345 !!! hello")
    assert found["lang"] == "rus_Cyrl"
    assert found["script_share"] == pytest.approx(35 / 40, abs=0.02)


@pytest.mark.parametrize(("first", "second"), [(ENGLISH, SWAHILI), (SWAHILI, ENGLISH)])
def test_two_languages_in_two_halves_are_mixed(first: str, second: str) -> None:
    found = row(first * 4 + second * 4)
    assert found["mixed"]
    assert {found["lang"], found["lang_second"]} == {"eng_Latn", "swh_Latn"}
    assert not found["tail"], "a mixed document is never tail"


def test_a_half_without_language_does_not_hide_the_other() -> None:
    found = row(SWAHILI * 4 + CODE * 8)
    assert found["lang"] == "swh_Latn"
    assert found["tail"]
    assert not found["mixed"]


def test_margin_is_the_distance_to_the_second_label() -> None:
    found = row(SWAHILI)
    assert found["lang_second"] != found["lang"]
    assert 0 < found["lang_margin"] <= found["lang_score"]


def test_no_second_label_where_the_model_has_one(train_model: Any) -> None:
    model = load_model(str(train_model(("eng_Latn",))))
    [found] = rows(ENGLISH, model=model)
    assert found["lang_second"] is None
    assert found["lang_margin"] is None


@pytest.mark.parametrize("name", ["tail", "thresholds"])
@pytest.mark.parametrize("label", ["klingon", "und", "zxx", "", "qqq_Latn"])
def test_settings_for_what_is_no_language_are_refused(name: str, label: str) -> None:
    with pytest.raises(ValueError, match="names no language of the registry"):
        LangidConfig(**{name: {label: 1}})


def test_segments_agree_or_say_what_else() -> None:
    alike = row(SWAHILI * 9)
    assert (alike["lang_agreement"], alike["lang_other"], alike["lang_other_score"]) == (
        1,
        None,
        None,
    )
    third = row(SWAHILI * 6 + ENGLISH * 3)
    assert third["lang_best"] == "swh_Latn"
    assert third["lang_agreement"] == pytest.approx(2 / 3, abs=1e-4)
    assert third["lang_other"] == "eng_Latn"
    assert third["lang_other_score"] > 0.7
    assert third["mixed"]


def test_words_of_the_language_are_counted() -> None:
    assert row(SWAHILI)["lang_words"] > 0.1
    assert row("Kila mtu")["lang_words"] is None, "too short to tell"
    assert row("漢")["lang_words"] is None


def test_evidence_of_no_language() -> None:
    code, text = row(CODE * 5), row(ENGLISH)
    assert code["zxx_score"] == code["lang_score"] > 0.5
    assert text["zxx_score"] < 0.1
    assert text["letter_share"] > 0.75 > code["letter_share"]
    digits = row("1234 5678.90")
    assert (digits["script"], digits["letter_share"], digits["script_share"]) == (None, 0, 0)


@pytest.mark.parametrize(
    ("text", "langs", "why"),
    [
        ("\ue000\ue001 " * 300, {"zxx"}, "private use"),
        ("😀🎉 12 " * 300, {"zxx"}, "emoji and digits"),
        ("q", {"und", "zxx"}, "one letter"),
        ("Привет мир hello world こんにちは שלום", {"und", "zxx"}, "four scripts"),
        ("Ð¿Ñ€Ð¸Ð²ÐµÑ‚ ÐºÐ°Ðº Ð´ÐµÐ»Ð° " * 20, {"und", "zxx"}, "Cyrillic read as Latin"),
    ],
)
def test_bad_input_gets_no_language(text: str, langs: set[str], why: str) -> None:
    found = row(text)
    assert found["lang"] in langs, why
    assert not found["tail"]


def test_marks_of_direction_do_not_change_the_label() -> None:
    text = "يولد جميع الناس أحرارا متساوين في الكرامة والحقوق وقد وهبوا عقلا وضميرا"
    plain, marked = rows(text, "\u202b\u200f" + text.replace(" ", " \u200f") + "\u202c\u200e")
    assert plain["lang_best"] == marked["lang_best"] == "arb_Arab"
    assert marked["script_share"] == 1


def test_no_texts() -> None:
    assert rows() == []


PIECES = st.sampled_from([ENGLISH, SWAHILI, CODE, "漢字 ", "🙂", "\n", "Люди ", "x", "é\u0301"])
TEXTS = st.lists(st.lists(PIECES, max_size=12).map("".join) | st.text(max_size=60), max_size=6)


@settings(max_examples=40, deadline=None)
@given(TEXTS.map(lambda texts: [t.encode("utf-8", "ignore").decode() for t in texts]))
def test_a_row_depends_on_its_text_alone(texts: list[str]) -> None:
    together = rows(*texts)
    assert together == [row(text) for text in texts]
    sliced = identify(
        pa.array(["x", *texts], pa.string()).slice(1),
        default_model(),
        load_registry(),
        LangidConfig(),
    )
    assert sliced.to_pylist() == together
    fixed = [name for name in LANGUAGE.names if LANGUAGE.field(name).type == pa.float32()]
    for found in together:
        assert found["tail"] <= (found["lang"] not in ("und", "zxx") and not found["mixed"])
        for name in (name for name in fixed if found[name] is not None):
            assert 0 <= found[name] <= 1
            assert found[name] == pytest.approx(round(found[name] * 10_000) / 10_000, abs=1e-7)


@pytest.mark.parametrize("field", [{"min_score": 1.1}, {"max_chars": 10}, {"threshold": 0.5}])
def test_settings_are_checked_when_made(field: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(field))):
        LangidConfig(**field)
