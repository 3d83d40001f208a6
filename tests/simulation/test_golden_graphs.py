"""Every graph that the golden cases of the language compile to can be carried out."""

from __future__ import annotations

from pathlib import Path

import pytest

import dsl
from plunk.engine.core import steps
from plunk.simulation.catalogue import catalogue_of

CASES = Path(__file__).parents[1] / "dsl" / "cases"
COMPILED = sorted(path.parent for path in CASES.rglob("graph.json"))


@pytest.mark.parametrize("case", COMPILED, ids=lambda case: case.name)
def test_no_step_of_a_golden_graph_is_broken(case: Path) -> None:
    files = {p: t for p, t in dsl.load_folder(case).items() if p != "formatted.flow"}
    catalogue = catalogue_of(dsl.read_bundle(files))
    broken = {
        step.id: step.action.problem
        for flow in catalogue.flows.values()
        for step in flow.graph.steps.values()
        if isinstance(step.action, steps.Broken)
    }
    assert broken == {}
