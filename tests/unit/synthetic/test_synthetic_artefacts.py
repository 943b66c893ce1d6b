"""Every artefact convicts where it should, and nowhere where people speak about it."""

from __future__ import annotations

import datetime
import re

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from transforms.synthetic.table import ARTEFACTS
from transforms.synthetic.tag import PREFILTER, tag

CITE = "\ue200cite\ue202turn0search3\ue202turn0news1\ue201"

CONVICTS = {
    "oaicite": "The bridge opened in 1931.:contentReference[oaicite:4]{index=4} It has two piers.",
    "cite_marker": f"The ferry leaves at six.{CITE}",
    "cite_turn": "The ferry leaves at six. citeturn0search3turn0search5",
    "dagger_source": "The castle burnt down twice【12†L1-L2】 and was rebuilt【4:0†source】.",
    "attribution_json": 'The hall was sold.({"attribution":{"attributableIndex":"1009-1"}})',
    "cite_start": "[cite_start]The mill stands on a small island.",
    "cite_number": "The mill is old[cite: 1]. Its wheel is older still [cite: 2, 3].",
    "grok_card": 'It was founded in 1908.<grok-card data-id="e8ff4f" data-type="citation_card">',
    "grok_render": 'The lake is deep. grok_render_citation_card_json={"cardIds":["3f2a"]}',
    "im_start": "<|im_start|>user\nName three rivers.<|im_end|>\n",
    "im_end": "The three longest rivers are the Nile, the Amazon and the Yangtze.<|im_end|>\n",
    "eot_id": "Knead the dough for ten minutes.<|eot_id|>",
    "header_id": "<|start_header_id|>user<|end_header_id|>\n\nName three rivers.",
    "inst": "<s>[INST] Name three rivers. [/INST] The Nile, the Amazon and the Yangtze.",
    "start_of_turn": "<start_of_turn>user\nName three rivers.<end_of_turn>",
    "role_token": "<|user|>\nName three rivers.<|end|>\n<|assistant|>\nThe Nile, for one.",
    "deepseek_role": "<｜User｜>Name three rivers.<｜Assistant｜>The Nile, for one.",
    "harmony": "<|channel|>final<|message|>The Nile is the longest river.",
    "think": "<think>\nThe user wants three rivers.\n</think>\nThe Nile, for one.",
    "oai_citation": "It flooded twice. [oai_citation:1‡a.example](https://a.example/flood)",
    "alpaca_frame": "### Instruction:\nName three rivers.\n\n### Response:\nThe Nile, for one.",
    "disclaimer_en": "As an AI language model, I don't have a favourite colour.",
    "disclaimer_de": "Als KI-Sprachmodell habe ich keine eigene Meinung zu diesem Film.",
    "disclaimer_fr": "En tant que modèle de langage, je ne peux pas goûter cette soupe.",
    "disclaimer_es": "Como modelo de lenguaje, no tengo opiniones personales sobre el vino.",
    "disclaimer_pt": "Como um modelo de linguagem, não tenho preferências pessoais.",
    "disclaimer_it": "In quanto modello linguistico, non ho opinioni personali.",
    "disclaimer_nl": "Als AI-taalmodel heb ik geen persoonlijke mening.",
    "disclaimer_ru": "Как языковая модель, я не имею личного мнения.",
    "disclaimer_zh": "作为一个人工智能语言模型，我没有个人的喜好。",
    "disclaimer_ja": "AI言語モデルとして、私は個人的な意見を持っていません。",
    "disclaimer_ko": "AI 언어 모델로서, 저는 개인적인 의견이 없습니다.",
    "disclaimer_ar": "بصفتي نموذج لغة، لا أملك رأيًا شخصيًا.",
    "disclaimer_hi": "एक एआई भाषा मॉडल के रूप में, मैं व्यक्तिगत राय नहीं रखता।",
    "disclaimer_id": "Sebagai model bahasa AI, saya tidak memiliki pendapat pribadi.",
    "disclaimer_tr": "Bir yapay zeka dil modeli olarak kişisel görüşlere sahip değilim.",
    "disclaimer_vi": "Là một mô hình ngôn ngữ AI, tôi không có ý kiến cá nhân.",
    "disclaimer_pl": "Jako model językowy nie mam osobistych opinii.",
    "refusal_en": "I'm sorry, but I can't assist with that.",
    "refusal_de": "Es tut mir leid, aber ich kann bei dieser Anfrage nicht helfen.",
    "refusal_fr": "Je suis désolé, mais je ne peux pas répondre à cette demande.",
    "refusal_es": "Lo siento, pero no puedo ayudar con esa solicitud.",
    "refusal_pt": "Desculpe, mas não posso ajudar com essa solicitação.",
    "refusal_it": "Mi dispiace, ma non posso soddisfare questa richiesta.",
    "refusal_nl": "Het spijt me, maar ik kan niet voldoen aan dit verzoek.",
    "refusal_ru": "Извините, но я не могу помочь с этим запросом.",
    "refusal_zh": "抱歉，我无法满足您的请求。",
    "refusal_ja": "申し訳ありませんが、そのリクエストにはお応えできません。",
    "refusal_ko": "죄송하지만, 그 요청은 도와드릴 수 없습니다.",
    "refusal_ar": "عذرًا، لا أستطيع المساعدة في هذا الطلب.",
    "refusal_hi": "क्षमा करें, लेकिन मैं इस अनुरोध में सहायता नहीं कर सकता।",
    "refusal_id": "Maaf, saya tidak dapat membantu dengan permintaan ini.",
    "refusal_tr": "Üzgünüm, ancak bu isteği yerine getiremem.",
    "refusal_vi": "Xin lỗi, nhưng tôi không thể hỗ trợ yêu cầu này.",
    "refusal_pl": "Przykro mi, ale nie mogę spełnić tej prośby.",
    "knowledge_cutoff": "As of my last knowledge update in 2021, the museum was open daily.",
    "regenerate": "The results agree with earlier work.\nRegenerate response\n3. Discussion",
    "offer_made": "Certainly! Here is a rewritten version of your paragraph:\n\nThe harbour wakes.",
}

