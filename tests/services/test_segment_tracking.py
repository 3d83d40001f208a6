"""Tracked segments tell who entered and left: each time once, whatever happens meanwhile."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from plunk.db import begin_reading, is_postgres, transaction
from plunk.engine.shell.computing import compute_due
from plunk.models import Contact, Event, Segment
from plunk.services import contacts, segment_computing, segment_members
from tests import factories

PRO = {
    "logic": "AND",
    "groups": [{"filters": [{"field": "data.plan", "operator": "equals", "value": "pro"}]}],
}
DELAY = ("DELAY", {"amount": 10, "unit": "days"})


@pytest.fixture
def make(api):
    """Return a function that creates a segment that tracks its members."""

    def run(**fields: object):
        body = {"name": "VIP Users!", "condition": PRO, "trackMembership": True, **fields}
        answer = api.post("/segments", body)
        assert answer.status_code == 201, answer.text
        return answer.json["id"]

    return run


@pytest.fixture
def put(api):
    """Return a function that puts contacts on a plan."""

    def run(plan, *names: str):
        for name in names:
            api.post("/contacts", {"email": f"{name}@example.com", "data": {"plan": plan}})

    return run


@pytest.fixture
def told(sessions):
    """Return a function that lists what segments have told, oldest first."""

    def run():
        with sessions() as session:
            begin_reading(session)
            rows = session.scalars(
                select(Event).where(Event.name.startswith("segment.")).order_by(Event.id)
            )
            return [(event.name, event.data["segmentName"]) for event in rows]

    return run


def compute(api, segment):
    answer = api.post(f"/segments/{segment}/compute")
    assert answer.status_code == 200, answer.text
    return answer.json


def test_computing_tells_who_entered_and_left(api, make, put, told):
    put("pro", "a", "b")
    segment = make()
    assert told() == []
    assert compute(api, segment) == {"added": 2, "removed": 0, "total": 2}
    assert told() == [("segment.vip-users.entry", "VIP Users!")] * 2
    assert compute(api, segment) == {"added": 0, "removed": 0, "total": 2}
    put("free", "a")
    put("pro", "c")
    assert compute(api, segment) == {"added": 1, "removed": 1, "total": 2}
    assert sorted(name for name, _ in told()[2:]) == [
        "segment.vip-users.entry",
        "segment.vip-users.exit",
    ]


def test_the_worker_computes_soon_and_then_every_five_minutes(api, make, put, told, machine):
    put("pro", "a")
    segment = make()
    machine.settle()
    assert len(told()) == 1
    put("pro", "b")
    machine.sleep(minutes=4)
    assert len(told()) == 1
    machine.sleep(minutes=1)
    assert len(told()) == 2
    assert api.get(f"/segments/{segment}").json["memberCount"] == 2


def test_an_untracked_segment_is_only_counted(api, make, put, told, machine):
    segment = make(trackMembership=False)
    put("pro", "a")
    machine.sleep(minutes=5)
    assert api.get(f"/segments/{segment}").json["memberCount"] == 1
    assert told() == []
    assert api.post(f"/segments/{segment}/compute").status_code == 400


def test_tracking_that_is_taken_up_again_tells_what_changed_meanwhile(
    api, make, put, told, machine
):
    put("pro", "stays", "goes")
    segment = make()
    flow = triggered(api, segment, "entry")
    machine.settle()
    for tracking in (False, True):  # nobody comes or goes
        api.patch(f"/segments/{segment}", {"trackMembership": tracking})
        machine.settle()
    assert len(factories.runs(api, flow)) == 2
    api.patch(f"/segments/{segment}", {"trackMembership": False})
    put("free", "goes")
    put("pro", "comes")
    machine.sleep(minutes=6)
    assert len(told()) == 2
    assert api.get(f"/segments/{segment}").json["memberCount"] == 2
    api.patch(f"/segments/{segment}", {"trackMembership": True, "name": "Pros"})
    machine.settle()
    assert sorted(name for name, _ in told()[2:]) == ["segment.pros.entry", "segment.pros.exit"]
    assert len(factories.runs(api, flow)) == 3


def test_the_first_compute_tells_of_everybody_who_is_in(api, make, put, told, machine):
    put("pro", "a", "b")
    segment = make(trackMembership=False)
    machine.sleep(minutes=6)
    api.patch(f"/segments/{segment}", {"trackMembership": True})
    machine.settle()
    assert [name for name, _ in told()] == ["segment.vip-users.entry"] * 2


def test_a_static_segment_that_begins_to_track_tells_of_what_follows(api, make, put, told, machine):
    put("pro", "a", "b")
    segment = make(type="STATIC", trackMembership=False)
    path = f"/segments/{segment}/members"
    api.post(path, {"emails": ["a@example.com"]})
    api.patch(f"/segments/{segment}", {"trackMembership": True})
    machine.settle()
    assert told() == []
    api.post(path, {"emails": ["a@example.com", "b@example.com"]})
    assert [name for name, _ in told()] == ["segment.vip-users.entry"]


def test_who_is_in_has_entered_once(api, make, put, machine):
    put("pro", "a", "b")
    segment = make(type="STATIC")
    path = f"/segments/{segment}/members"

    def members() -> list[str]:
        listed = api.get(f"/segments/{segment}/contacts").json["data"]
        return [one["email"][0] for one in listed]

    for name in "aba":
        machine.sleep(minutes=1)
        api.post(path, {"emails": [f"{name}@example.com"]})
    assert members() == ["b", "a"]  # last entered first
    api.delete(path, {"emails": ["a@example.com"]})
    machine.sleep(minutes=1)
    api.post(path, {"emails": ["a@example.com"]})
    assert members() == ["a", "b"]


def test_a_changed_condition_counts_at_once(api, make, put, told, machine):
    put("pro", "a")
    segment = make()
    machine.settle()
    free = {"logic": "AND", "groups": [{"filters": [{**PRO["groups"][0]["filters"][0]}]}]}
    free["groups"][0]["filters"][0]["value"] = "free"
    assert api.patch(f"/segments/{segment}", {"condition": free}).json["memberCount"] == 0
    machine.settle()
    assert [name for name, _ in told()] == ["segment.vip-users.entry", "segment.vip-users.exit"]


def test_a_static_segment_tells_when_it_tracks(api, make, put, told):
    put("pro", "a", "b")
    segment = make(type="STATIC")
    path = f"/segments/{segment}/members"
    api.post(path, {"emails": ["a@example.com"]})
    api.post(path, {"emails": ["a@example.com", "b@example.com"]})
    api.delete(path, {"emails": ["b@example.com"]})
    api.delete(path, {"emails": ["b@example.com"]})
    names = [name.rpartition(".")[2] for name, _ in told()]
    assert names == ["entry", "entry", "exit"]
    assert compute(api, segment) == {"added": 0, "removed": 0, "total": 1}
    quiet = make(type="STATIC", trackMembership=False)
    api.post(f"/segments/{quiet}/members", {"emails": ["a@example.com"]})
    assert len(told()) == 3


def triggered(api, segment, when, name="Flow"):
    """Make a workflow that begins when somebody enters or leaves."""
    flow = factories.workflow(api, DELAY, name=name)
    trigger = {"type": "segment", "segment": {"id": segment}, "when": when}
    answer = api.patch(f"/workflows/{flow['id']}", {"triggerConfig": {"triggers": [trigger]}})
    assert answer.status_code == 200, answer.text
    return flow


def test_entering_and_leaving_start_workflows(api, make, put, machine):
    segment = make()
    enters, leaves = (triggered(api, segment, when) for when in ("entry", "exit"))
    other = triggered(api, make(name="VIP Users!", condition=PRO, type="STATIC"), "entry")
    put("pro", "a")
    machine.sleep(minutes=5)
    assert len(factories.runs(api, enters)) == 1
    assert factories.runs(api, leaves) == factories.runs(api, other) == []
    api.patch(f"/segments/{segment}", {"name": "Renamed"})
    put("free", "a")
    machine.sleep(minutes=5)
    run = factories.only_run(api, leaves)
    assert run["context"] == {"segmentId": segment, "segmentName": "Renamed"}


@pytest.mark.parametrize("kind", ["STATIC", "DYNAMIC"])
def test_i10_the_count_equals_the_rows(api, make, put, machine, sessions, kind):
    put("pro", "a", "b")
    segment = make(type=kind)
    machine.settle()
    if kind == "STATIC":
        path = f"/segments/{segment}/members"
        for name in "aab":
            api.post(path, {"emails": [f"{name}@example.com"]})
        assert api.get(f"/segments/{segment}").json["memberCount"] == 2
    with transaction(sessions) as session:
        session.get_one(Segment, segment).member_count = 7
    machine.sleep(minutes=5)
    assert api.get(f"/segments/{segment}").json["memberCount"] == 2


@pytest.mark.parametrize("name", ["{id}", "vip users", " VIP  USERS? ", "日本"])
def test_another_segment_starts_no_trigger_on_this_one(api, make, put, machine, name):
    """Its event may have the same name, or be called like the id of this one."""
    segment = make(condition=None, type="STATIC", name="VIP Users!" if name.isascii() else "!")
    flow = triggered(api, segment, "entry")
    make(name=name.replace("{id}", segment))
    put("pro", "a")
    machine.sleep(minutes=5)
    assert factories.runs(api, flow) == []
    api.post(f"/segments/{segment}/members", {"emails": ["a@example.com"]})
    assert len(factories.runs(api, flow)) == 1


def test_segments_whose_names_differ_in_signs_only_share_the_name_of_their_events(
    api, make, put, told, machine
):
    put("pro", "a")
    ids = {make(name="VIP"), make(name="vip!")}
    flow = factories.workflow(api, DELAY, event="segment.vip.entry", allowReentry=True)
    machine.settle()
    assert sorted(told()) == [("segment.vip.entry", "VIP"), ("segment.vip.entry", "vip!")]
    assert {run["context"]["segmentId"] for run in factories.runs(api, flow)} == ids


def test_events_can_be_listened_for_by_name(api, make, put, machine):
    make()
    flow = factories.workflow(api, DELAY, event="segment.vip-users.entry")
    put("pro", "a")
    machine.sleep(minutes=5)
    assert len(factories.runs(api, flow)) == 1


def test_nobody_else_can_tell_it(api, make):
    segment = make()
    for name in ("segment.vip-users.entry", f"segment.{segment}.entry"):
        answer = api.post("/v1/track", {"event": name, "email": "a@example.com"})
        assert answer.status_code == 422


def test_a_crash_loses_nothing_and_repeats_nothing(api, make, put, told, machine, sessions):
    put("pro", *"abcde")
    segment_id = make()
    with sessions() as session:
        segment = session.get_one(Segment, segment_id)
        segment_computing.compute_batch(session, segment, batch=2, now=machine.clock.now())
        session.rollback()
    assert told() == []
    with transaction(sessions) as session:
        segment = session.get_one(Segment, segment_id)
        step = segment_computing.compute_batch(session, segment, batch=2, now=machine.clock.now())
    assert (step.entered, len(told())) == (2, 2)
    machine.settle()
    assert len(told()) == 5


def test_nobody_is_counted_twice_while_the_first_members_are_noted_down(
    api, make, put, machine, sessions
):
    put("pro", *"abcde")
    segment_id = make()
    counted = [api.get(f"/segments/{segment_id}").json["memberCount"]]
    cursor = ""
    while cursor is not None:
        with transaction(sessions) as session:
            segment = session.get_one(Segment, segment_id)
            step = segment_computing.compute_batch(
                session, segment, after=cursor, batch=2, now=machine.clock.now()
            )
        cursor = step.cursor
        counted.append(api.get(f"/segments/{segment_id}").json["memberCount"])
    assert counted == [5, 2, 4, 5]


def test_two_workers_tell_it_once(api, make, put, told, machine, sessions, project):
    put("pro", "a")
    segment_id, now = make(), machine.clock.now()
    with transaction(sessions) as first:
        claimed = segment_computing.claim(first, project.id, now=now)
        assert claimed is not None
        assert claimed.id == segment_id
        if is_postgres(first):
            with transaction(sessions) as second:
                assert segment_computing.claim(second, project.id, now=now) is None
    assert compute_due(machine.worker.engine) == 0
    compute(api, segment_id)
    with transaction(sessions) as session:
        segment = session.get_one(Segment, segment_id)
        known = [contacts.facts_of(one) for one in session.scalars(select(Contact))]
        assert segment_members.enter(session, segment, known, now=now) == 0
    assert len(told()) == 1


def test_a_broken_segment_holds_up_no_other(api, make, put, told, machine, sessions):
    put("pro", "a")
    broken, _ = make(name="Broken"), make(name="Whole")
    with transaction(sessions) as session:
        session.get_one(Segment, broken).condition = {"logic": "odd"}
    machine.settle()
    assert told() == [("segment.whole.entry", "Whole")]


@pytest.mark.parametrize(
    ("name", "event"),
    [
        ("VIP Users!", "segment.vip-users.entry"),
        ("  Été -- 2026_x ", "segment.t-2026_x.entry"),
        ("!!!", "segment..entry"),
    ],
)
def test_events_are_named_after_the_segment(api, make, put, told, machine, name, event):
    put("pro", "a")
    make(name=name)
    machine.settle()
    assert told() == [(event, name)]


def test_whom_an_event_is_about_enters_and_leaves_at_once(api, make, told, machine):
    make()
    machine.settle()
    factories.track(api, "upgraded", "a@example.com", data={"plan": "pro"})
    machine.sleep(seconds=5)
    assert told() == [("segment.vip-users.entry", "VIP Users!")]
    factories.track(api, "downgraded", "a@example.com", data={"plan": "free"})
    machine.sleep(seconds=5)
    assert [name for name, _ in told()] == ["segment.vip-users.entry", "segment.vip-users.exit"]


def test_a_segment_within_a_segment_follows(api, make, told, machine):
    inner = make(name="Inner")
    field = f"segment.{inner}"
    condition = {
        "logic": "AND",
        "groups": [{"filters": [{"field": field, "operator": "memberOfSegment"}]}],
    }
    make(name="Outer", condition=condition)
    machine.settle()
    factories.track(api, "upgraded", "a@example.com", data={"plan": "pro"})
    machine.sleep(seconds=5)
    assert sorted(told()) == [
        ("segment.inner.entry", "Inner"),
        ("segment.outer.entry", "Outer"),
    ]
