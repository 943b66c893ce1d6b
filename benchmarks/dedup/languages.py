"""Texts in five languages, recombined from clauses written for this purpose, with near-copies.

Three clauses make a sentence, numbers fill their blanks, some dozens of sentences make a
document. Documents share clauses, so that unrelated ones are far from identical and far
from unlike: what makes them near is settled by exact Jaccard, not by how they were made.
"""

from __future__ import annotations

import dataclasses
import random
import re
from collections.abc import Callable

__all__ = ["LANGUAGES", "Language", "documents"]


@dataclasses.dataclass(frozen=True)
class Language:
    """Clauses of one language.

    Attributes:
        openings: How sentences begin; `#` is a number.
        middles: How they go on.
        endings: How they end.
        joint: What stands between clauses, and between sentences.
        parts: A regular expression of what is edited: a word, or a character.
    """

    openings: tuple[str, ...]
    middles: tuple[str, ...]
    endings: tuple[str, ...]
    joint: str
    parts: str


_WORD, _CHARACTER = r"\S+\s*", r"(?s:.)"

LANGUAGES = {
    "Chinese": Language(
        (
            "去年春天我们在河边种了#棵柳树",
            "图书馆的老馆员把#本旧书搬到楼上",
            "每天早上渔民们划着#条小船出海",
            "山里的小学今年收了#个新学生",
            "车站旁边的面馆一天能卖#碗牛肉面",
            "考古队在村子北面挖出了#件陶器",
            "天文台昨夜记录到#颗流星",
            "市场里的药材商人带来#斤干草药",
            "邻居家的孩子数了#只过冬的候鸟",
            "工程师用了#天检查那座石桥",
        ),
        (
            "因为连着下了#天的大雨",
            "虽然大家手里只剩#块钱",
            "等到第#个月才有人发现",
            "村长说这是#年来头一回",
            "信里提到还要等#个星期",
            "从地图上看离县城有#公里",
            "老人们记得上一次是在#年前",
            "报纸只用#个字报道了这件事",
            "仓库的温度降到了#度",
            "参加的人比预计多了#位",
        ),
        (
            "所以谁也没有觉得奇怪。",
            "晚饭以后大家才慢慢散去。",
            "最后还是由年轻人把它修好了。",
            "从此路过的旅客都会停下来看看。",
            "剩下的部分留给明年再做。",
            "消息很快传遍了整个山谷。",
            "这张照片至今挂在办公室里。",
            "我把经过写进了日记。",
            "孩子们为此高兴了好几天。",
            "没有人知道它原来的主人是谁。",
        ),
        "",
        _CHARACTER,
    ),
    "Japanese": Language(
        (
            "港の倉庫には古い木箱が#個も残っていて",
            "祖母の庭では今年も#本のひまわりが咲き",
            "駅前の時計屋は朝から#台の時計を直し",
            "山小屋の主人が薪を#束ほど積み上げ",
            "町の楽団は夏祭りのために#曲を練習し",
            "研究室の学生たちが#枚の写真を並べ",
            "漁師は夜明け前に網を#回も投げ",
            "小学校の図書室へ新しい本が#冊届き",
            "橋の工事は予定より#日早く終わり",
            "村の寺では鐘が#度鳴らされ",
        ),
        (
            "雨が#時間も降り続いたにもかかわらず",
            "地図には#番と書かれているだけなのに",
            "隣の人が#年ぶりに帰ってきたので",
            "温度計が#度を指していたころ",
            "手紙が届いてから#週間たって",
            "ラジオで#回もくり返し伝えられたため",
            "参加した#人のほとんどが知らないうちに",
            "海から#キロ離れているというのに",
            "古い記録の#ページ目によれば",
            "電車が#分おくれたおかげで",
        ),
        (
            "だれも急いで帰ろうとはしなかった。",
            "その話は今でも語り継がれている。",
            "子どもたちはそれをノートに書き写した。",
            "夕方にはいつもの静けさが戻ってきた。",
            "私たちは黙って窓の外をながめていた。",
            "翌朝になってようやく理由がわかった。",
            "市役所の人が礼を言いに来てくれた。",
            "残りは来年の春まで取っておくことにした。",
            "古い写真だけが机の上に置かれていた。",
            "誰が始めたのかは結局わからないままだ。",
        ),
        "",
        _CHARACTER,
    ),
    "Thai": Language(
        (
            "เมื่อวานนี้ชาวสวนเก็บมะม่วงได้#กิโลกรัม",
            "ครูใหญ่ของโรงเรียนริมน้ำซื้อหนังสือใหม่#เล่ม",
            "เรือประมงลำเล็กออกจากท่าไปแล้ว#ลำ",
            "ช่างไม้ในหมู่บ้านทำเก้าอี้เสร็จ#ตัว",
            "ตลาดเช้าวันเสาร์มีร้านขายขนม#ร้าน",
            "นักเรียนชั้นประถมปลูกต้นไม้ไว้#ต้น",
            "พิพิธภัณฑ์ของจังหวัดรับภาพถ่ายเก่ามา#ภาพ",
            "คนขับรถไฟเล่าว่าผ่านสะพานมา#แห่ง",
            "ยายของฉันทอผ้าลายดอกไม้ไว้#ผืน",
            "นักดาราศาสตร์นับดาวตกเมื่อคืนได้#ดวง",
        ),
        (
            "แม้ว่าฝนจะตกติดต่อกันมา#วันแล้ว",
            "เพราะทุกคนช่วยกันทำงานตั้งแต่#นาฬิกา",
            "ทั้งที่บ้านอยู่ห่างจากเมืองถึง#กิโลเมตร",
            "หลังจากรอจดหมายอยู่นานถึง#สัปดาห์",
            "ซึ่งแพงกว่าปีที่แล้วประมาณ#บาท",
            "ในขณะที่อุณหภูมิลดลงเหลือ#องศา",
            "ตามบันทึกในหน้า#ของสมุดเล่มเก่า",
            "ก่อนที่แขกอีก#คนจะเดินทางมาถึง",
            "เหมือนที่เคยเกิดขึ้นเมื่อ#ปีก่อน",
            "จากแผนที่แผ่นที่#ซึ่งวาดด้วยมือ",
        ),
        (
            "จึงไม่มีใครรู้สึกแปลกใจเลย ",
            "และเด็กๆ ก็ยังพูดถึงเรื่องนี้อยู่ ",
            "แล้วทุกคนก็กลับบ้านอย่างมีความสุข ",
            "จนกระทั่งพระอาทิตย์ตกหลังภูเขา ",
            "ส่วนที่เหลือจะเก็บไว้ทำในปีหน้า ",
            "เรื่องนี้ถูกเล่าต่อกันไปทั้งหมู่บ้าน ",
            "ฉันจดเหตุการณ์ทั้งหมดลงในสมุด ",
            "แต่ไม่มีใครจำชื่อเจ้าของเดิมได้ ",
            "และคนเดินทางมักหยุดดูอยู่เสมอ ",
            "โดยไม่ต้องขอความช่วยเหลือจากใคร ",
        ),
        "",
        _CHARACTER,
    ),
    "Arabic": Language(
        (
            "زرع الفلاحون في الوادي # شجرة زيتون",
            "حملت السفينة الصغيرة من الميناء # صندوقا",
            "أصلح الحداد في السوق القديم # بابا",
            "قرأ تلاميذ المدرسة هذا العام # كتابا",
            "سجل مرصد الجبل ليلة أمس # شهابا",
            "باعت الخبازة قبل الظهر # رغيفا",
            "رسم المهندس للجسر الحجري # خريطة",
            "جمع الصيادون من الشاطئ # شبكة",
            "وجد الباحثون تحت الرمال # قطعة فخار",
            "استقبلت محطة القطار يوم الجمعة # مسافرا",
        ),
        (
            "رغم أن المطر لم يتوقف منذ # أيام",
            "بعد أن انتظر الجميع أكثر من # ساعة",
            "على بعد # كيلومترا من أقرب مدينة",
            "كما جاء في الصفحة # من الدفتر القديم",
            "حين بلغت درجة الحرارة # تحت الشمس",
            "لأول مرة منذ # عاما كما قال الشيوخ",
            "بثمن لم يتجاوز # درهما في ذلك الوقت",
            "بمساعدة # من الجيران والأصدقاء",
            "قبل أن تصل الرسالة رقم # إلى البيت",
            "في الشهر # من السنة الماضية",
        ),
        (
            "ولم يتعجب أحد من أهل القرية.",
            "ثم عاد كل واحد إلى بيته مسرورا.",
            "وما زال الأطفال يروون هذه الحكاية.",
            "وبقي العمل الأخير للربيع القادم.",
            "وكتبت كل ذلك في دفتري الصغير.",
            "ولا يعرف أحد من كان صاحبه الأول.",
            "حتى غابت الشمس وراء الجبال البعيدة.",
            "وانتشر الخبر سريعا بين الناس.",
            "وعلقت الصورة على جدار المكتبة.",
            "ويقف المسافرون هناك لينظروا إليه.",
        ),
        " ",
        _WORD,
    ),
    "Hindi": Language(
        (
            "पिछले साल किसानों ने नदी के किनारे # पेड़ लगाए",
            "गाँव के पुस्तकालय में इस महीने # नई किताबें आईं",
            "स्टेशन के पास वाली दुकान ने सुबह # कप चाय बेची",
            "मछुआरे भोर होते ही # नावें लेकर निकल पड़े",
            "पहाड़ की पाठशाला में # नए बच्चों ने नाम लिखाया",
            "पुरातत्व के छात्रों को मिट्टी के # बर्तन मिले",
            "बूढ़े बढ़ई ने मेले के लिए # खिलौने बनाए",
            "वेधशाला ने कल रात # टूटते तारे गिने",
            "मेरी दादी ने सर्दियों में # ऊनी चादरें बुनीं",
            "मिस्त्रियों ने पत्थर का पुल # दिनों में जाँचा",
        ),
        (
            "हालाँकि बारिश लगातार # दिन से हो रही थी",
            "जबकि शहर यहाँ से # किलोमीटर दूर पड़ता है",
            "क्योंकि चिट्ठी को पहुँचने में # हफ़्ते लग गए",
            "जैसा पुरानी बही के पन्ना # पर लिखा है",
            "जब तापमान गिरकर # डिग्री रह गया था",
            "और बुज़ुर्गों के अनुसार ऐसा # बरस बाद हुआ",
            "जिसका दाम उस समय # रुपये से कम था",
            "जिसमें पड़ोस के # लोगों ने हाथ बँटाया",
            "रेडियो पर यह ख़बर # बार सुनाई गई",
            "और गाड़ी भी उस दिन # मिनट देर से आई",
        ),
        (
            "इसलिए किसी को अचरज नहीं हुआ।",
            "और बच्चे आज भी यह बात सुनाते हैं।",
            "फिर सब लोग हँसते हुए घर लौट गए।",
            "बाक़ी काम अगले वसंत के लिए छोड़ दिया गया।",
            "मैंने सारी घटना अपनी कॉपी में लिख ली।",
            "पर उसका पहला मालिक कौन था कोई नहीं जानता।",
            "और सूरज पहाड़ों के पीछे डूब गया।",
            "यह समाचार पूरी घाटी में फैल गया।",
            "वह तस्वीर अब भी दफ़्तर में टँगी है।",
            "आते जाते यात्री उसे देखने रुक जाते हैं।",
        ),
        " ",
        _WORD,
    ),
}
"""The clauses, by the name of the language."""


