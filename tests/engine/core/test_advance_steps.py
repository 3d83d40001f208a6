"""Every step type in every situation, on the pure core."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from plunk.engine.core.effects import CallWebhook, Final, MergeContact, QueueEmail, SetSubscription
from plunk.engine.core.run import AwaitedCall, AwaitedEvent
from plunk.engine.core.signals import CallReturned

Make = Callable[..., Any]
Config = Mapping[str, Any]
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NOON_TEXT = "2026-03-01T12:00:00.000Z"
MAIL = ("SEND_EMAIL", {"templateId": "tpl"})
DAY = ("DELAY", {"amount": 1, "unit": "days"})
END = ("EXIT", {})


def expr(*parts: object) -> Config:
    return {"$expr": list(parts)}


def test_a_trigger_alone_completes(bench: Make) -> None:
    b = bench({})
    b.enter()
    assert (b.run.status, b.run.step_id, b.run.completed_at) == ("COMPLETED", None, NOON)
    assert b.last.output == {"triggered": True, "eventName": "go", "timestamp": NOON_TEXT}
    assert b.run.version == 1


def test_a_manual_trigger_says_so(bench: Make) -> None:
    b = bench({"start": ("TRIGGER", {})})
    b.enter()
    assert b.last.output["eventName"] == "manual"


def test_a_graph_without_trigger_completes_at_once(graph: Make, bench: Make) -> None:
    b = bench({})
    b.graph = graph({})
    b.enter()
    assert (b.run.status, b.rows) == ("COMPLETED", {})


@pytest.mark.parametrize(
    ("config", "subscribed", "address", "is_refused"),
    [
        ({"templateId": "tpl"}, True, "ada@example.org", False),
        ({"templateId": "tpl"}, False, "ada@example.org", True),
        ({"templateId": "bare"}, False, "ada@example.org", True),
        ({"templateId": "receipt"}, False, "ada@example.org", False),
        (
            {"templateId": "tpl", "recipient": {"type": "CUSTOM", "customEmail": "x@y.z"}},
            False,
            "x@y.z",
            False,
        ),
        (
            {
                "templateId": "tpl",
                "recipient": {"type": "CUSTOM", "customEmail": expr("get", "data", "boss")},
            },
            True,
            "bo@ss.org",
            False,
        ),
    ],
)
def test_send_email(
    bench: Make, config: Config, address: str, *, subscribed: bool, is_refused: bool
) -> None:
    b = bench({"mail": ("SEND_EMAIL", config)}, data={"boss": "bo@ss.org"}, subscribed=subscribed)
    b.enter()
    kind = config.get("recipient", {}).get("type", "CONTACT")
    (effect,) = b.effects
    assert isinstance(effect, QueueEmail)
    assert (effect.address, effect.refusal is not None) == (address, is_refused)
    assert b.last.output == {"recipientType": kind, "recipientEmail": address}
    assert b.run.status == "COMPLETED"


def test_email_overrides_mark_computed_subjects(bench: Make) -> None:
    overrides = {"from": "me@x.org", "subject": expr("get", "data", "s"), "junk": 1}
    b = bench(
        {"mail": ("SEND_EMAIL", {"templateId": "tpl", "overrides": overrides})},
        data={"s": "{{ 1 }}"},
    )
    b.enter()
    assert b.effects[0].overrides == {"from": "me@x.org", "subject": Final("{{ 1 }}")}


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ({"templateId": "gone"}, "Template gone not found"),
        ({}, "templateId is required"),
        ({"templateId": "tpl", "recipient": {"type": "CUSTOM"}}, "customEmail must be"),
        ({"templateId": "tpl", "recipient": {"type": "ALL"}}, "CONTACT or CUSTOM"),
        ({"templateId": "tpl", "recipient": "x"}, "recipient must be an object"),
        (
            {
                "templateId": "tpl",
                "recipient": {"type": "CUSTOM", "customEmail": expr("get", "data", "boss")},
            },
            "is not an e-mail address",
        ),
        ({"templateId": "tpl", "overrides": {"subject": 5}}, "subject must be text"),
        ({"templateId": "tpl", "overrides": {"subject": expr("+", 1, 1)}}, "subject must be text"),
    ],
)
def test_an_email_that_cannot_be_sent_fails_its_step_only(
    bench: Make, config: Config, problem: str
) -> None:
    b = bench({"mail": ("SEND_EMAIL", config), "end": END})
    b.enter()
    assert (b.run.status, b.run.step_id, b.run.exit_reason) == ("FAILED", "mail", None)
    assert b.run.completed_at == NOON
    assert problem in b.last.error
    assert [visit.status for visit in b.rows.values()] == ["COMPLETED", "FAILED"]
    assert b.effects == []


def test_a_delay_parks_and_resumes_at_the_next_step(bench: Make) -> None:
    b = bench({"wait": ("DELAY", {"amount": 1, "unit": "minutes"}), "mail": MAIL})
    b.enter()
    assert (b.run.status, b.run.step_id, b.run.awaiting) == ("WAITING", "wait", None)
    assert b.run.due_at == NOON + timedelta(minutes=1)
    assert b.last.status == "COMPLETED"
    assert b.last.output == {
        "delayAmount": 1,
        "delayUnit": "minutes",
        "resumeAt": "2026-03-01T12:01:00.000Z",
    }
    b.wake(minutes=1)
    assert b.path == ["start", "wait", "mail"]
    assert b.run.status == "COMPLETED"


@pytest.mark.parametrize(
    ("amount", "unit", "seconds"),
    [
        (5, "seconds", 5),
        (0.5, "minutes", 30),
        (2, "hours", 7_200),
        (1, "days", 86_400),
        (1, "weeks", 604_800),
        (365, "days", 365 * 86_400),
    ],
)
def test_delay_lengths(bench: Make, amount: float, unit: str, seconds: float) -> None:
    b = bench({"wait": ("DELAY", {"amount": amount, "unit": unit})})
    b.enter()
    assert b.run.due_at == NOON + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"amount": 1},
        {"amount": 0, "unit": "days"},
        {"amount": -1, "unit": "days"},
        {"amount": 366, "unit": "days"},
        {"amount": 1e300, "unit": "weeks"},
        {"amount": float("nan"), "unit": "days"},
        {"amount": True, "unit": "days"},
        {"amount": "1", "unit": "days"},
        {"amount": 1, "unit": "years"},
        {"amount": 1, "unit": ["days"]},
    ],
)
def test_a_broken_delay_fails_when_reached(bench: Make, config: Config) -> None:
    b = bench({"wait": ("DELAY", config)})
    b.enter()
    assert b.run.status == "FAILED"
    assert b.last.error.startswith("invalid configuration: ")


def test_delays_add_up_even_when_the_timer_is_late(bench: Make) -> None:
    b = bench({"one": DAY, "two": DAY, "mail": MAIL})
    b.enter()
    b.wake(days=1, minutes=4)
    assert (b.run.step_id, b.run.due_at) == ("two", NOON + timedelta(days=2))
    b.wake(days=1)
    assert b.path == ["start", "one", "two", "mail"]


def test_after_an_outage_delays_count_from_now(bench: Make) -> None:
    b = bench({"one": DAY, "two": DAY})
    b.enter()
    b.wake(days=3)
    assert b.run.due_at == NOON + timedelta(days=4)


def test_a_delay_as_last_step_completes_when_due(bench: Make) -> None:
    b = bench({"wait": DAY})
    b.enter()
    b.wake(hours=23)
    assert b.run.status == "WAITING"
    b.wake(hours=1)
    assert (b.run.status, b.run.step_id) == ("COMPLETED", None)


def test_the_way_out_of_a_delay_is_chosen_when_it_ends(bench: Make, graph: Make) -> None:
    b = bench({"wait": DAY, "mail": MAIL})
    b.enter()
    b.graph = graph({"wait": DAY, "new": ("UPDATE_CONTACT", {"data": {"a": 1}})})
    b.wake(days=1)
    assert b.path == ["start", "wait", "new"]


def test_an_event_wakes_a_wait_and_joins_the_context(bench: Make) -> None:
    b = bench(
        {"wait": ("WAIT_FOR_EVENT", {"eventName": "paid", "timeout": 60}), "mail": MAIL},
        context={"plan": "pro", "n": 1},
    )
    b.enter()
    deadline = NOON + timedelta(seconds=60)
    assert (b.run.status, b.run.due_at) == ("WAITING", deadline)
    assert b.run.awaiting == AwaitedEvent("paid", None, deadline)
    assert (b.last.status, b.last.execute_after) == ("WAITING", deadline)
    b.event("other")
    assert b.run.status == "WAITING"
    assert b.run.version == 1
    progress = b.event("paid", {"n": 2, "code": {"value": "x", "persistent": False}})
    assert not progress.visits[0].is_new
    assert b.rows[2].output == {
        "eventName": "paid",
        "eventData": {"n": 2, "code": {"value": "x", "persistent": False}},
        "receivedAt": NOON_TEXT,
    }
    assert b.run.context == {"plan": "pro", "n": 2, "code": "x"}
    assert b.effects[0].scope.context == b.run.context
    assert (b.run.status, b.run.version) == ("COMPLETED", 2)


def test_an_event_without_data_leaves_it_out(bench: Make) -> None:
    b = bench({"wait": ("WAIT_FOR_EVENT", {"eventName": "email.opened"})})
    b.enter()
    assert (b.run.due_at, b.run.awaiting.event_name) == (None, "email.open")
    b.event("email.open")
    assert b.last.output == {"eventName": "email.open", "receivedAt": NOON_TEXT}


def test_a_wait_times_out_once(bench: Make) -> None:
    b = bench({"wait": ("WAIT_FOR_EVENT", {"eventName": "paid", "timeout": 60}), "day": DAY})
    b.enter()
    b.wake(seconds=59)
    assert b.run.status == "WAITING"
    b.wake(seconds=1)
    assert b.rows[2].output == {"timedOut": True, "eventName": "paid"}
    assert b.run.step_id == "day"
    before = b.run
    b.event("paid")
    assert b.run is before


WHERE = {
    "logic": "AND",
    "groups": [
        {
            "filters": [
                {
                    "field": "event.order",
                    "operator": "equals",
                    "value": expr("get", "run", "context", "order"),
                }
            ]
        }
    ],
}


@pytest.mark.parametrize(
    ("data", "is_woken"), [({"order": 7}, True), ({"order": 8}, False), ({}, False), (None, False)]
)
def test_a_wait_may_look_into_the_event(
    bench: Make, data: Config | None, *, is_woken: bool
) -> None:
    wait = ("WAIT_FOR_EVENT", {"eventName": "paid", "where": WHERE})
    b = bench({"wait": wait}, context={"order": 7})
    b.enter()
    b.event("paid", data)
    assert b.run.is_over == is_woken


def test_an_event_that_cannot_be_compared_is_not_the_awaited_one(bench: Make) -> None:
    filters = [{"field": expr("call", "lower", ["get", "event", "x"]), "operator": "exists"}]
    where = {"logic": "AND", "groups": [{"filters": filters}]}
    b = bench({"wait": ("WAIT_FOR_EVENT", {"eventName": "paid", "where": where})})
    b.enter()
    b.event("paid", {"x": 5})
    assert b.run.status == "WAITING"
    b.event("paid", {"x": "A"})
    assert b.run.status == "COMPLETED"


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"eventName": ""},
        {"eventName": "x", "timeout": 0},
        {"eventName": "x", "timeout": 31_536_001},
        {"eventName": "x", "timeout": "1"},
        {"eventName": "x", "where": {}},
    ],
)
def test_a_broken_wait_fails_when_reached(bench: Make, config: Config) -> None:
    b = bench({"wait": ("WAIT_FOR_EVENT", config)})
    b.enter()
    assert (b.run.status, b.last.step_id) == ("FAILED", "wait")


@pytest.mark.parametrize(("plan", "branch"), [("pro", "yes"), ("free", "no"), (None, "no")])
def test_a_binary_condition(bench: Make, plan: str | None, branch: str) -> None:
    config = {"field": "contact.data.plan", "operator": "equals", "value": "pro"}
    edges = [
        ("start", "if"),
        ("if", "yes", {"condition": {"branch": "yes"}}),
        ("if", "no", {"condition": {"branch": "no"}}),
    ]
    b = bench({"if": ("CONDITION", config), "yes": END, "no": END}, edges, data={"plan": plan})
    b.enter()
    assert b.path == ["start", "if", branch]
    assert b.rows[2].output == {
        "field": "contact.data.plan",
        "operator": "equals",
        "expectedValue": "pro",
        "actualValue": plan,
        "result": branch == "yes",
        "branch": branch,
    }


def test_an_omitted_value_equals_only_what_is_missing(bench: Make) -> None:
    b = bench({"if": ("CONDITION", {"field": "nothing", "operator": "equals"})})
    b.enter()
    assert b.last.output["result"] is True
    assert (b.last.output["expectedValue"], b.last.output["actualValue"]) == (None, None)


@pytest.mark.parametrize(
    ("n", "taken", "name"), [(5, "few", "Few"), (50, "many", "Many"), (0, "rest", "default")]
)
def test_a_multi_condition(bench: Make, n: int, taken: str, name: str) -> None:
    branches = [
        {"id": "b2", "name": "Many", "operator": "greaterThan", "value": 10},
        {"id": "b1", "name": "Few", "operator": "greaterThan", "value": 1},
    ]
    edges = [
        ("start", "if"),
        ("if", "few", {"condition": {"branch": "b1"}}),
        ("if", "many", {"condition": {"branch": "b2"}}),
        ("if", "rest", {"condition": {"branch": "default"}}),
    ]
    config = {"mode": "multi", "field": "data.n", "branches": branches}
    b = bench(
        {"if": ("CONDITION", config), "few": END, "many": END, "rest": END}, edges, data={"n": n}
    )
    b.enter()
    assert b.path == ["start", "if", taken]
    ids = {"Many": "b2", "Few": "b1", "default": "default"}
    assert b.rows[2].output == {
        "field": "data.n",
        "mode": "multi",
        "matchedBranch": name,
        "actualValue": n,
        "branch": ids[name],
    }


def test_an_expression_condition(bench: Make) -> None:
    tree = {
        "not": {"logic": "AND", "groups": [{"filters": [{"field": "a", "operator": "exists"}]}]}
    }
    b = bench({"if": ("CONDITION", {"mode": "expression", "condition": tree})})
    b.enter()
    assert b.last.output == {"mode": "expression", "result": True, "branch": "yes"}


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"field": "a"},
        {"field": {"field": "a"}, "operator": "exists"},
        {"field": "a", "operator": "like", "value": 1},
        {"field": "a", "operator": "within", "value": 1},
        {"mode": "multi", "field": "a", "branches": []},
        {"mode": "multi", "field": "a", "branches": [{"id": "x", "operator": "exists"}] * 21},
        {"mode": "multi", "field": "a", "branches": [5]},
        {"mode": "multi", "field": "a", "branches": [{"operator": "exists"}]},
        {"mode": "expression"},
    ],
)
def test_a_broken_condition_fails_when_reached(bench: Make, config: Config) -> None:
    b = bench({"if": ("CONDITION", config)})
    b.enter()
    assert (b.run.status, b.last.step_id) == ("FAILED", "if")


def test_a_condition_that_cannot_be_computed_fails_with_the_values(bench: Make) -> None:
    config = {"field": "a", "operator": "equals", "value": expr("+", "x", 1)}
    b = bench({"if": ("CONDITION", config)})
    b.enter()
    assert b.last.error == 'cannot compute "x" + 1'


HOOK = {"url": "https://example.org/h/{{ id }}"}
CALLED = {"url": "https://example.org/h/c-1"}


def test_a_web_hook_parks_running_and_completes_on_its_answer(bench: Make) -> None:
    b = bench(
        {
            "hook": ("WEBHOOK", {**HOOK, "as": "crm"}),
            "if": ("CONDITION", {"field": "crm.body.tier", "operator": "equals", "value": "gold"}),
        },
        context={"orderId": "A-7"},
    )
    b.enter()
    deadline = NOON + timedelta(hours=24)
    assert (b.run.status, b.run.awaiting) == ("RUNNING", AwaitedCall(2, deadline))
    assert (b.run.due_at, b.last.status) == (deadline, "RUNNING")
    (effect,) = b.effects
    assert isinstance(effect, CallWebhook)
    assert (effect.url, effect.method, effect.headers) == (HOOK["url"], "POST", {})
    assert effect.body == Final(
        {
            "contact": {"email": "ada@example.org", "subscribed": True, "data": {}},
            "workflow": {"id": "wf", "name": "Trial"},
            "execution": {"id": "r-1", "startedAt": NOON_TEXT},
            "event": {"orderId": "A-7"},
        }
    )
    b.answer(200, {"tier": "gold"}, **CALLED)
    assert b.rows[2].output == {
        "url": "https://example.org/h/c-1",
        "method": "POST",
        "statusCode": 200,
        "success": True,
        "response": {"tier": "gold"},
    }
    assert b.run.variables == {"crm": {"status": 200, "ok": True, "body": {"tier": "gold"}}}
    assert b.last.output["result"] is True


def test_any_http_status_completes_the_step(bench: Make) -> None:
    b = bench({"hook": ("WEBHOOK", HOOK)})
    b.enter()
    b.answer(500, "oops")
    assert (b.run.status, b.last.status) == ("COMPLETED", "COMPLETED")
    assert (b.last.output["success"], b.last.output["statusCode"]) == (False, 500)


def test_a_network_failure_fails_the_step(bench: Make) -> None:
    b = bench({"hook": ("WEBHOOK", HOOK), "end": END})
    b.enter()
    b.answer(error="private address")
    assert (b.run.status, b.run.step_id) == ("FAILED", "hook")
    assert (b.last.status, b.last.error, b.last.is_new) == ("FAILED", "private address", False)


def test_an_answer_to_another_visit_is_ignored(bench: Make) -> None:
    b = bench({"hook": ("WEBHOOK", HOOK)})
    b.enter()
    before = b.run
    b.send(CallReturned(1, 200))
    b.enter()
    b.event("x")
    assert b.run is before


def test_a_lost_answer_fails_at_the_deadline(bench: Make) -> None:
    b = bench({"hook": ("WEBHOOK", HOOK)})
    b.enter()
    b.wake(hours=23)
    assert b.run.status == "RUNNING"
    b.wake(hours=1)
    assert (b.run.status, b.last.status) == ("FAILED", "FAILED")


def test_computed_parts_of_a_call_are_never_templates(bench: Make) -> None:
    config = {
        **HOOK,
        "method": "PUT",
        "headers": {"X-Name": expr("get", "data", "name"), "X-Text": "{{ name }}"},
        "body": {"name": expr("get", "data", "name"), "text": "{{ name }}"},
        "retry": {"attempts": 3, "on": ["network", 429]},
    }
    b = bench({"hook": ("WEBHOOK", config)}, data={"name": "{{ evil }}"})
    b.enter()
    (effect,) = b.effects
    assert effect.headers == {"X-Name": Final("{{ evil }}"), "X-Text": "{{ name }}"}
    assert effect.body == {"name": Final("{{ evil }}"), "text": "{{ name }}"}
    assert (effect.method, effect.retry.attempts, effect.retry.on) == ("PUT", 3, ("network", 429))


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"url": "/relative"},
        {"url": "ftp://example.org"},
        {"url": "http://["},
        {"url": expr("+", 1, 1)},
        {**HOOK, "method": "TRACE"},
        {**HOOK, "headers": {"X": 1}},
        {**HOOK, "headers": []},
        {**HOOK, "as": ""},
        {**HOOK, "retry": {"attempts": 0}},
        {**HOOK, "retry": {"attempts": "many"}},
        {**HOOK, "retry": {"attempts": 2, "on": [{}]}},
    ],
)
def test_a_broken_web_hook_fails_when_reached(bench: Make, config: Config) -> None:
    b = bench({"hook": ("WEBHOOK", config)})
    b.enter()
    assert (b.run.status, b.effects) == ("FAILED", [])


def test_an_update_merges_deletes_and_is_seen_at_once(bench: Make) -> None:
    updates = {
        "plan": "pro",
        "old": None,
        "email": "evil@example.org",
        "n": expr("+", ["get", "data", "n"], 1),
    }
    b = bench(
        {
            "update": ("UPDATE_CONTACT", {"updates": updates}),
            "if": ("CONDITION", {"field": "plan", "operator": "equals", "value": "pro"}),
        },
        data={"old": 1, "n": 1, "kept": None},
    )
    b.enter()
    patch = {"plan": "pro", "old": None, "n": 2}
    assert b.effects == [MergeContact(patch)]
    assert b.rows[2].output == {
        "updated": True,
        "updates": patch,
        "newData": {"plan": "pro", "n": 2, "kept": None},
        "subscriptionAction": "none",
        "subscribed": True,
    }
    assert b.last.output["result"] is True


@pytest.mark.parametrize(
    ("action", "before", "after"),
    [
        ("subscribe", False, True),
        ("subscribe", True, True),
        ("unsubscribe", True, False),
        ("unsubscribe", False, False),
    ],
)
def test_a_subscription_changes_only_when_it_differs(
    bench: Make, action: str, *, before: bool, after: bool
) -> None:
    steps = {"sub": ("UPDATE_CONTACT", {"subscriptionAction": action}), "mail": MAIL}
    b = bench(steps, subscribed=before)
    b.enter()
    changes = [effect for effect in b.effects if isinstance(effect, SetSubscription)]
    assert changes == ([SetSubscription(after)] if before != after else [])
    assert b.rows[2].output["subscribed"] is after
    assert (b.effects[-1].refusal is None) is after


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"updates": {}},
        {"updates": [1]},
        {"subscriptionAction": "toggle"},
        {"updates": {"a": expr("/", 1, 0)}},
    ],
)
def test_a_broken_update_fails_when_reached(bench: Make, config: Config) -> None:
    b = bench({"update": ("UPDATE_CONTACT", config)})
    b.enter()
    assert (b.run.status, b.effects) == ("FAILED", [])


@pytest.mark.parametrize(("config", "reason"), [({}, "exit_step"), ({"reason": "done"}, "done")])
def test_an_exit_ends_whatever_stands_behind_it(bench: Make, config: Config, reason: str) -> None:
    b = bench({"exit": ("EXIT", config), "mail": MAIL})
    b.enter()
    assert (b.run.status, b.run.exit_reason, b.run.step_id) == ("COMPLETED", reason, None)
    assert b.last.output == {"exited": True, "reason": reason}
    assert b.path == ["start", "exit"]


@pytest.mark.parametrize("config", [{"reason": 5}, []])
def test_a_broken_exit_fails_when_reached(bench: Make, config: Config) -> None:
    b = bench({"exit": ("EXIT", config)})
    b.enter()
    assert b.run.status == ("FAILED" if config else "COMPLETED")


def test_an_unknown_step_type_fails_when_reached(bench: Make) -> None:
    b = bench({"magic": ("MAGIC", {})})
    b.enter()
    assert b.last.error == "invalid configuration: unknown step type MAGIC"
