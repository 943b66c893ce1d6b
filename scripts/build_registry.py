"""Builds the language registry, `transforms/data/languages.tsv`, from public tables.

    python scripts/build_registry.py --tables DIRECTORY

`DIRECTORY` holds `linguameta.tsv` (codes, names, relations, speakers, scripts),
`GlotScript.tsv` (scripts) and `joshi_classes.tsv` (resource classes); the card
beside the registry names their sources and licences. The result depends on these
three files and on the tables below alone.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Sequence
from pathlib import Path

__all__ = ["build", "main"]

_DEFAULT_OUT = Path(__file__).parent.parent / "transforms" / "data" / "languages.tsv"

_COLUMNS = (
    "code",
    "name",
    "aliases",
    "macrolanguage",
    "principal",
    "scripts",
    "joshi",
    "joshi_from",
    "speakers",
)

# The member that data sets mean when they name the macrolanguage.
_PRINCIPAL = {
    "ara": "arb",
    "aym": "ayr",
    "aze": "azj",
    "bik": "bcl",
    "din": "dik",
    "doi": "dgo",
    "est": "ekk",
    "fas": "pes",
    "ful": "fuv",
    "grn": "gug",
    "iku": "ike",
    "kau": "knc",
    "kok": "gom",
    "kom": "kpv",
    "kon": "kng",
    "kur": "kmr",
    "lah": "pnb",
    "lav": "lvs",
    "mlg": "plt",
    "mon": "khk",
    "msa": "zsm",
    "nep": "npi",
    "nor": "nob",
    "ori": "ory",
    "orm": "gaz",
    "pus": "pbt",
    "que": "quy",
    "sqi": "als",
    "srd": "src",
    "swa": "swh",
    "uzb": "uzn",
    "yid": "ydd",
    "zha": "zyb",
    "zho": "cmn",
}

# Codes in use that LinguaMeta does not give; `sh` and `mo` are withdrawn.
_ALIASES = {
    "dtp": ("kzj",),
    "ron": ("mo", "mol"),
    "srp": ("scc",),
    "hrv": ("scr",),
    "ava": ("av",),
    "ave": ("ae",),
    "chu": ("cu",),
    "ido": ("io",),
    "ile": ("ie",),
    "ina": ("ia",),
    "lat": ("la",),
    "pli": ("pi",),
    "san": ("sa",),
    "vol": ("vo",),
    "tgl": ("fil",),
}

# The script that data sets mean when they name none, where the tables give
# several and do not put it first.
_SCRIPT = {
    "ara arb arq arz ary apc aeb azb ckb fas pes prs pus pbt pbu pnb skr uig urd": "Arab",
    "abk ady alt bel bul bxr chv kbd kaz kir kjh khk koi kpv": "Cyrl",
    "mkd mhr mon mrj oss rus sah srp tat tgk tyv ukr": "Cyrl",
    "cmn gan hak hsn cjy nan wuu zho": "Hans",
    "yue": "Hant",
    "kor": "Hang",
    "jpn": "Jpan",
    "hin mar san npi nep mai bho awa hne mag gom kok": "Deva",
    "pan": "Guru",
    "kat": "Geor",
    "hye": "Armn",
    "tam": "Taml",
    "bod dzo": "Tibt",
    "aii": "Syrc",
    "ojb oji csw ike": "Cans",
    "heb yid ydd": "Hebr",
    "chr": "Cher",
    "evn nio": "Cyrl",
    "mni ben asm": "Beng",
    "sat": "Olck",
    "div": "Thaa",
    "nqo": "Nkoo",
    "zgh": "Tfng",
    "blt": "Tavt",
    "ccp": "Cakm",
}

# Standards that the class table lists under another code.
_CLASS_OF = {"zlm": "zsm", "fil": "tgl"}

# Never what data sets mean by a language.
_NOT_DEFAULT = ("Brai", "Latg", "Geok", "Cyrs", "Syrn", "Hani", "Kore")


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def _split(cell: str | None) -> list[str]:
    return [part.strip() for part in (cell or "").split(",") if part.strip()]


def _is_script(part: str) -> bool:
    return len(part) == 4 and part.isascii() and part.isalpha() and part.istitle()


def _scripts(code: str, meta: dict[str, str], glot: dict[str, str]) -> list[str]:
    """Scripts of a language, the default one first."""
    main = [part for part in _split(glot.get("ISO15924-Main")) if _is_script(part)]
    known = [part for part in _split(meta.get("writing_systems")) if _is_script(part)]
    chosen = [script for codes, script in _SCRIPT.items() if code in codes.split()]
    # GlotScript lists scripts in no order. Where Latin is among the main ones, it
    # is what the language's text on the web is in, unless chosen otherwise above.
    latin = ["Latn"] if "Latn" in main or not main else []
    found = [*latin, *main, *known] if "Latn" in main + known else [*main, *known]
    usual = [part for part in found if part not in _NOT_DEFAULT]
    return [*dict.fromkeys(chosen + usual + found)]


def _classes(
    rows: list[dict[str, str]], macrolanguage: dict[str, str]
) -> dict[str, tuple[str, str]]:
    """Class and the code that it comes from, by code; unlisted languages are absent."""
    own = {row["iso639_3"]: row["class"] for row in rows}
    found = {code: (joshi, code) for code, joshi in own.items()}
    relations = [*_CLASS_OF.items(), *_PRINCIPAL.items(), *macrolanguage.items()]
    for code, relation in relations:
        if code not in found and relation in own:
            found[code] = (own[relation], relation)
    return found


def build(tables: Path) -> list[dict[str, str]]:
    """Joins the tables into one row per ISO 639-3 code, in the order of the codes.

    A language that the class table lacks takes the class of its macrolanguage,
    and a macrolanguage that of its principal member, if that one is listed.

    Args:
        tables: Folder with the three files.

    Returns:
        Rows with the columns of `transforms.langid.registry.Language`.
    """
    meta = {row["iso_639_3_code"]: row for row in _read(tables / "linguameta.tsv")}
    glot = {row["ISO639-3"]: row for row in _read(tables / "GlotScript.tsv")}
    joshi = _read(tables / "joshi_classes.tsv")
    names = {row["iso639_3"]: row["name"].title() for row in joshi}
    to_three = {row["bcp_47_code"]: code for code, row in meta.items()}
    macrolanguage = {
        code: to_three.get(row["macrolanguage_bcp_47_code"], "")
        for code, row in meta.items()
        if row["macrolanguage_bcp_47_code"]
    }
    classes = _classes(joshi, macrolanguage)
    withdrawn = {alias for aliases in _ALIASES.values() for alias in aliases}
    codes = sorted((meta.keys() | glot.keys() | names.keys()) - withdrawn)
    rows = []
    for code in codes:
        row = meta.get(code, {})
        short = [row.get("bcp_47_code", ""), row.get("iso_639_2b_code", "")]
        aliases = [*short, *_split(row.get("deprecated_bcp_47_code")), *_ALIASES.get(code, ())]
        rows.append(
            {
                "code": code,
                "name": row.get("english_name") or names.get(code, ""),
                "aliases": " ".join(a for a in dict.fromkeys(aliases) if a and a != code),
                "macrolanguage": macrolanguage.get(code, ""),
                "principal": _PRINCIPAL.get(code, ""),
                "scripts": " ".join(_scripts(code, row, glot.get(code, {}))),
                "joshi": classes.get(code, ("", ""))[0],
                "joshi_from": classes.get(code, ("", ""))[1],
                "speakers": row.get("estimated_number_of_speakers", ""),
            }
        )
    return rows


def main(argv: Sequence[str] | None = None) -> None:
    """Writes the registry."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--tables", type=Path, required=True, help="folder of the source tables")
    parser.add_argument("--out", type=Path, default=_DEFAULT_OUT, help="file to write")
    arguments = parser.parse_args(argv)
    with arguments.out.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(
            file, _COLUMNS, delimiter="\t", lineterminator="\n", quoting=csv.QUOTE_NONE
        )
        writer.writeheader()
        writer.writerows(build(arguments.tables))


if __name__ == "__main__":
    main()
