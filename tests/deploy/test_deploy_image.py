"""The image: what it is made of, in which order, and that what it copies is there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib

import pytest
from running import ROOT

FOLDER = ROOT / "deploy" / "dataflow"


def instructions() -> list[tuple[str, str]]:
    """Instruction and what it is told, continued lines joined, comments left out."""
    text = (FOLDER / "Dockerfile").read_text()
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    pairs = [line.partition(" ") for line in joined.splitlines() if line.strip()]
    return [(name, told.strip()) for name, _, told in pairs]


def told(name: str) -> list[str]:
    return [text for kind, text in instructions() if kind == name]


def test_only_known_instructions():
    known = {"ARG", "FROM", "ENV", "WORKDIR", "COPY", "RUN", "USER", "ENTRYPOINT"}
    assert {name for name, _ in instructions()} <= known


def test_what_it_copies_is_there():
    for text in told("COPY"):
        parts = [part for part in text.split() if not part.startswith("--")]
        if "--from" in text:
            assert parts[0].startswith("/opt/google/dataflow/")
            continue
        for source in parts[:-1]:
            assert (ROOT / source).exists(), source


def test_bases_are_pinned_and_of_the_python_and_the_beam_that_are_locked():
    arguments = dict(text.split("=", 1) for text in told("ARG"))
    assert not any(image.endswith(":latest") for image in arguments.values())
    beam = re.search(r"^apache-beam==(\S+)", (ROOT / "deploy/requirements.lock").read_text(), re.M)
    assert beam is not None
    assert arguments["BEAM"] == f"apache/beam_python3.11_sdk:{beam[1]}"
    assert "python311" in arguments["LAUNCHER"]


def test_packages_are_locked_by_their_hashes_and_checked():
    runs = " ; ".join(told("RUN"))
    installs = re.findall(r"pip install ([^&;]+)", runs)
    assert len(installs) == 2
    assert "--require-hashes" in installs[0]
    assert "--no-deps" in installs[1]
    assert "--no-build-isolation" in installs[1], "a build environment would be fetched unlocked"
    assert "pip check" in runs


def test_it_does_not_run_as_root():
    kinds = [name for name, _ in instructions()]
    uid = re.search(r"--uid (\d+)", " ".join(told("RUN")))
    assert uid is not None
    # By number: a cluster that wants no root cannot look a name up.
    assert told("USER") == [uid[1]]
    assert int(uid[1]) >= 10_000
    assert kinds.index("USER") < kinds.index("ENTRYPOINT")


def test_kernels_are_found_on_machines_other_than_the_one_that_built_the_image():
    setting = dict(text.split("=", 1) for text in " ".join(told("ENV")).split() if "=" in text)
    given = {name: value for name, value in setting.items() if name.startswith("NUMBA_CPU")}
    assert set(given) == {"NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES"}
    # What numba calls a kernel of its cache by: nothing of this machine's processor.
    asked = "from numba.core.registry import cpu_target as c; "
    asked += "print(c.target_context.codegen().magic_tuple()[1:])"
    ended = subprocess.run(  # noqa: S603  # a program of this test's own
        [sys.executable, "-c", asked],
        env=os.environ | given,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout.strip() == str((given["NUMBA_CPU_NAME"], ""))


def test_one_image_serves_the_launcher_and_the_workers():
    assert told("ENTRYPOINT") == ['["/opt/apache/beam/boot"]']
    assert "FLEX_TEMPLATE_PYTHON_PY_FILE=/opt/holdfast/launcher.py" in " ".join(told("ENV"))
    copied = [text for text in told("COPY") if text.startswith("deploy/dataflow/launcher.py")]
    assert copied == ["deploy/dataflow/launcher.py ./launcher.py"]
    names = " ".join(told("ENV"))
    # Either would have the launcher fetch and stage what the image holds.
    assert "FLEX_TEMPLATE_PYTHON_REQUIREMENTS_FILE" not in names
    assert "FLEX_TEMPLATE_PYTHON_SETUP_FILE" not in names


@pytest.mark.parametrize("name", ["apache-beam", "pyarrow", "numba", "fasttext", "numpy"])
def test_both_locks_hold_the_same_versions(name: str):
    locks = [ROOT / "requirements.lock", ROOT / "deploy" / "requirements.lock"]
    found = [re.findall(rf"^{name}(?:\[.*\])?==(\S+)", lock.read_text(), re.M) for lock in locks]
    assert found[0] == found[1] != []


def test_the_lock_holds_every_dependency_and_no_tool_of_development():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    locked = set(
        re.findall(r"^([a-z0-9-]+)", (ROOT / "deploy/requirements.lock").read_text(), re.M)
    )
    named = {re.split(r"[\[<>=~! ]", text)[0].lower() for text in project["dependencies"]}
    assert named <= locked
    assert locked.isdisjoint({"pytest", "mypy", "ruff", "hypothesis"})
