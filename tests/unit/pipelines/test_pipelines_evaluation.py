from pathlib import Path

import orjson
import pytest

from pipelines.cli import main

SWAHILI = (
    "Kila mtu ana haki ya kusema na kufikiri kwa uhuru bila kuingiliwa na mtu mwingine yeyote."
)
GERMAN = "Alle Menschen sind frei und gleich an Würde und Rechten geboren, sagt die Erklärung."


def data(folder: Path, *rows: dict[str, str]) -> str:
    path = folder / "data.jsonl"
    path.write_bytes(b"\n".join(map(orjson.dumps, rows)))
    return str(path)


def rows() -> list[dict[str, str]]:
    return [
        {"text": SWAHILI, "lang": "sw", "source": "s"},
        {"text": GERMAN, "lang": "deu_Latn", "source": "s"},
        {"text": "12345 67890", "lang": "zxx", "source": "s"},
    ]


def test_prints_every_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "langid", "--data", data(tmp_path, *rows())]) == 0
    told = capsys.readouterr().out
    for title in ("summary", "languages", "reliability", "confusions", "macro-F1", "coverage"):
        assert title in told
    for label in ("swh_Latn", "deu_Latn", "zxx"):
        assert label in told
    for length in ("whole", "40", "100", "500"):
        assert length in told


def test_a_second_model_stands_beside_the_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = [{**row, "text": row["text"] + f" {n}"} for n in range(30) for row in rows()[:2]]
    path = data(tmp_path, *more)
    model = str(tmp_path / "other.bayes")
    assert main(["train", "langid", "--data", path, "--out", model]) == 0
    assert main(["evaluate", "langid", "--data", path, "--against", model]) == 0
    told = capsys.readouterr().out
    assert "model 1: default" in told
    assert f"model 2: {model}" in told
    assert "precision 2" in told


def test_training_can_leave_out_a_source(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = data(tmp_path, *rows() * 30)
    out = str(tmp_path / "model.bayes")
    train = ["train", "langid", "--data", path, "--out", out, "--leave-out"]
    assert main([*train, "sw=s"]) == 0
    assert main([*train, "sw"]) == 2
    assert "LABEL=SOURCE" in capsys.readouterr().err
    assert main([*train, "??=s"]) == 2


@pytest.mark.parametrize("line", [b"{}", b""])
def test_bad_data_is_an_error(
    tmp_path: Path, line: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_bytes(line)
    assert main(["evaluate", "langid", "--data", str(path)]) == 2
    assert "bad.jsonl" in capsys.readouterr().err


def test_a_model_that_is_none_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = data(tmp_path, *rows())
    assert main(["evaluate", "langid", "--data", path, "--against", path]) == 2
    assert "data.jsonl" in capsys.readouterr().err
