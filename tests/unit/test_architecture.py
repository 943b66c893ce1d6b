"""Who imports whom, what is shipped, and that whatever is public is explained."""

from __future__ import annotations

import ast
import importlib
import pathlib
import pkgutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator

import pytest
import setuptools
from running import ROOT

import pipelines
import transforms

PACKAGES = ("pipelines", "transforms")
WITH_BEAM = {"transforms.coders", "transforms.exchange", "transforms.metrics"}
"""Modules outside the rooms that are about Beam; no pure module may need them."""
FOUNDATIONS = {"records", "errors", "settings", "metrics", "storage", "kernels", "utf8", "coders"}
FOUNDATIONS |= {"exchange", "partition", "outcome", "data", "dead"}
FOUNDATIONS |= {"guarded", "conditional", "gcs", "claim", "commits"}


def modules() -> list[str]:
    found = []
    for package in (pipelines, transforms):
        walked = pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
        found += [package.__name__, *(module.name for module in walked)]
    return sorted(found)


def path_of(module: str) -> pathlib.Path:
    path = ROOT.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def imports(module: str) -> Iterator[str]:
    """Every module that a module names in an import, at whatever depth of its code."""
    for step in ast.walk(ast.parse(path_of(module).read_text(encoding="utf-8"))):
        if isinstance(step, ast.Import):
            yield from (alias.name for alias in step.names)
        elif isinstance(step, ast.ImportFrom):
            assert step.level == 0, f"{module} imports relatively"
            yield step.module or ""
            yield from (f"{step.module}.{alias.name}" for alias in step.names)


def pure() -> list[str]:
    ours = [name for name in modules() if name.split(".")[0] == "transforms"]
    return [name for name in ours if not name.endswith(".beam") and name not in WITH_BEAM]


def test_transforms_never_import_pipelines():
    for module in modules():
        if module.startswith("transforms"):
            assert not [name for name in imports(module) if name.split(".")[0] == "pipelines"]


def test_pure_modules_import_no_beam_even_by_way_of_others():
    program = "import sys, importlib\n"
    program += f"for name in {pure()!r}:\n    importlib.import_module(name)\n"
    program += "    assert 'apache_beam' not in sys.modules, name\n"
    command = [sys.executable, "-W", "ignore", "-c", program]
    ended = subprocess.run(  # noqa: S603  # a program of this test's own
        command, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr.splitlines()[-1:]


def test_every_room_wires_its_beam_in_one_module():
    rooms = [p.name for p in (ROOT / "transforms").iterdir() if (p / "__init__.py").exists()]
    for room in set(rooms) - {"data"}:
        assert (ROOT / "transforms" / room / "beam.py").exists(), room


def test_foundations_know_no_room():
    for name in FOUNDATIONS:
        for imported in imports(f"transforms.{name}"):
            top, _, rest = imported.partition(".")
            if top == "transforms" and rest:
                assert rest.split(".")[0] in FOUNDATIONS, (name, imported)


ABOVE = {
    "ingest": set(),
    "langid": set(),
    "synthetic": set(),
    "provenance": set(),
    "rebalance": set(),
    "dedup": set(),
    "staging": {"dedup", "rebalance"},
    "shards": {"dedup", "ingest", "rebalance", "staging"},
}
"""Rooms, and those below them that they may look into."""


@pytest.mark.parametrize("room", ABOVE)
def test_rooms_look_only_downward(room: str):
    for module in modules():
        if module.startswith(f"transforms.{room}."):
            used = {
                name.split(".")[1] for name in imports(module) if name.startswith("transforms.")
            }
            assert used - FOUNDATIONS - {room} <= ABOVE[room], module


def test_the_distribution_is_exactly_two_packages():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    include = project["tool"]["setuptools"]["packages"]["find"]["include"]
    found = setuptools.find_packages(str(ROOT), include=include)
    assert {name.split(".")[0] for name in found} == set(PACKAGES)
    folders = {path.parent for package in PACKAGES for path in (ROOT / package).rglob("*.py")}
    sources = {".".join(folder.relative_to(ROOT).parts) for folder in folders}
    assert sources == set(found), "a folder of code without __init__.py would not be shipped"


def test_what_is_shipped_besides_code():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    data = project["tool"]["setuptools"]["package-data"]
    for package in PACKAGES:
        shipped = {path for pattern in data[package] for path in (ROOT / package).glob(pattern)}
        others = {
            path
            for path in (ROOT / package).rglob("*")
            if path.is_file() and path.suffix != ".py" and "__pycache__" not in path.parts
        }
        assert others <= shipped, "a file that the wheel would lack"
        assert not [path for path in shipped if path.name.startswith(("test_", "conftest"))]


def test_the_command_is_the_main_that_tests_call():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["project"]["scripts"] == {"holdfast": "pipelines.cli:main"}


@pytest.mark.parametrize("name", modules())
def test_what_is_public_is_explained(name: str):
    source = ast.parse(path_of(name).read_text(encoding="utf-8"))
    assert ast.get_docstring(source), f"{name} does not say what it is for"
    public = set(getattr(importlib.import_module(name), "__all__", ()))
    kinds = ast.FunctionDef | ast.ClassDef
    made = {step.name: step for step in source.body if isinstance(step, kinds)}
    silent = [given for given in sorted(public & set(made)) if not ast.get_docstring(made[given])]
    assert silent == []


@pytest.mark.parametrize("name", modules())
def test_what_is_listed_as_public_is_there(name: str):
    module = importlib.import_module(name)
    listed = getattr(module, "__all__", ())
    assert [given for given in listed if not hasattr(module, given)] == []
    assert len(set(listed)) == len(listed)
