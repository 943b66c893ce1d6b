"""Made-up text without linguistic content, for training the class `zxx`.

Code, logs, numbers, markup, encoded bytes, keyboard noise, symbols: what a crawl
holds besides language. All of it is generated, nothing is taken from a corpus.
"""

from __future__ import annotations

import base64
import random
import string
from collections.abc import Callable

__all__ = ["generate"]

_STEMS = """
    get set data value index list map key node item user file path name size count buf ptr tmp
    src dst err ctx req res obj str num id max min len pos row col cfg args opt handler client
    server config session token cache query table field type class event state view model
""".split()  # noqa: SIM905 (words read better than a list of strings)
_KEYWORDS = """
    if else for while return import from def class function var let const public private static
    void int float bool null true false new try catch throw switch case break struct enum
""".split()  # noqa: SIM905 (words read better than a list of strings)
_TAGS = "div span p a td tr table ul li h1 h2 img br script style meta link body head".split()  # noqa: SIM905
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "йцукенгшщзхъ", "фывапролджэ", "ячсмитьбю")
_UNITS = "px em rem kg km cm mm mb gb ms usd eur hz kb".split()  # noqa: SIM905
_SYMBOLS = "!@#$%^&*()_+-=[]{}|;:,.<>/?~`•→★☆✓✔►▪■□●○◆│─┼═║░▒▓©®™§¶°±×÷€£¥😀😂🔥❤👍🎉✨🙏"


def _stem(rng: random.Random) -> str:
    """A word of programmers, or what they make of one."""
    if rng.random() < 0.5:
        return "".join(rng.choices("bcdfghjklmnpqrstvwxyzaeiou", k=rng.randint(1, 5)))
    stem = rng.choice(_STEMS)
    return stem if rng.random() < 0.5 else stem[:3] + str(rng.randint(0, 9))


def _name(rng: random.Random) -> str:
    parts = [_stem(rng) for _ in range(rng.randint(1, 3))]
    style = rng.randrange(3)
    if style == 0:
        return "_".join(parts)
    return parts[0] + "".join(part.title() if style == 1 else part for part in parts[1:])


def _code(rng: random.Random) -> str:
    name, other, third = _name(rng), _name(rng), _name(rng)
    return rng.choice(
        (
            f"{rng.choice(_KEYWORDS)} {name}({other}, {third}) {{ {name}.{other} = {third}; }}",
            f"{name} = {other}[{rng.randint(0, 99)}] + self.{third}\n",
            f"def {name}({other}={rng.randint(0, 9)}):\n    {rng.choice(_KEYWORDS)} {third}\n",
            f"{rng.choice(_KEYWORDS)} ({name} != {other} && !{third}) {rng.choice(_KEYWORDS)};",
            f"#include <{name}.h>\n#define {other.upper()} 0x{rng.randrange(1 << 32):08x}\n",
            f"/usr/{name}/{other}.{rng.choice(_STEMS)[:3]}:{rng.randint(1, 999)}: {third}",
            f'"{name}": {{"{other}": {rng.random():.4f}, "{third}": null}},',
            f"$ {name} --{other}={third} -{rng.choice(string.ascii_letters)} | {other}",
        )
    )


def _markup(rng: random.Random) -> str:
    tag, name = rng.choice(_TAGS), _name(rng)
    return rng.choice(
        (
            f'<{tag} class="{name}" id="{_name(rng)}"></{tag}>',
            f".{name} {{ {rng.choice(_STEMS)}: {rng.randint(0, 99)}px; color: "
            f"#{rng.randrange(1 << 24):06x}; }}",
            f"&{rng.choice(('nbsp', 'amp', 'lt', 'gt', 'quot'))};<{tag}/>",
            f"<{tag} href='/{name}?{_name(rng)}={rng.randint(0, 9999)}'>",
        )
    )


def _numbers(rng: random.Random) -> str:
    return rng.choice(
        (
            f"{rng.uniform(-1e4, 1e4):.{rng.randint(0, 6)}f}",
            f"{rng.randint(1, 31)}.{rng.randint(1, 12)}.{rng.randint(1900, 2030)}",
            f"{rng.randint(0, 23)}:{rng.randint(0, 59):02d}",
            f"{rng.randint(1, 10**9)} {rng.choice(_UNITS)}",
            f"+{rng.randint(1, 99)} ({rng.randint(100, 999)}) {rng.randint(10**6, 10**7)}",
            f"{rng.choice('ABCDEFX')}{rng.randint(1, 9999)}-{rng.randint(0, 99)}",
            rng.choice("|;\t/="),
        )
    )


def _encoded(rng: random.Random) -> str:
    raw = rng.randbytes(rng.randint(12, 60))
    return rng.choice((base64.b64encode(raw).decode(), raw.hex(), raw.hex(" "), repr(raw)[2:-1]))


def _keys(rng: random.Random) -> str:
    row = rng.choice(_ROWS)
    if rng.random() < 0.3:
        return "".join(rng.choices(string.ascii_lowercase, k=rng.randint(3, 14)))
    return "".join(rng.choices(row, k=rng.randint(3, 14)))


def _symbols(rng: random.Random) -> str:
    if rng.random() < 0.5:
        return rng.choice(_SYMBOLS) * rng.randint(1, 12)
    return "".join(rng.choices(_SYMBOLS, k=rng.randint(1, 8)))


_KINDS: tuple[Callable[[random.Random], str], ...] = (
    _code,
    _code,
    _markup,
    _numbers,
    _encoded,
    _keys,
    _symbols,
)


def generate(count: int, rng: random.Random) -> list[str]:
    """Makes `count` texts of 15 to 600 characters, most of them of one kind."""
    texts = []
    for _ in range(count):
        kinds = [rng.choice(_KINDS)] if rng.random() < 0.7 else rng.choices(_KINDS, k=2)
        target = int(15 * 40 ** rng.random())
        text = ""
        while len(text) < target:
            text += rng.choice(kinds)(rng) + rng.choice((" ", " ", "\n"))
        texts.append(text[: max(15, target)])
    return texts
