"""Every recipe is clean, listed, survives decompiling, and deploys with all the others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import dsl
from plunk.simulation.catalogue import catalogue_of
from plunk.simulation.testing.coverage import coverage, percent
from plunk.simulation.testing.report import failure_lines
from plunk.simulation.testing.runner import cases_of, run

ROOT = Path(__file__).parents[2]
COOKBOOK = ROOT / "examples"
FOLDERS = sorted(path for path in COOKBOOK.iterdir() if path.is_dir())
LEAST_COVERED = 80
KINDS = ("templates", "segments", "workflows")

each_folder = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)


def bundle(folder: Path) -> dsl.Bundle:
    return dsl.read_bundle(dsl.load_folder(folder))


def deploy(api: Any) -> dict[str, Any]:
    """Deploy all folders as one project."""
    files = {path: content.decode() for path, content in dsl.load_folder(COOKBOOK).items()}
    answer = api.post("/flows/deploy", {"files": files})
    assert answer.status_code == 200, answer.text
    return dict(answer.json)


def statuses(answer: dict[str, Any]) -> set[str]:
    return {one["status"] for kind in KINDS for one in answer[kind]}


@each_folder
def test_a_recipe_is_written_down(folder: Path) -> None:
    assert f"](../examples/{folder.name})" in (ROOT / "docs" / "cookbook.md").read_text("utf-8")


@each_folder
def test_a_recipe_is_clean_and_formatted(folder: Path) -> None:
    found = dsl.check(bundle(folder), frozenset())
    assert [(one.code, one.message) for one in found] == []
    for path in folder.rglob("*.flow"):
        text = path.read_text("utf-8")
        assert dsl.format(text) == text, path


@each_folder
def test_a_recipe_keeps_its_promises(folder: Path) -> None:
    read = bundle(folder)
    catalogue = catalogue_of(read)
    results = [run(catalogue, case) for case in cases_of(read)]
    failures = [line for one in results if one.failure for line in failure_lines(one, one.failure)]
    assert failures == []
    for one in coverage(catalogue, results):
        assert percent(one.taken, one.all) >= LEAST_COVERED, one


@each_folder
def test_a_recipe_survives_decompiling(folder: Path) -> None:
    compiled = dsl.compile(bundle(folder))
    written = dsl.print_file(dsl.decompile(compiled))
    again = dsl.compile(dsl.read_bundle({"all.flow": written}))
    assert [one.name for one in again.workflows] == [one.name for one in compiled.workflows]
    assert all(map(dsl.same_graph, compiled.workflows, again.workflows))
    assert again.templates == compiled.templates
    assert again.segments == compiled.segments


@each_folder
def test_marketing_can_be_left(folder: Path) -> None:
    for one in dsl.compile(bundle(folder)).templates:
        if one.type == "MARKETING":
            assert "{{ unsubscribeUrl }}" in one.body, one.name


def test_all_recipes_deploy_together(api: Any) -> None:
    deployed = deploy(api)
    assert statuses(deployed) == {"created"}
    assert len(deployed["workflows"]) >= len(FOLDERS)
    assert statuses(deploy(api)) == {"unchanged"}
