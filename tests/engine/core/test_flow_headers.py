"""Stops, goals and quiet hours: what holds wherever a run stands, on the pure core."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from plunk.engine.core.effects import QueueEmail
from plunk.engine.core.headers import Headers
from plunk.errors import PlunkError

Make = Callable[..., Any]
DAY = ("DELAY", {"amount": 1, "unit": "days"})
WAIT = ("WAIT_FOR_EVENT", {"eventName": "paid"})
MAIL = ("SEND_EMAIL", {"templateId": "tpl"})
END = ("EXIT", {"reason": "end"})


def when(field: str, value: object) -> dict[str, object]:
    test = {"field": field, "operator": "equals", "value": value}
    return {"logic": "AND", "groups": [{"filters": [test]}]}


GONE = {"stops": [{"eventName": "gone"}]}
LOST = {"stops": [{"condition": when("data.lost", True)}]}
LARGE = {"eventName": "bought", "where": when("event.amount", 5)}


@pytest.mark.parametrize("step", [DAY, WAIT, ("WEBHOOK", {"url": "https://example.org"})])
def test_an_event_stops_a_run_wherever_it_stands(bench: Make, step: Any) -> None:
    b = bench({"it": step, "mail": MAIL}, headers=GONE)
    b.enter()
    b.event("other")
    assert not b.run.is_over
    b.event("gone")
    assert (b.run.status, b.run.exit_reason, b.run.step_id) == ("COMPLETED", "stopped", None)
    assert b.rows[2].status == ("COMPLETED" if step is DAY else "SKIPPED")
    assert not [effect for effect in b.effects if isinstance(effect, QueueEmail)]


def test_a_stop_looks_at_what_the_event_says(bench: Make) -> None:
    b = bench({"it": WAIT}, headers={"stops": [LARGE]}, context={"amount": 5})
    b.enter()
    b.event("bought", {"amount": 4})
    b.event("bought")
    assert b.run.status == "WAITING"
    b.event("bought", {"amount": 5})
    assert b.run.exit_reason == "stopped"


def test_a_stop_wins_against_what_is_waited_for(bench: Make) -> None:
    b = bench({"it": WAIT, "end": END}, headers={"stops": [{"eventName": "paid"}]})
    b.enter()
    b.event("paid")
    assert b.run.exit_reason == "stopped"


def test_a_condition_stops_before_every_step(bench: Make) -> None:
    update = ("UPDATE_CONTACT", {"updates": {"lost": True}})
    b = bench({"it": update, "mail": MAIL, "end": END}, headers=LOST)
    b.enter()
    assert (b.run.exit_reason, b.path, b.run.visit) == ("stopped", ["start", "it"], 2)
    b = bench({"mail": MAIL}, headers=LOST, data={"lost": True})
    b.enter()
    assert (b.run.exit_reason, b.path) == ("stopped", [])


@pytest.mark.parametrize("how", ["event", "look", "timer"])
def test_a_condition_stops_a_parked_run(bench: Make, how: str) -> None:
    b = bench({"it": WAIT, "end": END}, headers=LOST)
    b.enter()
    b.know(lost=True)
    {"event": lambda: b.event("any"), "look": b.look, "timer": b.wake}[how]()
    assert (b.run.exit_reason, b.rows[2].status) == ("stopped", "SKIPPED")


def test_a_look_that_finds_nothing_changes_nothing(bench: Make) -> None:
    b = bench({"it": DAY}, headers=LOST)
    b.enter()
    before = b.run
    b.look(hours=1)
    assert b.run is before


def test_an_event_of_the_run_itself_can_stop_it(bench: Make) -> None:
    b = bench({"it": ("TRACK", {"eventName": "gone"}), "mail": MAIL}, headers=GONE)
    b.enter()
    assert (b.run.exit_reason, b.path) == ("stopped", ["start", "it"])
    away = ("UPDATE_CONTACT", {"subscriptionAction": "unsubscribe"})
    b = bench({"it": away}, headers={"stops": [{"eventName": "contact.unsubscribed"}]})
    b.enter()
    assert b.run.exit_reason == "stopped"


def test_a_goal_counts_once_and_the_run_goes_on(bench: Make) -> None:
    b = bench({"it": WAIT, "end": END}, headers={"goals": [{"name": "bought", **LARGE}]})
    b.enter()
    version = b.run.version
    b.event("bought", {"amount": 1})
    assert b.run.version == version
    b.event("bought", {"amount": 5})
    assert (b.goals, b.run.version, b.run.status) == (["bought"], version + 1, "WAITING")
    b.event("bought", {"amount": 5})
    assert b.goals == ["bought"]
    b.event("paid")
    assert (b.run.exit_reason, b.goals) == ("end", ["bought"])


def test_a_goal_can_end_the_run(bench: Make) -> None:
    goals = [
        {"name": "other", "eventName": "x"},
        {"name": "won", "eventName": "paid", "exit": True},
    ]
    b = bench({"it": WAIT, "end": END}, headers={"goals": goals})
    b.enter()
    b.event("paid")
    assert (b.run.exit_reason, b.goals, b.rows[2].status) == ("goal: won", ["won"], "SKIPPED")


def test_a_goal_counts_even_when_it_also_stops_the_run(bench: Make) -> None:
    goal = {"name": "won", "eventName": "gone", "exit": True}
    b = bench({"it": DAY}, headers={**GONE, "goals": [goal]})
    b.enter()
    b.event("gone")
    assert (b.run.exit_reason, b.goals) == ("stopped", ["won"])


def test_goals_by_condition_and_by_what_the_run_itself_does(bench: Make) -> None:
    goals = [
        {"name": "tagged", "condition": when("data.tag", "x")},
        {"name": "told", "eventName": "said"},
        {"name": "hooked", "condition": when("crm.status", 200)},
    ]
    steps = {
        "update": ("UPDATE_CONTACT", {"updates": {"tag": "x"}}),
        "track": ("TRACK", {"eventName": "said"}),
        "hook": ("WEBHOOK", {"url": "https://example.org", "as": "crm"}),
    }
    b = bench(steps, headers={"goals": goals})
    b.enter()
    assert b.goals == ["tagged", "told"]
    b.answer(200)
    assert (b.run.status, b.goals) == ("COMPLETED", ["tagged", "told", "hooked"])


def test_what_cannot_be_computed_stops_nobody(bench: Make) -> None:
    tree = when("data.n", {"$expr": ["/", 1, 0]})
    b = bench({"it": WAIT}, headers={"stops": [{"condition": tree}]})
    b.enter()
    assert b.run.status == "WAITING"


QUIET = {
    "quietHours": {"from": "21:00", "to": "08:00"},
    "timezone": {"field": {"$expr": ["get", "contact", "data", "tz"]}, "default": "UTC"},
}


@pytest.mark.parametrize(
    ("template", "zone", "until"),
    [
        ("tpl", None, "2026-03-02T08:00"),
        ("bare", None, "2026-03-02T08:00"),
        ("receipt", None, None),
        ("tpl", "Asia/Tokyo", None),  # it is eight in the morning there
        ("tpl", "Europe/Brussels", "2026-03-02T07:00"),
    ],
)
def test_marketing_mail_waits_for_the_morning(
    bench: Make, template: str, zone: str | None, until: str | None
) -> None:
    night = datetime(2026, 3, 1, 23, tzinfo=UTC)
    steps = {"mail": ("SEND_EMAIL", {"templateId": template}), "end": END}
    b = bench(steps, headers=QUIET, data={"tz": zone}, now=night)
    b.enter()
    if until is None:
        assert (b.run.exit_reason, len(b.effects)) == ("end", 1)
        return
    assert (b.run.status, b.run.step_id, b.run.visit) == ("WAITING", "mail", 1)
    assert b.run.due_at == datetime.fromisoformat(until).replace(tzinfo=UTC)
    assert (b.path, b.effects) == (["start"], [])
    b.look(hours=1)
    assert b.run.status == "WAITING"
    b.now = b.run.due_at
    b.wake()
    assert (b.run.exit_reason, len(b.effects), b.path) == ("end", 1, ["start", "mail", "end"])


def test_a_zone_that_changes_meanwhile_may_prolong_the_night(bench: Make) -> None:
    night = datetime(2026, 3, 1, 23, tzinfo=UTC)
    b = bench({"mail": MAIL}, headers=QUIET, now=night)
    b.enter()
    b.know(tz="America/New_York")
    b.now = b.run.due_at
    b.wake()
    assert b.run.due_at == datetime(2026, 3, 2, 13, tzinfo=UTC)


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        ([], "headers must be an object"),
        ({"stops": {}}, "stops must be an array"),
        ({"stops": [{}]}, "stops[0] needs an eventName or a condition"),
        ({"stops": ["x"]}, "stops[0] must be an object"),
        ({"stops": [{"eventName": "x"}] * 21}, "at most 20"),
        ({"stops": [{"condition": {}}]}, "needs logic"),
        ({"stops": [{"eventName": "x" * 256}]}, "at most 255"),
        ({"goals": [{"eventName": "x"}]}, "goals[0].name is required"),
        ({"goals": [{"name": "g" * 101, "eventName": "x"}]}, "at most 100"),
        ({"goals": [{"name": "g", "eventName": "x", "exit": 1}]}, "exit must be true or false"),
        ({"goals": [{"name": "g", "eventName": "x"}] * 2}, "different names"),
        ({"timezone": "UTC"}, "timezone must be an object"),
        ({"timezone": {"default": "Mars"}}, "timezone.default"),
        ({"timezone": {"field": "tz"}}, "timezone.field"),
        ({"quietHours": {"from": "21:00"}}, "quietHours.to"),
        ({"quietHours": {"from": "21:00", "to": "21:00"}}, "must not begin when"),
    ],
)
def test_headers_that_cannot_be_read(raw: object, problem: str) -> None:
    with pytest.raises(PlunkError) as caught:
        Headers.from_json(raw)
    assert problem in caught.value.message


def test_headers_survive_a_snapshot(graph: Make) -> None:
    headers = {**QUIET, **GONE, "goals": [{"name": "g", **LARGE}]}
    first = graph({"start": ("TRIGGER", {})}, headers=headers)
    assert first.to_json()["headers"] == headers
    assert "headers" not in graph({"start": ("TRIGGER", {})}).to_json()
