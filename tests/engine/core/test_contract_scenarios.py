"""The contract's conformance scenarios, as far as the pure core decides them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from plunk.engine.core.advance import advance
from plunk.engine.core.signals import CallReturned, Entered, EventArrived, TimerFired

Make = Callable[..., Any]
MAIL = ("SEND_EMAIL", {"templateId": "tpl"})
DAY = ("DELAY", {"amount": 1, "unit": "days"})
WAIT = ("WAIT_FOR_EVENT", {"eventName": "paid", "timeout": 60})
HOOK = ("WEBHOOK", {"url": "https://example.org"})
CHECK = ("CONDITION", {"field": "x", "operator": "exists"})


def test_1_a_trigger_only(bench: Make) -> None:
    b = bench({})
    b.enter()
    assert (b.run.status, len(b.rows), b.run.step_id) == ("COMPLETED", 1, None)


@pytest.mark.parametrize(("template", "is_refused"), [("tpl", True), ("receipt", False)])
def test_2_mail_to_an_unsubscribed_contact(bench: Make, template: str, *, is_refused: bool) -> None:
    mail = ("SEND_EMAIL", {"templateId": template})
    b = bench({"mail": mail, "end": ("EXIT", {})}, subscribed=False)
    b.enter()
    assert [visit.status for visit in b.rows.values()] == ["COMPLETED"] * 3
    assert (b.effects[0].refusal is not None) is is_refused


def test_3_a_delay(bench: Make) -> None:
    b = bench({"day": DAY, "mail": MAIL})
    b.enter()
    assert (b.run.status, b.last.status) == ("WAITING", "COMPLETED")
    b.wake(days=1)
    assert b.path == ["start", "day", "mail"]


@pytest.mark.parametrize(
    ("steps", "days"),
    [({"one": DAY, "two": DAY}, 2), ({"one": DAY}, 1), ({"one": DAY, "two": WAIT}, 2)],
)
def test_4_delays_in_a_row_at_the_end_and_before_a_wait(
    bench: Make, steps: dict[str, object], days: int
) -> None:
    b = bench(steps)
    b.enter()
    for _ in range(days - 1):
        b.wake(days=1)
        assert (b.run.status, b.run.step_id) == ("WAITING", "two")
    b.wake(days=1)
    assert (b.run.status, b.path) == ("COMPLETED", ["start", *steps])


def test_5_event_and_time_out_at_once(bench: Make) -> None:
    b = bench({"wait": WAIT, "mail": MAIL})
    b.enter()
    b.now += timedelta(seconds=60)
    parked = b.run
    won, lost = b.event("paid"), b.send(TimerFired())
    assert [visit.number for visit in won.visits] == [2, 3]
    assert lost.visits == ()
    assert won.run.version == parked.version + 1
    assert len(b.effects) == 1


def test_7_a_branch_without_a_way_out(bench: Make) -> None:
    b = bench({"if": CHECK, "mail": MAIL}, [("start", "if"), ("if", "mail", {"condition": {}})])
    b.enter()
    assert (b.run.status, b.path) == ("COMPLETED", ["start", "if"])


def test_8_an_exit(bench: Make) -> None:
    b = bench({"exit": ("EXIT", {"reason": "bought"}), "mail": MAIL})
    b.enter()
    assert (b.run.exit_reason, b.path) == ("bought", ["start", "exit"])


def test_9_a_web_hook_that_answers_500_and_one_that_is_refused(bench: Make) -> None:
    statuses = {}
    for name, signal in {
        "500": CallReturned(2, 500, "no"),
        "private": CallReturned(2, error="10.0.0.1 is a private address"),
    }.items():
        b = bench({"hook": HOOK})
        b.enter()
        b.send(signal)
        statuses[name] = b.last.status, b.run.status
    assert statuses == {"500": ("COMPLETED", "COMPLETED"), "private": ("FAILED", "FAILED")}


def test_10_cancelled_while_waiting(bench: Make) -> None:
    b = bench({"wait": WAIT, "mail": MAIL})
    b.enter()
    b.run = b.run.cancel("by hand", b.now)
    b.event("paid")
    b.wake(days=1)
    assert (b.run.status, b.path) == ("CANCELLED", ["start", "wait"])


def test_12_a_project_disabled_mid_flight(bench: Make) -> None:
    b = bench({"day": DAY, "mail": MAIL})
    b.enter()
    b.facts = replace(b.facts, project_disabled=True)
    b.wake(days=1)
    assert (b.run.status, b.run.exit_reason, b.effects) == ("CANCELLED", "Project disabled", [])


@pytest.mark.parametrize(
    ("steps", "signal"),
    [
        ({"mail": MAIL}, Entered()),
        ({"wait": WAIT, "mail": MAIL}, EventArrived("ev", "paid", {"n": 1}, None)),
        ({"hook": HOOK, "mail": MAIL}, CallReturned(2, 200)),
    ],
)
def test_13_a_repeat_after_a_crash_gives_the_same_rows(
    bench: Make,
    steps: dict[str, object],
    signal: Any,
) -> None:
    b = bench(steps)
    if not isinstance(signal, Entered):
        b.enter()
    if isinstance(signal, EventArrived):
        signal = replace(signal, at=b.now)
    first = advance(b.graph, b.run, signal, b.facts, b.now)
    assert advance(b.graph, b.run, signal, b.facts, b.now) == first
    assert first.visits
