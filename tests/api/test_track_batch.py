"""POST /v1/track/batch: many events at once, each as if it had been tracked alone."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from plunk.client import Client
from plunk.db import Base, transaction
from plunk.models import Contact, Event, Execution
from tests import factories
from tests.conftest import NOON, Api, new_project

ADA, BOB = "ada@example.com", "bob@example.com"
CROWD = 8
EXAMPLES = int(os.environ.get("BATCH_EXAMPLES", "8"))
Json = dict[str, Any]


def batch(api: Api, *events: object, **headers: str) -> list[Json]:
    """Track a batch and return what it answered."""
    answer = api.post("/v1/track/batch", {"events": list(events)}, **headers)
    assert answer.status_code == 200, answer.text
    data = answer.json["data"]
    assert data["accepted"] == sum("event" in one for one in data["results"])
    assert data["rejected"] == len(events) - data["accepted"]
    return data["results"]


def seen(email: str = ADA, name: str = "seen", **fields: object) -> Json:
    return {"event": name, "email": email, **fields}


def stored(sessions, project=None):
    """Return the events in their order, as (address, name, data)."""
    with transaction(sessions) as session:
        rows = session.execute(
            select(Contact.email, Event.name, Event.data)
            .join(Contact, Contact.id == Event.contact_id)
            .where(Event.project_id == project.id if project else Event.id.is_not(None))
            .order_by(Event.id)
        )
        return [tuple(row) for row in rows]


def count(sessions, table):
    with transaction(sessions) as session:
        return session.scalar(select(func.count()).select_from(table))


def test_events_are_stored_in_their_order(api, sessions):
    first, second, third = batch(
        api,
        seen(" Ada@Example.com", data={"plan": "free", "once": {"value": 1, "persistent": False}}),
        seen(BOB, subscribed=False),
        seen(ADA, "bought", data={"plan": "pro"}),
    )
    assert first["contact"] == third["contact"] != second["contact"]
    assert first["event"] < second["event"] < third["event"]
    contact = api.get(f"/contacts/{first['contact']}").json
    assert (contact["email"], contact["data"]) == (ADA, {"plan": "pro"})
    assert api.get(f"/contacts/{second['contact']}").json["subscribed"] is False
    once = {"plan": "free", "once": {"value": 1, "persistent": False}}
    assert stored(sessions) == [
        (ADA, "seen", once),
        (BOB, "seen", None),
        (ADA, "bought", {"plan": "pro"}),
    ]


def test_what_is_wrong_is_told_in_its_place_and_the_rest_counts(api, sessions):
    wrong = [
        seen("nobody"),
        {"email": ADA},
        seen(name="email.open"),
        seen(data={"locale": 5}),
        seen(subscribed="yes"),
        "text",
        None,
        [],
    ]
    results = batch(api, seen(), *wrong, seen(BOB))
    assert [one["event"] for one in (results[0], results[-1])]
    for item, result in zip(wrong, results[1:-1], strict=True):
        alone = api.post("/v1/track", item)
        error = result["error"]
        assert error["statusCode"] in {400, 422}
        assert "requestId" not in error
        if isinstance(item, dict):
            expected = {k: v for k, v in alone.json["error"].items() if k != "requestId"}
            assert (error, error["statusCode"]) == (expected, alone.status_code)
    assert results[6]["error"]["errors"] == [
        {
            "field": "",
            "message": "Expected object, received string",
            "code": "invalid_type",
            "received": "string",
        }
    ]
    assert stored(sessions) == [(ADA, "seen", None), (BOB, "seen", None)]
    assert api.get("/contacts").json["total"] == 2


def test_a_batch_of_nothing_but_mistakes_does_nothing(api, sessions):
    (only,) = batch(api, seen("nobody"))
    assert only["error"]["code"] == "VALIDATION_ERROR"
    assert count(sessions, Contact) == 0


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "invalid_type"),
        ({"events": {}}, "invalid_type"),
        ({"events": None}, "invalid_type"),
        ({"events": []}, "too_small"),
        ({"events": [seen()] * 1_001}, "too_big"),
        ([seen()], "invalid_type"),
    ],
)
def test_a_body_that_is_no_such_list_is_refused(api, sessions, body, code):
    answer = api.post("/v1/track/batch", body)
    assert answer.status_code == 422
    (item,) = answer.json["error"]["errors"]
    assert (item["field"], item["code"]) == ("events" if isinstance(body, dict) else "", code)
    assert count(sessions, Contact) == 0


def test_a_thousand_events_are_taken_and_large_ones_too(api, sessions):
    text = "x" * 2_000
    events = [seen(f"c{number % 700}@example.com", data={"n": text}) for number in range(1_000)]
    results = batch(api, *events)
    assert len({one["contact"] for one in results}) == 700
    assert [one["event"] for one in results] == sorted(one["event"] for one in results)
    assert (count(sessions, Contact), count(sessions, Event)) == (700, 1_000)
    too_large = api.post("/v1/track/batch", {"events": [seen(data={"n": "x" * 6_000_000})]})
    assert too_large.status_code == 413


def test_a_spent_key_does_nothing(api, sessions):
    batch(api, seen(), Idempotency_Key="k")
    again = api.post("/v1/track/batch", {"events": [seen()]}, Idempotency_Key="k")
    assert (again.status_code, again.json["error"]["code"]) == (409, "IDEMPOTENCY_KEY_REUSED")
    assert again.json["error"]["details"]["originalRequest"] == "POST /v1/track/batch"
    assert count(sessions, Event) == 1
    assert api.post("/v1/track/batch", {}, Idempotency_Key="new").status_code == 422
    batch(api, seen(), Idempotency_Key="new")


def test_the_public_key_never_resubscribes(api, public_api):
    api.post("/contacts", {"email": ADA, "subscribed": False})
    known, new = batch(public_api, seen(subscribed=True), seen(BOB, subscribed=True))
    assert api.get(f"/contacts/{known['contact']}").json["subscribed"] is False
    assert api.get(f"/contacts/{new['contact']}").json["subscribed"] is True


def test_projects_do_not_meet(api, stranger_api):
    (ours,), (theirs,) = batch(api, seen()), batch(stranger_api, seen())
    assert ours["contact"] != theirs["contact"]


def test_the_client_tracks_batches(url, api, sessions):
    with Client(url, api.key) as client:
        results = client.track_batch([seen(), seen("nobody")], idempotency_key="k")
    assert [list(one) for one in results] == [["contact", "event"], ["error"]]
    assert count(sessions, Event) == 1


# As if one after another


def build(api):
    """Make workflows that start, wait, stop, count and ask, in all the ways there are."""
    go = {"event": "go", "name": "Once"}
    factories.workflow(api, ("WAIT_FOR_EVENT", {"eventName": "pay", "timeout": 3600}), **go)
    factories.workflow(api, event="go", name="Again", allowReentry=True)
    factories.workflow(api, event="contact.unsubscribed", name="Left", allowReentry=True)
    factories.workflow(
        api,
        ("DELAY", {"amount": 1, "unit": "days"}),
        event="pay",
        name="Pro",
        allowReentry=True,
        triggerCondition="contact.data.plan == 'pro'",
    )
    flow = """workflow "Watched" {
  on event "go"
  reentry always
  stop when contact.data.plan == "free"
  goal "paid" when event "pay"
  wait until contact.data.n >= 2 up to 1 day
  update contact { done: true }
}
"""
    answer = api.post("/flows/deploy", {"files": {"watched.flow": flow}})
    assert answer.status_code == 200, answer.text


def story(api, sessions, project):
    """Return all that has become of a project, without ids and times."""
    flows = api.get("/workflows?pageSize=100").json["data"]
    return {
        "contacts": sorted(
            (one["email"], one["subscribed"], str(sorted((one["data"] or {}).items())))
            for one in api.get("/contacts?limit=100").json["data"]
        ),
        "events": sorted(map(str, stored(sessions, project)), key=lambda one: one.split(",")[0]),
        "runs": sorted(
            (
                flow["name"],
                run["contact"]["email"],
                str(run["context"]),
                run["status"],
                str(run["exitReason"]),
                str(factories.visited(run)),
            )
            for flow in flows
            for run in factories.runs(api, flow)
        ),
    }


EVENTS = st.fixed_dictionaries(
    {
        "event": st.sampled_from(["go", "pay", "other", "email.open", ""]),
        "email": st.sampled_from([ADA, "Ada@example.com ", BOB, "c@example.com", "nobody"]),
    },
    optional={
        "subscribed": st.sampled_from([True, False, None, "x"]),
        "data": st.none()
        | st.dictionaries(
            st.sampled_from(["plan", "n", "locale"]),
            st.sampled_from(
                ["pro", "free", "", None, 1, 2, True, {"value": 3, "persistent": False}]
            ),
        ),
    },
)


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
    derandomize=True,
)
@given(parts=st.lists(st.lists(EVENTS, min_size=1, max_size=12), min_size=1, max_size=3))
def test_a_batch_does_what_its_events_do_alone(empty, machine, sessions, parts):
    with empty.engine.begin() as connection:
        for table in reversed(Base.metadata.sorted_tables):
            connection.execute(table.delete())
    machine.clock.move_to(NOON)
    ours, theirs = (new_project(sessions, name) for name in ("Batch", "Single"))
    client = empty.app.test_client()
    batched, single = Api(client, ours.secret), Api(client, theirs.secret)
    build(batched), build(single)
    for events in parts:
        results = batch(batched, *events)
        for event, result in zip(events, results, strict=True):
            alone = single.post("/v1/track", event)
            assert ("event" in result) is (alone.status_code == 200)
        assert story(batched, sessions, ours) == story(single, sessions, theirs)
        machine.sleep(minutes=20)
        assert story(batched, sessions, ours) == story(single, sessions, theirs)


def test_events_of_one_contact_start_and_wake_in_their_order(api, machine):
    flow = factories.workflow(
        api, ("WAIT_FOR_EVENT", {"eventName": "pay", "timeout": 3600}), allowReentry=True
    )
    batch(api, seen(name="go", data={"n": 1}), seen(name="go", data={"n": 2}))
    machine.settle()
    batch(api, seen(name="pay", data={"sum": 1}), seen(name="pay", data={"sum": 2}))
    machine.settle()
    found = factories.runs(api, flow)
    assert sorted(run["context"]["n"] for run in found) == [1, 2]
    assert {run["status"] for run in found} == {"COMPLETED"}
    waits = [run["stepExecutions"][1]["output"] for run in found]
    assert all("1" in str(output) and "2" not in str(output.get("eventData")) for output in waits)


def test_a_subscription_that_turns_is_heard(api):
    flow = factories.workflow(api, event="contact.unsubscribed", allowReentry=True)
    batch(api, seen(), seen(subscribed=False), seen(email=BOB))
    (run,) = factories.runs(api, flow)
    assert run["contact"]["email"] == ADA


def watched(api, text):
    answer = api.post("/flows/deploy", {"files": {"watched.flow": text}})
    assert answer.status_code == 200, answer.text
    return answer.json["workflows"][0]


def test_a_wait_for_a_condition_that_a_batch_makes_hold_goes_on(api, machine):
    flow = watched(
        api,
        """workflow "Watched" {
  on event "go"
  wait until contact.data.n >= 2 up to 30 days
  update contact { done: true }
}
""",
    )
    batch(api, seen(name="go"), seen(BOB, "go"))
    machine.settle()
    batch(api, seen(data={"n": 2}), seen(BOB, data={"n": 1}))
    machine.settle()
    ended = {run["contact"]["email"]: run["status"] for run in factories.runs(api, flow)}
    assert ended == {ADA: "COMPLETED", BOB: "WAITING"}


def test_what_a_batch_starts_it_may_also_stop(api):
    flow = watched(
        api,
        """workflow "Watched" {
  on event "go"
  stop when event "gone"
  wait 1 day
}
""",
    )
    batch(api, seen(name="gone"), seen(name="go"), seen(BOB, "go"), seen(BOB, "gone"))
    found = {run["contact"]["email"]: run["exitReason"] for run in factories.runs(api, flow)}
    assert found == {ADA: None, BOB: "stopped"}


# At the same time


def at_once(*jobs: Callable[[], object]) -> list[Any]:
    """Do all of it, beginning at the same moment."""
    barrier = Barrier(len(jobs))

    def start(job):
        barrier.wait(timeout=60)
        return job()

    with ThreadPoolExecutor(len(jobs)) as threads:
        return [one.result(timeout=120) for one in [threads.submit(start, job) for job in jobs]]


def test_batches_over_the_same_people_in_opposite_orders(app, api, sessions):
    factories.workflow(api, event="go", name="Once")
    people = [f"c{number}@example.com" for number in range(40)]
    for email in people[::2]:
        factories.track(api, "other", email)

    def job(number):
        order = people[:: 1 if number % 2 else -1]
        events = [seen(email, "go", data={f"k{number}": 1}) for email in order]
        return lambda: batch(Api(app.test_client(), api.key), *events)

    answers = at_once(*(job(number) for number in range(CROWD)))
    assert all("event" in one for results in answers for one in results)
    assert count(sessions, Contact) == count(sessions, Execution) == 40
    assert count(sessions, Event) == 40 * CROWD + 20
    for contact in api.get("/contacts?limit=100").json["data"]:
        assert contact["data"] == {f"k{number}": 1 for number in range(CROWD)}


def test_batches_singles_and_a_worker_at_the_same_time(app, api, machine, sessions):
    flow = factories.workflow(
        api, ("WAIT_FOR_EVENT", {"eventName": "pay", "timeout": 3600}), event="go"
    )
    people = [f"c{number}@example.com" for number in range(30)]
    batch(api, *(seen(email, "go") for email in people))
    machine.settle()

    def batches():
        for _ in range(5):
            batch(Api(app.test_client(), api.key), *(seen(email, "pay") for email in people[::-1]))

    def singles():
        mine = Api(app.test_client(), api.key)
        for email in people:
            factories.track(mine, "pay", email)

    at_once(batches, singles, machine.settle)
    machine.settle()
    found = factories.runs(api, flow)
    assert sorted(run["contact"]["email"] for run in found) == sorted(people)
    assert {run["status"] for run in found} == {"COMPLETED"}
    assert count(sessions, Event) == 30 * 7
