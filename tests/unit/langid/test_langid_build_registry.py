import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[3] / "scripts" / "build_registry.py"

META = """\
bcp_47_code\tiso_639_3_code\tenglish_name\testimated_number_of_speakers\twriting_systems\t\
macrolanguage_bcp_47_code\tiso_639_2b_code\tdeprecated_bcp_47_code
sw\tswa\tSwahili\t171000000\tArab, Latn\t\t\t
swh\tswh\tCoastal Swahili\t\tLatn\tsw\t\t
swc\tswc\tCongo Swahili\t\tLatn\tsw\t\t
mg\tmlg\tMalagasy\t24000000\tLatn\t\t\t
plt\tplt\tPlateau Malagasy\t\tLatn\tmg\t\t
he\theb\tHebrew\t8700000\tHebr, Latn\t\t\tiw
"""
GLOT = """\
ISO639-3\tISO15924-Main\tWiki-aux
swh\tArab, Latn, Brai\t
heb\tHebr\tBrai
xyz\tnot a script, Cyrl\t
"""
JOSHI = """\
iso639_3\tclass\tname\tresolved_by
swh\t2\tswahili\tmanual
mlg\t1\tmalagasy\tname
heb\t3\thebrew\tname
"""


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_registry", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def rows(script: ModuleType, tmp_path: Path) -> dict[str, dict[str, str]]:
    tables = {"linguameta.tsv": META, "GlotScript.tsv": GLOT, "joshi_classes.tsv": JOSHI}
    for name, text in tables.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    script.main(["--tables", str(tmp_path), "--out", str(tmp_path / "out.tsv")])
    header, *lines = (tmp_path / "out.tsv").read_text(encoding="utf-8").splitlines()
    found = [dict(zip(header.split("\t"), line.split("\t"), strict=True)) for line in lines]
    assert [row["code"] for row in found] == sorted(row["code"] for row in found)
    return {row["code"]: row for row in found}


@pytest.mark.parametrize(
    ("code", "joshi", "source", "why"),
    [
        ("swh", "2", "swh", "its own"),
        ("swa", "2", "swh", "a macrolanguage: its principal member's"),
        ("swc", "", "", "a member: its macrolanguage has none of its own to give"),
        ("plt", "1", "mlg", "a member: its macrolanguage's"),
        ("xyz", "", "", "in no relation"),
    ],
)
def test_classes(
    rows: dict[str, dict[str, str]], code: str, joshi: str, source: str, why: str
) -> None:
    assert (rows[code]["joshi"], rows[code]["joshi_from"]) == (joshi, source), why


def test_scripts_begin_with_the_usual_one(rows: dict[str, dict[str, str]]) -> None:
    assert rows["swh"]["scripts"].split() == ["Latn", "Arab", "Brai"]
    assert rows["heb"]["scripts"].split()[0] == "Hebr"
    assert rows["xyz"]["scripts"] == "Cyrl"


def test_aliases_and_relations(rows: dict[str, dict[str, str]]) -> None:
    assert rows["heb"]["aliases"].split() == ["he", "iw"]
    assert rows["swa"]["principal"] == "swh"
    assert rows["swc"]["macrolanguage"] == "swa"
