"""The proofs notice it when what keeps an invariant is taken away."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.proofs.broken import BUILDS, Build

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("plunk", "dsl", "tests", "migrations", "pyproject.toml")
SEEDS = 300  # what is common among stories is found in the first few
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the code that may be broken."""
    folder = tmp_path_factory.mktemp("build")
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, folder / part)
        else:
            shutil.copy2(source, folder / part)
    return folder


@pytest.fixture(scope="module")
def database(databases: Any) -> Callable[[str], str]:
    """Return a function that names a migrated database of a kind, always the same one."""
    made: dict[str, str] = {}

    def named(kind: str) -> str:
        if kind not in made:
            made[kind] = databases(kind, "plunk_broken")
        return made[kind]

    return named


@pytest.fixture
def broken(copy: Path, build: Build) -> Iterator[Path]:
    """Return the copy with one thing broken; the next test finds it whole again."""
    path = copy / build.file
    whole = path.read_text()
    assert whole.count(build.good) == 1, f"mend the broken build {build.name!r}"
    path.write_text(whole.replace(build.good, build.bad))
    yield copy
    shutil.copy2(ROOT / build.file, path)


def test_every_invariant_has_a_broken_build() -> None:
    assert {build.invariant for build in BUILDS} == {f"I{number}" for number in range(1, 13)}


@pytest.mark.parametrize("build", BUILDS, ids=lambda build: f"{build.invariant} {build.name}")
def test_a_broken_build_is_noticed(
    broken: Path, build: Build, database: Callable[[str], str]
) -> None:
    if build.table:
        answer = run(broken, "pytest", "-q", "-p", "no:cacheprovider", build.table)
        assert answer.returncode == 1, answer.stdout
        assert f"FAILED {build.table}" in answer.stdout
    else:
        answer = run(broken, "tests.proofs.hunt", database(build.where), str(SEEDS))
        assert answer.returncode == 1, answer.stdout + answer.stderr
        seen = [f"{one} is broken" in answer.stdout for one in (build.invariant, *build.also)]
        assert any(seen), answer.stdout


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a module on the copy; compiled files are left as they are."""
    settings = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    settings.pop("PYTEST_ADDOPTS", None)
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        env=settings,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
