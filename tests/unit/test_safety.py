"""Nothing that is read is run: what the packages may not call, and who may read outputs."""

from __future__ import annotations

import ast
import os
import pathlib
import stat
from collections.abc import Iterator

import pytest
from running import ROOT

from pipelines import report
from transforms import storage
from transforms.shards.card import _code

SOURCES = sorted(
    path for package in ("pipelines", "transforms") for path in (ROOT / package).rglob("*.py")
)
FORBIDDEN = {
    "eval", "exec", "compile", "__import__", "pickle.load", "pickle.loads", "marshal.load",
    "marshal.loads", "shelve.open", "joblib.load", "torch.load", "dill.load", "dill.loads",
    "cloudpickle.load", "cloudpickle.loads", "yaml.unsafe_load", "yaml.full_load",
    "yaml.load_all", "os.system", "os.popen", "os.chmod", "os.umask", "subprocess.run",
    "subprocess.Popen", "subprocess.call", "subprocess.check_output", "pd.read_pickle",
    "tempfile.mktemp", "zipfile.ZipFile", "shutil.unpack_archive",
}  # fmt: skip


def called(source: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    for step in ast.walk(source):
        if isinstance(step, ast.Call):
            yield ast.unparse(step.func), step


def faults(text: str) -> list[str]:
    """Calls that run, or may run, what they are given."""
    found = []
    for name, call in called(ast.parse(text)):
        keywords = {k.arg: ast.unparse(k.value) for k in call.keywords}
        loader = ast.unparse(call.args[1]) if len(call.args) > 1 else keywords.get("Loader", "")
        if (
            name in FORBIDDEN
            or (name == "yaml.load" and loader != "_Loader")
            or (
                name.endswith(("np.load", "numpy.load")) and keywords.get("allow_pickle") != "False"
            )
            or keywords.get("allow_pickle") == "True"
            or keywords.get("shell") == "True"
        ):
            found.append(ast.unparse(call))
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_that_is_read_is_run(path: pathlib.Path):
    assert faults(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "text",
    [
        "pickle.loads(x)",
        "eval('1')",
        "yaml.load(x)",
        "yaml.load(x, yaml.Loader)",
        "np.load(x)",
        "np.load(x, allow_pickle=True)",
        "subprocess.run(x)",
        "f(x, shell=True)",
    ],
)
def test_the_check_sees_what_it_is_for(text: str):
    assert faults(text) == [text]


def test_modules_that_run_what_they_read_are_not_imported():
    for path in SOURCES:
        names = {
            alias.name
            for step in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(step, ast.Import | ast.ImportFrom)
            for alias in step.names
        }
        # Archives of a format are read in memory; nothing in them is unpacked to a name.
        allowed = {"tarfile"} if path.name == "wds.py" else set[str]()
        runs = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "tarfile"}
        assert not names & runs - allowed, path
        unpacks = ".extract(" in path.read_text(encoding="utf-8")
        assert not (unpacks or ".extractall(" in path.read_text(encoding="utf-8")) or not allowed


@pytest.mark.parametrize("mask", [0o022, 0o077])
def test_files_are_open_to_nobody_that_the_umask_shuts_out(tmp_path: pathlib.Path, mask: int):
    before = os.umask(mask)
    try:
        storage.write_bytes_atomically(str(tmp_path / "a" / "b"), b"x")
        with storage.create(str(tmp_path / "a" / "c")) as sink:
            sink.write(b"x")
    finally:
        os.umask(before)
    for name, most in (("a", 0o777), ("a/b", 0o666), ("a/c", 0o666)):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == most & ~mask


HOSTILE = [
    "[bold]x[/bold]",
    "[link=file:///etc/passwd]x[/link]",
    "a\x1b]0;owned\x07b\x1b[2J",
    "=HYPERLINK(1)",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_tables_show_data_as_it_is(text: str, capsys: pytest.CaptureFixture[str]):
    console = report.console()
    table = report.columns("t", "name")
    table.add_row(text)
    console.print(table)
    console.print(text, soft_wrap=True)
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert shown.count(text.replace("\x1b", "\\x1b").replace("\x07", "\\x07")) == 2


def test_names_in_the_card_stay_in_their_cell():
    shown = _code("a` | <img src=x onerror=alert(1)> |\n| b")
    assert shown == "`a' \\| <img src=x onerror=alert(1)> \\| \\| b`"