def _sentence(draw: random.Random, language: Language) -> str:
    clauses = (language.openings, language.middles, language.endings)
    made = language.joint.join(draw.choice(choices) for choices in clauses)
    return re.sub("#", lambda _: str(draw.randint(2, 9999)), made)


def _edited(draw: random.Random, text: str, language: Language, rate: float) -> str:
    """`text` with about `rate` of its words or characters replaced, dropped or swapped."""
    parts = re.findall(language.parts, text)
    for _ in range(max(1, round(rate * len(parts)))):
        at, way = draw.randrange(len(parts) - 1), draw.random()
        if way < 0.5:
            parts[at] = draw.choice(parts)
        elif way < 0.75:
            parts[at], parts[at + 1] = parts[at + 1], parts[at]
        else:
            parts[at] = ""
    return "".join(parts)


_WIDE = str.maketrans("0123456789", "０１２３４５６７８９")
_COPIES: tuple[Callable[[str], str], ...] = (
    lambda text: text,
    lambda text: text.translate(_WIDE),
    lambda text: f"  {text}\n",
)
"""Ways to write a text that have one normal form."""


def documents(language: Language, originals: int, seed: int = 1) -> list[str]:
    """Originals, and for each two near-copies, at edit rates from .1 to 6 %; some exact copies.

    Args:
        language: Whose clauses are recombined.
        originals: How many documents are new.
        seed: Of everything drawn.
    """
    draw = random.Random(seed)
    made = []
    for number in range(originals):
        sentences = [_sentence(draw, language) for _ in range(draw.randint(6, 30))]
        text = language.joint.join(sentences)
        made.append(text)
        rates = [0.001 * 60 ** draw.random() for _ in range(2)]
        made += [_edited(draw, text, language, rate) for rate in rates]
        if number % 5 == 0:
            made.append(draw.choice(_COPIES)(text))
    draw.shuffle(made)
    return made
