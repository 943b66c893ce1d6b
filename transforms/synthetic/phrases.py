"""What chat systems say of themselves, in the languages they say it in.

A disclaimer convicts at the start of a line when it is complete: the speaker
calls itself a *language model* and goes on in the first person. "As an AI
researcher, I ..." is a person, and "As an AI, I ..." may be a novel's robot. A
refusal convicts as the first words of the text, and only with the set phrase
about the *request*: shop assistants are sorry, too.
"""

from __future__ import annotations

from typing import Final

from transforms.synthetic.artefacts import CHAT_SYSTEMS, LINE, Artefact

__all__ = ["PHRASES"]

_BIG_AI_EN: Final = r"(?:large |big )?(?:(?:ai|artificial intelligence)[ -]?(?:powered |based )?)?"

_DISCLAIMERS: Final[dict[str, tuple[str, str, str]]] = {
    # language: (stem, what it calls itself, the first person that follows)
    "en": (
        r"language model|ai model|ai assistant",
        r"as an? " + _BIG_AI_EN + r"(?:language model|ai model|ai assistant)",
        r"(?: (?:trained|developed|created|made) by [^,.\n]{1,40})?,? (?:i|my)\b",
    ),
    "de": (
        r"sprachmodell",
        r"als (?:ein )?(?:großes )?(?:ki[- –]?|ai[- ]?)?(?:basiertes )?sprachmodell",
        r"[^.\n]{0,60}(?: ich | mir | mich )",
    ),
    "fr": (
        r"modèle (?:de langage|linguistique|de langue)",
        r"en tant que (?:grand )?modèle (?:de langage|linguistique|de langue)",
        r"[^.\n]{0,60},? (?:je |j['’])",
    ),
    "es": (
        r"modelo de (?:lenguaje|lengua|idioma)",
        r"como (?:un )?(?:gran )?modelo de (?:lenguaje|lengua|idioma)",
        r"[^.\n]{0,60},? (?:no (?:tengo|puedo|poseo|soy|cuento|estoy)|puedo|yo |mi |soy )",
    ),
    "pt": (
        r"modelo de (?:linguagem|língua)",
        r"como (?:um )?(?:grande )?modelo de (?:linguagem|língua)",
        r"[^.\n]{0,60},? (?:(?:eu )?não (?:tenho|posso|possuo|sou|estou)|eu |posso |meu |sou )",
    ),
    "it": (
        r"modello (?:linguistico|di linguaggio)",
        r"(?:in quanto|come|essendo un) (?:grande )?modello (?:linguistico|di linguaggio)",
        r"[^.\n]{0,60},? (?:non (?:ho|posso|sono|possiedo)|posso |io |sono )",
    ),
    "nl": (
        r"taalmodel",
        r"als (?:een )?(?:groot )?(?:ai[- ]?)?taalmodel",
        r"[^.\n]{0,60} (?:kan|heb|ben|mag|beschik|weet) ik\b",
    ),
    "ru": (
        r"языков(?:ая|ой) (?:ии-)?модел",
        r"(?:как|будучи) (?:большая |большой )?"
        r"(?:языковая (?:ии-)?модель|языковой (?:ии-)?моделью)",
        r"[^.\n]{0,60},? (?:я |у меня |мне )",
    ),
    "zh": (
        r"语言模型|語言模型",
        r"(?:作为|作為|身为|身為)(?:一|个|個|款|名|种|種)*(?:由[^，。\n]{1,20}的)?"
        r"(?:ai|人工智能|人工智慧|大型|大|的)*(?:语言模型|語言模型)",
        r"(?:[^。\n]{0,20})，?我",
    ),
    "ja": (
        r"言語モデル",
        r"(?:私は)?(?:ai|人工知能|大規模)*(?:の)?言語モデル",
        r"(?:として、?私|であり、|なので、|であるため、|ですので、|ですから、)",
    ),
    "ko": (
        r"언어 ?모델",
        r"(?:저는 )?(?:ai |인공지능 |대규모 |ai)*언어 ?모델",
        r"(?:로서,? (?:저는|제가|나는)|이기 때문에|이므로|이라서)",
    ),
    "ar": (
        r"ي (?:مجرد )?نموذج",
        # The pronoun is in the first word: "in my capacity as".
        r"(?:بصفتي|باعتباري|كوني|بما أنني) (?:مجرد )?نموذج",
        r"(?:ًا|اً|ا|َ)? (?:لغ|ال?ذكاء)",
    ),
    "hi": (
        r"भाषा मॉडल",
        r"एक (?:बड़े |बड़ा )?(?:एआई |ai |कृत्रिम बुद्धिमत्ता )?भाषा मॉडल",
        r" (?:के रूप में|के तौर पर|होने के नाते),? (?:मैं|मेरे|मेरा|मुझे)",
    ),
    "id": (
        r"model bahasa|model ai bahasa",
        r"sebagai (?:sebuah )?(?:model bahasa|model ai bahasa)",
        r"[^.\n]{0,40},? saya\b",
    ),
    "tr": (
        r"dil modeli",
        r"bir (?:yapay zek[aâ] |ai )?dil modeli olarak",
        r"[^.\n]{0,160}(?: ben |değilim|yapamam|edemem|veremem|sunamam|bilemem|yorum[., ])",
    ),
    "vi": (
        r"một mô hình ngôn ngữ",
        r"là một mô hình ngôn ngữ",
        r"[^.\n]{0,40},? tôi ",
    ),
    "pl": (
        r"model językowy",
        r"jako (?:duży )?model językowy",
        r"[^.\n]{0,40},? (?:nie )?(?:mam|mogę|jestem|posiadam)",
    ),
}