HINTS = {
    "oaicite_word": "What does oaicite mean?",
    "turn_search": "My link reads turn0search0.",
    "grok_word": "What is a grok_card?",
    "endoftext": "One human document.<|endoftext|>",
    "as_an_ai": "“As an AI, I dream too,” said the ship.",
    "last_update": "The list is complete as of my last update in March 2015.",
    "offer": "Sure, here's a list:\n\nbolts, nuts, washers",
    "turns": "User: Name three rivers.\nAssistant: The Nile, the Amazon and the Yangtze.",
    "your_name": "Yours faithfully,\n[Your Name]",
    "utm_source": "See https://library.example/?utm_source=chatgpt.com for more.",
}


def evidence_of(text: str) -> list[str]:
    batch = tag(pa.array([text]), pa.nulls(1, pa.string()))
    found: list[str] = batch.column("synthetic_evidence")[0].as_py()
    return found


def test_table_is_well_formed() -> None:
    names = [artefact.name for artefact in ARTEFACTS]
    assert len(set(names)) == len(names)
    assert {a.name for a in ARTEFACTS if a.strength == "convicts"} == set(CONVICTS)
    assert {a.name for a in ARTEFACTS if a.strength == "hints"} == set(HINTS)
    assert all(re.fullmatch(r"[a-z_]+", name) for name in names)
    assert all(a.since >= datetime.date(2022, 11, 30) for a in ARTEFACTS)


@pytest.mark.parametrize("name", CONVICTS)
def test_artefact_convicts_in_its_place(name: str) -> None:
    assert f"artefact:{name}" in evidence_of(CONVICTS[name])


@pytest.mark.parametrize("name", HINTS)
def test_hint_never_convicts(name: str) -> None:
    assert evidence_of(HINTS[name]) == [f"hint:{name}"]


# A button's words convict on a line of their own, which a quoted line is not.
@pytest.mark.parametrize("name", [name for name in CONVICTS if name != "regenerate"])
def test_quoted_artefact_does_not_convict(name: str) -> None:
    quoted = f"A reader sent us a screenshot. It says: “{CONVICTS[name].strip()}” We laughed."
    assert not [word for word in evidence_of(quoted) if word.startswith("artefact:")]


