"""Many requests at the same instant: one contact, no lost write, no failure inside."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import func, select, text

from plunk.cli.waiting import wait_for
from plunk.db import transaction
from plunk.models import Contact, Email, Event, Execution
from tests import factories

CROWD = 20
ADA = "ada@example.com"
WAITING = text(
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE wait_event_type = 'Lock' AND datname = current_database()"
)


@pytest.fixture
def together(app, api):
    """Return a function that makes one request per entry, all starting at once."""

    def start(requests):
        barrier = Barrier(len(requests))
        headers = {"Authorization": f"Bearer {api.key}"}

        def call(request):
            method, path, body = request
            barrier.wait(timeout=60)
            return app.test_client().open(path, method=method, json=body, headers=headers)

        with ThreadPoolExecutor(len(requests)) as threads:
            answers = list(threads.map(call, requests))
        return Counter(answer.status_code for answer in answers)

    return start


def count(sessions, table):
    with transaction(sessions) as session:
        return session.scalar(select(func.count()).select_from(table))


def test_one_new_address_tracked_by_many(together, sessions):
    body = {"event": "go", "email": ADA}
    assert together([("POST", "/v1/track", body)] * CROWD) == {200: CROWD}
    assert (count(sessions, Contact), count(sessions, Event)) == (1, CROWD)


def test_one_new_address_saved_by_many_keeps_every_key(together, api):
    requests = [
        ("POST", "/contacts", {"email": ADA, "data": {f"k{number}": number}})
        for number in range(CROWD)
    ]
    assert together(requests) == {201: 1, 200: CROWD - 1}
    (contact,) = api.get("/contacts").json["data"]
    assert contact["data"] == {f"k{number}": number for number in range(CROWD)}


def test_many_events_start_one_run(together, api, sessions):
    factories.workflow(api, event="go")
    body = {"event": "go", "email": ADA}
    assert together([("POST", "/v1/track", body)] * CROWD) == {200: CROWD}
    assert count(sessions, Execution) == 1


def test_many_flips_tell_one_story(together, api, sessions):
    api.post("/contacts", {"email": ADA})
    body = {"email": ADA, "subscribed": False}
    assert together([("POST", "/contacts", body)] * CROWD) == {200: CROWD}
    assert count(sessions, Event) == 1


def test_one_address_wanted_by_many_contacts(together, api):
    ids = [
        api.post("/contacts", {"email": f"c{number}@example.com"}).json["id"]
        for number in range(CROWD)
    ]
    requests = [("PATCH", f"/contacts/{one}", {"email": ADA}) for one in ids]
    assert together(requests) == {200: 1, 409: CROWD - 1}


def test_the_same_people_written_to_in_opposite_orders(together, sessions):
    people = [f"c{number}@example.com" for number in range(8)]
    body = {"subject": "Hi", "body": "Hi", "from": "team@acme.test", "data": {"a": 1}}
    requests = [
        ("POST", "/v1/send", {**body, "to": people[:: 1 if number % 2 else -1]})
        for number in range(CROWD)
    ]
    assert together(requests) == {200: CROWD}
    assert (count(sessions, Contact), count(sessions, Email)) == (8, 8 * CROWD)


def test_a_template_deleted_while_it_is_sent(together, api, sessions):
    template = factories.template(api, type="TRANSACTIONAL")
    send = ("POST", "/v1/send", {"to": ADA, "template": template})
    answers = together([send] * 10 + [("DELETE", f"/templates/{template}", None)] + [send] * 9)
    assert answers[204] == 1
    assert answers[200] + answers[404] == CROWD - 1
    assert count(sessions, Email) == answers[200]


def test_a_contact_deleted_while_it_is_tracked(together, api):
    contact = api.post("/contacts", {"email": ADA}).json["id"]
    track = ("POST", "/v1/track", {"event": "go", "email": ADA})
    answers = together([track] * 10 + [("DELETE", f"/contacts/{contact}", None)] + [track] * 9)
    assert answers == {200: CROWD - 1, 204: 1}


def test_sends_and_segments_do_not_block_each_other(api, together):
    people = [f"p{number}@example.com" for number in range(8)]
    for email in reversed(people):  # so that ids and addresses are in opposite orders
        api.post("/contacts", {"email": email})
    vip = api.post("/segments", {"name": "VIP", "type": "STATIC"}).json["id"]
    letter = {"subject": "Hi", "body": "Hi", "from": "a@acme.test", "to": people}
    send, add = ("/v1/send", letter), (f"/segments/{vip}/members", {"emails": people})
    assert set(together([("POST", *one) for one in (send, add) * 6])) <= {200, 201}


def test_cancelling_all_waits_for_a_contact_before_it_holds_a_run(app, api, sessions, backend):
    if backend == "sqlite":
        pytest.skip("SQLite locks no rows")
    flow = factories.workflow(api, ("WAIT_FOR_EVENT", {"eventName": "paid"}))
    factories.track(api, email=ADA)
    path = f"/workflows/{flow['id']}/executions/cancel-all"
    headers = {"Authorization": f"Bearer {api.key}"}
    with ThreadPoolExecutor(1) as threads, sessions() as session, sessions() as watching:
        session.scalars(select(Contact).with_for_update()).one()
        cancelling = threads.submit(lambda: app.test_client().post(path, headers=headers))
        wait_for(lambda: watching.scalar(WAITING), "The wait for the contact", seconds=10)
        free = select(Execution.id).with_for_update(skip_locked=True)
        assert len(session.scalars(free).all()) == 1
        session.rollback()
        assert cancelling.result(20).json == {"cancelled": 1}


def test_batches_about_the_same_new_people_all_get_through(together, sessions):
    people = [f"c{number}@example.com" for number in range(30)]
    orders = [[people[(7 * turn + 11 * n) % 30] for n in range(20)] for turn in range(8)]
    batches = [{"events": [{"event": "go", "email": one} for one in order]} for order in orders]
    assert together([("POST", "/v1/track/batch", one) for one in batches]) == {200: 8}
    assert count(sessions, Event) == 8 * 20
