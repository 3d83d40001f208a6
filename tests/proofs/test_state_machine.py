"""Random workflows, events, edits and clock jumps: the engine does what the reference does.

MODEL_EXAMPLES sets how many workflows are tried on each database.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Engine

from plunk.db import open_engine
from tests.proofs.model import Model
from tests.proofs.product import Product
from tests.proofs.shapes import Flow, edited, first, second

EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", "4"))
STEPS = 15
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
Tracked = tuple[str, str, int]
tracked = st.tuples(
    st.sampled_from(["go", "again", "go", "go", "paid", "paid", "paid", "again", "halt"]),
    st.sampled_from(["ada@example.org", "bob@example.org"]),
    st.integers(1, 2),
)
changes = st.sampled_from(["vip", "not vip", "vip", "leave", "return", "cancel"])
SETTLED = timedelta(minutes=2)  # by then everybody has been brought over to a revision


@pytest.fixture(scope="session")
def database(backend: str, databases: Any) -> Iterator[Engine]:
    """Return a database of our own."""
    engine = open_engine(databases(backend, "plunk_model"))
    yield engine
    engine.dispose()


class Both(RuleBasedStateMachine):
    """Does everything twice: in the reference and in the product."""

    database: Engine

    def __init__(self) -> None:
        super().__init__()
        self.sides: tuple[Model | Product, ...] = ()
        self.edits = 0

    @initialize(one=first, two=second, beginning=st.lists(tracked, min_size=2, max_size=4))
    def begin(self, one: Flow, two: Flow, beginning: list[Tracked]) -> None:
        flows = [one, two]
        self.model = Model(flows, NOON)
        self.sides = (self.model, Product(self.database, flows, NOON))
        for happened in beginning:
            self.track(happened)

    @rule(happened=tracked)
    def track(self, happened: Tracked) -> None:
        for side in self.sides:
            side.track(*happened)

    @rule(minutes=st.sampled_from([1, 5, 12, 45, 90]))
    def sleep(self, minutes: int) -> None:
        for side in self.sides:
            side.sleep(timedelta(minutes=minutes))

    @rule(at=st.integers(0, 9), what=changes)
    def change(self, at: int, what: str) -> None:
        email = sorted(self.model.people)[at % len(self.model.people)]
        count = len(self.model.active)
        for side in self.sides:
            match what:
                case "leave" | "return":
                    side.subscribe(email, wanted=what == "return")
                case "cancel" if count:
                    side.cancel(at % count)
                case "vip" | "not vip":
                    side.favour(email, vip=what == "vip")

    @rule(
        event=st.sampled_from(["go", "again"]),
        at=st.integers(0, 4),
        how=st.sampled_from(["append", "remove", "length", "length"]),
        pin=st.sampled_from([False, False, True]),
    )
    def deploy(self, event: str, at: int, how: str, *, pin: bool) -> None:
        self.edits += 1
        flow = edited(self.model.flows[event], at, how, self.edits)
        for side in self.sides:
            side.sleep(SETTLED)
            side.deploy(flow, pin=pin)

    @invariant()
    def both_say_the_same(self) -> None:
        if self.sides:
            expected, actual = (side.trace() for side in self.sides)
            for part, value in expected.items():
                assert actual[part] == value, part


def test_the_engine_does_what_the_reference_does(database: Engine) -> None:
    machine = type("Machine", (Both,), {"database": database})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.explicit, Phase.reuse, Phase.generate),  # shrinking takes too long
        ),
    )