ABOUT = {
    "a tutorial that shows the tags of thought": (
        "<think> and </think> are special tokens: a model writes its thoughts between them."
    ),
    "an interview": "Reporter: And then?\nAssistant: Then I carried his bags to the car.",
    "a question about the markup of roles": (
        "<|user|> is in my file, what is it?\nIt is the prompt template of an LLM: <|assistant|>."
    ),
    "a page about HTML": "<thinking> is no element. <think> is none, either.",
    "a stray mark in backticks": "My notes hold `[oai_citation:1‡a.example]` everywhere, why?",
    "a channel in quotation marks": 'The log says "<|channel|>final<|message|>" and stops.',
    "a button's words in a sentence": (
        "The paper still had the words “Regenerate response” at the end of a section."
    ),
    "marks in quotation marks of several kinds": (
        'Marks such as “[cite: 1]”, "[cite: 2, 3]", „【12†L1-L2】“, «【4:0†source】», '
        "'citeturn0search1' and `:contentReference[oaicite:0]{index=0}` were left in the report."
    ),
    "instructions on how to format instructions": (
        "Write ### Instruction: first.\nThen, on a line of its own,\n### Response:\n"
    ),
    "an article that sets the phrase on a line of its own": (
        "ChatGPT likes to excuse itself. Here is what it told me about soup:\n\n"
        "As an AI language model, I cannot taste soup."
    ),
    "a forum post that pastes an answer": (
        "I asked the bot about my bread and got this:\n"
        "As a large language model, I have never baked anything.\nAny real bakers here?"
    ),
    "documentation of a chat template in plain text": (
        "<|im_start|>user\nHello<|im_end|>\nThis is the chat template of the tokenizer."
    ),
    "an article that lists leftover marks": (
        "How to spot text from chatbots. ChatGPT leaves marks like :contentReference[oaicite:0]"
        "{index=0} in its answers. Other LLMs leave turn0search0."
    ),
    "a researcher": "As an AI researcher, I have seen many fashions come and go.",
    "a person and a model, third person": (
        "As an AI language model improves, its mistakes become harder to see."
    ),
    "a German article in the third person": (
        "Als Sprachmodell wird ein Programm bezeichnet, das Wörter vorhersagt."
    ),
    "a Spanish textbook": "Como modelo de lenguaje se propone una cadena de Markov.",
    "a Russian textbook": "Как языковая модель используется цепь Маркова.",
    "a Chinese textbook": "作为语言模型的一种，马尔可夫链非常简单。",
    "a markdown quotation": "Look at this:\n> As an AI language model, I cannot swim.",
    "a shop that is sorry": "I'm sorry, but I can't help you find a cheaper ticket.",
    "a refusal in the middle of a story": (
        "The clerk looked up. I'm sorry, but I can't assist with that, he said."
    ),
    "a helpful person": "Sure, here's a photo of the stove I mean:\n\nhttps://forum.example/1",
    "a maintainer's note": "As of my last update in 2014 the list is complete.",
    "a footnote in Japanese brackets": "【注†】は初版による。【3】を参照。",
    "an old separator between human documents": "It rained.\n<|endoftext|>\nThe sun shone.",
    "a home-grown reference": "The figure is from the annual report [cite: 7].",
    "a programming word": "Call cite() and then return0search to get turn12 results.",
}


@pytest.mark.parametrize("case", ABOUT)
def test_speaking_about_artefacts_does_not_convict(case: str) -> None:
    assert not [word for word in evidence_of(ABOUT[case]) if word.startswith("artefact:")]


@pytest.mark.parametrize("text", [*CONVICTS.values(), *HINTS.values()])
def test_prefilter_lets_no_artefact_pass(text: str) -> None:
    assert pc.match_substring_regex(pa.array([text]), PREFILTER).to_pylist() == [True]


@pytest.mark.parametrize("artefact", ARTEFACTS, ids=lambda artefact: artefact.name)
def test_prefilter_holds_the_stem_of_every_artefact(artefact: object) -> None:
    example = pa.array([{**CONVICTS, **HINTS}[artefact.name]])  # type: ignore[attr-defined]
    stem = artefact.stem  # type: ignore[attr-defined]
    assert pc.match_substring_regex(example, f"(?i){stem}").to_pylist() == [True]


def test_mark_after_a_closed_quotation_convicts() -> None:
    text = "The mayor said \"never again\" and left.【7†source】 It's the 'old' story."
    assert evidence_of(text) == ["artefact:dagger_source"]


def test_article_that_names_a_chat_system_once_is_still_convicted_by_its_citations() -> None:
    text = "ChatGPT is one of many.:contentReference[oaicite:1]{index=1} So it goes."
    assert evidence_of(text) == ["artefact:oaicite", "hint:oaicite_word"]