_REFUSALS: Final[dict[str, tuple[str, str]]] = {
    # language: (the apology, the request that is refused)
    "en": (
        r"(?:(?:i['’]m|i am) sorry|i apologi[sz]e)",
        r",? but i (?:can['’]?t|cannot|can not|am unable to|am not able to|won['’]t) (?:assist "
        r"(?:you )?with (?:that|this|your)|(?:fulfil+|comply with|complete|process) (?:that|this|"
        r"your|such) request|help with (?:that|this) request|(?:generate|provide|create) (?:that|"
        r"this|such) content)",
    ),
    "de": (
        r"(?:es )?tut mir leid",
        r",? aber (?:ich kann (?:bei dieser anfrage|dieser anfrage|diese anfrage|ihre anfrage|"
        r"deine anfrage)|bei dieser anfrage kann ich)",
    ),
    "fr": (
        r"(?:je suis )?désolée?",
        r",? mais je ne (?:peux|suis) pas (?:en mesure de |capable de )?(?:répondre à|satisfaire|"
        r"traiter|accéder à|vous aider avec) (?:cette|votre|ta) (?:demande|requête)",
    ),
    "es": (
        r"lo siento",
        r",? pero no puedo (?:ayudar(?:te|le)? con|cumplir(?: con)?|procesar|atender) (?:a "
        r")?(?:esa|esta|tu|su) (?:solicitud|petición)",
    ),
    "pt": (
        r"(?:desculpe|sinto muito|lamento)",
        r",? mas (?:eu )?não posso (?:ajudar(?:-lo)? com|atender a|atender|cumprir|processar) "
        r"(?:a )?(?:ess[ea]|est[ea]|sua|seu) (?:solicitação|pedido)",
    ),
    "it": (
        r"mi dispiace",
        r",? ma non posso (?:soddisfare|aiutar(?:ti|la) con|elaborare|assister\w+ con) (?:questa|"
        r"la tua|la sua|tale) richiesta",
    ),
    "nl": (
        r"het spijt me",
        r",? maar ik kan (?:niet (?:voldoen aan|helpen met) (?:dit|dat|uw|je) verzoek|(?:dit|dat|"
        r"uw|je) verzoek niet)",
    ),
    "ru": (
        r"(?:извините|к сожалению|простите|мне жаль)",
        r",? (?:но )?я не могу (?:помочь|выполнить|обработать)(?: вам)?(?: с)? (?:этим|этот|ваш|"
        r"вашим) запрос",
    ),
    "zh": (
        r"(?:很|非常)?(?:抱歉|对不起|對不起)",
        r"，(?:但)?我(?:无法|無法|不能)(?:协助|協助|满足|滿足|完成|处理|處理|帮助|幫助)"
        r"[您你这这這个個该該此的]*(?:请求|請求|要求)",
    ),
    "ja": (
        r"申し訳",
        r"(?:ありません|ございません)が、(?:その|この|ご)(?:リクエスト|要求|依頼)"
        r"(?:に|を)(?:は)?(?:お応え|お答え|対応|処理|お手伝い)",
    ),
    "ko": (
        r"죄송",
        r"(?:하지만|합니다만),? (?:그|이|해당|요청하신) ?(?:요청|내용)(?:은|을|에|에는) "
        r"(?:도와|처리|수행|응답)",
    ),
    "ar": (
        r"(?:عذرا?ً?ا?|آسف|أعتذر)",
        r"،? (?:و?لكن(?:ني|ن?ي)? )?لا (?:أستطيع|يمكنني) (?:المساعدة في|تلبية|تنفيذ|مساعدتك في) "
        r"(?:هذا|ذلك) الطلب",
    ),
    "hi": (
        r"(?:क्षमा करें|मुझे खेद है|माफ़ कीजिए)",
        r",? (?:लेकिन |किंतु )?मैं (?:इस|आपके इस|उस) अनुरोध",
    ),
    "id": (
        r"maaf",
        r",? (?:tetapi |namun |tapi )?saya tidak (?:dapat|bisa) (?:membantu (?:dengan )?|memenuhi "
        r")permintaan (?:itu|ini|tersebut|anda)",
    ),
    "tr": (
        r"üzgünüm",
        r",? (?:ancak|ama|fakat) bu (?:isteğ|taleb)[ie] (?:yerine getiremem|karşılayamam)",
    ),
    "vi": (
        r"(?:xin lỗi|tôi xin lỗi)",
        r",? (?:nhưng )?tôi không thể (?:hỗ trợ|đáp ứng|thực hiện|giúp với) yêu cầu (?:này|đó|của "
        r"bạn)",
    ),
    "pl": (
        r"(?:przykro mi|przepraszam)",
        r",? ale nie mogę (?:spełnić|zrealizować|pomóc w) (?:tej|tego) (?:prośby|żądania)",
    ),
}


def _disclaimer(language: str, stem: str, self_name: str, person: str) -> Artefact:
    return Artefact(
        name=f"disclaimer_{language}",
        family="disclaimer",
        generator="any",
        since=CHAT_SYSTEMS,
        stem=stem,
        core=self_name,
        tail=person,
        lead=LINE,
    )


def _refusal(language: str, apology: str, request: str) -> Artefact:
    first_words = r"\A\s*" + apology
    return Artefact(
        name=f"refusal_{language}",
        family="refusal",
        generator="any",
        since=CHAT_SYSTEMS,
        stem=first_words,
        core=first_words,
        tail=request,
        lead="",
    )


PHRASES: Final[tuple[Artefact, ...]] = tuple(
    _disclaimer(language, *parts) for language, parts in _DISCLAIMERS.items()
) + tuple(_refusal(language, *parts) for language, parts in _REFUSALS.items())
"""A disclaimer and a refusal for each language."""
