"""What must hold whatever happens: each test tries to break one invariant."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from threading import Event as Signal

import pytest
from psycopg.errors import QueryCanceled
from sqlalchemy import event, func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from plunk.db import transaction
from plunk.delivery.memory import MemoryProvider, accept
from plunk.delivery.outcomes import Accepted, Deferred, Refused, Unknown
from plunk.engine.shell.batch import PUT_OFF, advance_due
from plunk.engine.shell.hooks import call_due
from plunk.engine.shell.keeping import LEASE
from plunk.engine.shell.lease import MOST_LEASES
from plunk.engine.shell.mail import deliver_due
from plunk.models import Email, Event, Execution, StepExecution
from plunk.outbound import Answer
from tests.conftest import new_project
from tests.factories import only_run, runs, template, track, visited, workflow


class Crash(BaseException):
    """Stands for kill -9: nothing in the product catches it."""


GONE = OperationalError("COMMIT", {}, OSError("gone"))


def crash(_):
    raise Crash


@contextmanager
def recording_fails(sessions, moment, error):
    """Let the third commit, which is that of the record, raise this; yield what counts commits."""
    commits = []

    def fail(_session):
        commits.append(1)
        if len(commits) == 3:
            raise error

    event.listen(sessions, moment, fail)
    try:
        yield commits
    finally:
        event.remove(sessions, moment, fail)


def emails(sessions):
    with transaction(sessions) as session:
        return list(session.scalars(select(Email).order_by(Email.to_address)))


def test_i5_a_crash_around_the_provider_repeats_the_chunk_with_the_same_message_id(
    api, machine, sessions
):
    workflow(api, ("SEND_EMAIL", {"templateId": template(api)}))
    for number in range(3):
        track(api, email=f"p{number}@example.org")
    advance_due(machine.worker.engine)
    dying = replace(machine.worker.mailer, provider=MemoryProvider(crash))
    with pytest.raises(Crash):
        deliver_due(dying)
    assert {email.status for email in emails(sessions)} == {"SENDING"}
    machine.settle()
    assert machine.mail.messages == []
    machine.sleep(seconds=LEASE.total_seconds() + 1)
    assert {email.status for email in emails(sessions)} == {"SENT"}
    tried = [message.message_id for message in dying.provider.attempts]
    assert set(tried) <= {message.message_id for message in machine.mail.messages}
    assert len(machine.mail.messages) == 3


def test_i5_an_answer_whose_commit_was_not_confirmed_is_recorded_once(api, machine, sessions):
    workflow(api, ("SEND_EMAIL", {"templateId": template(api)}))
    track(api)
    advance_due(machine.worker.engine)
    mailer = machine.worker.mailer
    with recording_fails(mailer.sessions, "after_commit", GONE) as commits:
        deliver_due(mailer)  # the line dies before we hear that it was done
    assert len(commits) > 3
    assert [email.status for email in emails(sessions)] == ["SENT"]
    with sessions() as session:
        told = session.scalars(select(Event.name).where(Event.name == "email.sent")).all()
    assert told == ["email.sent"]


def test_i5_what_was_handed_over_is_recorded_when_the_time_cannot_be_asked(api, machine, sessions):
    workflow(api, ("SEND_EMAIL", {"templateId": template(api)}))
    for number in range(4):
        track(api, email=f"p{number}@example.org")
    advance_due(machine.worker.engine)
    asked = []

    class Away:
        def now(self):
            asked.append(1)
            if len(asked) == 5:  # after two messages
                raise OperationalError("SELECT", {}, OSError("gone"))
            return machine.worker.mailer.clock.now()

    deliver_due(replace(machine.worker.mailer, clock=Away()))
    assert Counter(email.status for email in emails(sessions)) == {"SENT": 3, "PENDING": 1}
    machine.settle()
    assert len(machine.mail.messages) == 4


def test_i5_a_worker_that_lost_its_lease_records_nothing(api, machine, sessions):
    workflow(api, ("SEND_EMAIL", {"templateId": template(api)}))
    track(api)
    advance_due(machine.worker.engine)

    def overtaken(message):
        machine.sleep(seconds=LEASE.total_seconds() + 1)
        return Refused("too late to matter")

    deliver_due(replace(machine.worker.mailer, provider=MemoryProvider(overtaken)))
    (email,) = emails(sessions)
    assert (email.status, email.error, email.attempts) == ("SENT", None, 2)


@pytest.mark.parametrize(
    ("outcome", "attempts", "status"),
    [
        (Deferred("421 busy"), 8, "FAILED"),
        (Unknown("no answer"), 8, "FAILED"),
        (Refused("550 no"), 1, "FAILED"),
    ],
)
def test_i9_a_message_that_is_never_taken_ends_with_its_reason(
    api, machine, sessions, outcome, attempts, status
):
    workflow(api, ("SEND_EMAIL", {"templateId": template(api)}))
    track(api)
    machine.mail.answer = lambda _: outcome
    for _ in range(20):
        machine.sleep(hours=15)
    (email,) = emails(sessions)
    assert (email.status, email.attempts) == ("FAILED", attempts)
    assert outcome.reason in email.error


def test_i7_a_run_that_cannot_be_stored_fails_alone(api, machine, backend):
    sender = {"$expr": ["get", "contact", "data", "sender"]}
    config = {"templateId": template(api), "overrides": {"from": sender}}
    flow = workflow(api, ("SEND_EMAIL", config))
    for number in range(5):
        long = "x" * 400 if number == 2 else "ok"
        track(api, email=f"p{number}@example.org", data={"sender": f"{long}@example.com"})
    machine.settle()
    statuses = Counter(run["status"] for run in runs(api, flow))
    # SQLite does not mind the overlong value; PostgreSQL refuses the whole statement.
    assert statuses == (
        {"COMPLETED": 4, "FAILED": 1} if backend == "postgres" else {"COMPLETED": 5}
    )
    for run in runs(api, flow):
        if run["status"] == "FAILED":
            assert visited(run)[-1][1] == "FAILED"
            assert run["stepExecutions"][-1]["error"]


def test_i7_a_busy_project_does_not_hold_up_another(api, machine, sessions):
    busy, quiet = api, type(api)(api.client, new_project(sessions, "Quiet").secret)
    crowd, single = workflow(busy), workflow(quiet)
    for number in range(30):
        track(busy, email=f"p{number}@example.org")
    track(quiet)
    small = replace(machine.worker.engine, batch_size=5)
    assert advance_due(small) == 6
    assert only_run(quiet, single)["status"] == "COMPLETED"
    assert Counter(run["status"] for run in runs(busy, crowd)) == {"COMPLETED": 5, "RUNNING": 25}


def test_i8_workflows_that_start_each_other_come_to_an_end(api, machine, sessions):
    forth = ("UPDATE_CONTACT", {"subscriptionAction": "unsubscribe"})
    back = ("UPDATE_CONTACT", {"subscriptionAction": "subscribe"})
    workflow(api, forth, event="contact.subscribed", allowReentry=True)
    workflow(api, back, event="contact.unsubscribed", allowReentry=True)
    track(api)
    track(api, subscribed=False)
    machine.settle()
    with transaction(sessions) as session:
        count = session.scalar(select(func.count()).select_from(Execution))
    assert 1 < count < 40


@pytest.mark.parametrize("round_", range(3))
def test_i3_two_workers_and_incoming_events_share_the_work(api, machine, sessions, round_):
    flow = workflow(
        api,
        (
            "UPDATE_CONTACT",
            {
                "updates": {
                    "seen": {"$expr": ["+", ["??", ["get", "contact", "data", "seen"], 0], 1]}
                }
            },
        ),
        ("WAIT_FOR_EVENT", {"eventName": "paid"}),
        ("SEND_EMAIL", {"templateId": template(api)}),
        allowReentry=True,
    )
    people = [f"p{number}@example.org" for number in range(10)]
    small = replace(machine.worker.engine, batch_size=3)

    def work(_):
        for _ in range(60):
            advance_due(small)

    def speak(email):
        for _ in range(3):
            track(api, email=email, data={"at": round_})
            track(api, "paid", email=email)

    with ThreadPoolExecutor(5) as threads:
        workers = [threads.submit(work, number) for number in range(2)]
        speakers = [threads.submit(speak, email) for email in people]
        for future in [*workers, *speakers]:
            future.result()
    machine.settle()
    for email in people:
        track(api, "paid", email=email)
    machine.settle()
    finished = runs(api, flow)
    assert Counter(run["status"] for run in finished) == {"COMPLETED": 30}
    assert len(machine.mail.messages) == 30
    with transaction(sessions) as session:
        visits = session.execute(
            select(StepExecution.execution_id, StepExecution.visit, func.count())
            .group_by(StepExecution.execution_id, StepExecution.visit)
            .having(func.count() > 1)
        ).all()
    assert visits == []
    contacts = api.get("/contacts?limit=100").json["data"]
    assert {contact["data"]["seen"] for contact in contacts} == {3}


def test_i1_the_event_its_runs_and_its_wake_ups_are_one_transaction(api, machine, sessions):
    workflow(api)
    answer = api.post(
        "/v1/track", {"event": "go", "email": "kim@example.org", "data": {"locale": 5}}
    )
    assert answer.status_code == 400
    with transaction(sessions) as session:
        assert session.scalar(select(func.count()).select_from(Event)) == 0
        assert session.scalar(select(func.count()).select_from(Execution)) == 0
    assert api.get("/contacts").json["total"] == 0


def test_i11_mail_to_someone_who_unsubscribed_meanwhile_is_not_sent(api, machine, sessions):
    workflow(api, ("SEND_EMAIL", {"templateId": template(api)}))
    track(api)
    advance_due(machine.worker.engine)
    track(api, "x", subscribed=False)
    machine.settle()
    (email,) = emails(sessions)
    assert email.status == "FAILED"
    assert "unsubscribed" in email.error
    assert machine.mail.messages == []


def test_email_sent_is_an_event_that_starts_workflows(api, machine):
    workflow(api, ("SEND_EMAIL", {"templateId": template(api)}))
    after = workflow(api, event="email.sent")
    track(api)
    machine.settle()
    run = only_run(api, after)
    assert run["context"]["subject"] == "Hello friend"
    assert run["context"]["emailId"] in run["context"]["messageId"]


def test_a_run_goes_on_from_a_removed_step_at_the_next_one(api, machine):
    flow = workflow(
        api,
        ("DELAY", {"amount": 30, "unit": "days"}),
        ("EXIT", {"reason": "after"}),
    )
    track(api)
    machine.settle()
    api.patch(f"/workflows/{flow['id']}", {"enabled": False})
    delay = flow["steps"][1]["id"]
    assert api.delete(f"/workflows/{flow['id']}/steps/{delay}").status_code == 204
    machine.sleep(days=30)
    run = only_run(api, flow)
    assert (run["status"], run["exitReason"]) == ("COMPLETED", "after")
    assert visited(run)[1] == ("DELAY", "COMPLETED")


def test_i2_people_who_entered_while_reentry_was_allowed_do_not_enter_again(api, machine):
    flow = workflow(api, allowReentry=True)
    track(api)
    track(api)
    machine.settle()
    api.patch(f"/workflows/{flow['id']}", {"allowReentry": False})
    track(api)
    track(api, email="new@example.org")
    machine.settle()
    entered = Counter(run["contact"]["email"] for run in runs(api, flow))
    assert entered == {"kim@example.org": 2, "new@example.org": 1}


def test_reentry_after_a_while_counts_from_the_last_entry(api, machine):
    text = 'workflow "Again" { on event "go"  reentry after 2 hours  exit "done" }'
    deployed = api.post("/flows/deploy", {"files": {"again.flow": text}})
    assert deployed.status_code == 200, deployed.text
    flow = {"id": deployed.json["workflows"][0]["id"]}
    for minutes, expected in [(0, 1), (119, 1), (2, 2), (60, 2), (60, 3)]:
        machine.sleep(minutes=minutes)
        track(api)
        machine.settle()
        assert len(runs(api, flow)) == expected


@pytest.mark.parametrize(("before", "after"), [(1, True), (True, 1), (0, False), ([1], [True])])
def test_a_change_that_python_takes_for_equal_is_stored(api, machine, before, after):
    workflow(api, ("UPDATE_CONTACT", {"updates": {"step": after}}))
    track(api, "x", data={"step": before, "call": before})
    track(api, data={"call": after})
    machine.settle()
    (contact,) = api.get("/contacts").json["data"]
    assert repr(contact["data"]["step"]) == repr(after)
    assert repr(contact["data"]["call"]) == repr(after)


def test_i5_a_slow_server_does_not_make_two_workers_send_the_same(api, machine, sessions):
    workflow(api, ("SEND_EMAIL", {"templateId": template(api)}))
    for number in range(5):
        track(api, email=f"p{number}@example.org")
    advance_due(machine.worker.engine)

    def slow(message):
        machine.clock.advance(LEASE * 0.4)
        deliver_due(replace(machine.worker.mailer, provider=other))
        return accept(message)

    other, tarpit = MemoryProvider(), MemoryProvider(slow)
    deliver_due(replace(machine.worker.mailer, provider=tarpit))
    machine.settle()
    handed = Counter(
        message.message_id
        for message in [*tarpit.attempts, *other.attempts, *machine.mail.attempts]
    )
    assert set(handed.values()) == {1}
    # What was given back unsent has cost no attempt.
    assert [(email.status, email.attempts) for email in emails(sessions)] == [("SENT", 1)] * 5


def test_i7_a_message_that_keeps_killing_workers_is_given_up(api, machine, sessions):
    workflow(api, ("SEND_EMAIL", {"templateId": template(api)}))
    track(api)
    advance_due(machine.worker.engine)
    deadly = replace(machine.worker.mailer, provider=MemoryProvider(crash))
    for _ in range(MOST_LEASES):
        with pytest.raises(Crash):
            deliver_due(deadly)
        machine.clock.advance(LEASE * 2)
    machine.settle()
    (email,) = emails(sessions)
    assert (email.status, machine.mail.messages) == ("FAILED", [])
    assert "Given up" in email.error


def test_i7_a_body_that_cannot_be_composed_ends_alone(api, machine, sessions):
    margins = "<div style='margin-top:999999999em'>x</div><p>y</p>"
    for to, body in (("a@b.co", margins), ("c@b.co", "<b>" * 20_000), ("d@b.co", "<p>hi</p>")):
        answer = api.post("/v1/send", {"to": to, "subject": "s", "body": body, "from": "e@b.co"})
        assert answer.status_code == 200
    machine.settle()
    assert {email.status for email in emails(sessions)} == {"SENT"}


def test_sending_to_too_many_at_once_is_refused(api, sessions):
    body = {"subject": "s", "body": "x", "from": "e@b.co"}
    many = [f"p{number}@b.co" for number in range(1_001)]
    answer = api.post("/v1/send", {**body, "to": many})
    assert (answer.status_code, answer.json["error"]["errors"][0]["field"]) == (422, "to")
    fat = {**body, "to": many[:60], "body": "x" * 1_000_000}
    assert api.post("/v1/send", fat).status_code == 422
    assert emails(sessions) == []


def test_objects_inside_expressions_reach_the_contact(api, machine):
    text = """workflow "Objects" {
      on event "go"
      update contact { home: { city: event.city, tags: [1, { deep: event.city ?? {} }] } }
    }"""
    assert api.post("/flows/deploy", {"files": {"a.flow": text}}).status_code == 200
    track(api, data={"city": "Ghent"})
    machine.settle()
    data = api.get("/contacts").json["data"][0]["data"]
    assert data["home"] == {"city": "Ghent", "tags": [1, {"deep": "Ghent"}]}


def test_a_reentry_period_beyond_reason_is_refused(api):
    text = 'workflow "Long" { on event "go"  reentry after 200000 weeks  exit "x" }'
    answer = api.post("/flows/deploy", {"files": {"a.flow": text}})
    assert answer.status_code == 422
    assert answer.json["error"]["details"]["diagnostics"][0]["code"] == "FLOW-E307"


def test_i5_a_provider_that_fails_oddly_costs_no_other_answer(api, machine, sessions):
    workflow(api, ("SEND_EMAIL", {"templateId": template(api)}))
    for number in range(3):
        track(api, email=f"p{number}@example.org")
    advance_due(machine.worker.engine)
    answers = iter([Accepted("first"), None, Accepted("third")])

    def answer(_message):
        return next(answers) or crash_oddly()

    deliver_due(replace(machine.worker.mailer, provider=MemoryProvider(answer)))
    assert Counter(email.status for email in emails(sessions)) == {"SENT": 2, "PENDING": 1}
    machine.sleep(hours=1)
    assert len(machine.mail.messages) == 1


def crash_oddly():
    raise KeyError("what nobody has thought of")


def test_i6_an_answer_that_could_not_be_recorded_at_once_is_not_asked_for_again(api, machine):
    flow = workflow(api, ("WEBHOOK", {"url": "https://hooks.acme.test/"}), ("EXIT", {}))
    track(api)
    advance_due(machine.worker.engine)
    caller = machine.worker.caller
    with recording_fails(caller.sessions, "before_commit", GONE):
        call_due(caller)
    machine.sleep(seconds=LEASE.total_seconds() + 1)
    assert len(machine.hooks.requests) == 1
    assert only_run(api, flow)["status"] == "COMPLETED"


def test_i7_a_slow_receiver_holds_up_no_other_project(api, stranger_api, machine):
    others = Signal()
    for client, host in ((api, "slow"), (stranger_api, "quick")):
        workflow(client, ("WEBHOOK", {"url": f"https://{host}.acme.test/"}), ("EXIT", {}))
        track(client)
    advance_due(machine.worker.engine)
    waited = []

    def send(request):
        if "slow" in request.url:
            waited.append(others.wait(30))
        else:
            others.set()
        return Answer(200, "", "text/plain", request.url)

    with ThreadPoolExecutor(2) as threads:
        caller = replace(machine.worker.caller, send=send, threads=threads)
        while call_due(caller):
            pass
    assert waited == [True]


def test_i5_answers_are_recorded_when_a_connection_was_long_in_coming(api, machine, sessions):
    workflow(api, ("SEND_EMAIL", {"templateId": template(api)}))
    track(api)
    advance_due(machine.worker.engine)
    mailer = machine.worker.mailer
    with recording_fails(mailer.sessions, "before_commit", PoolTimeout("no connection")):
        deliver_due(mailer)
    assert [email.status for email in emails(sessions)] == ["SENT"]


def test_i7_a_run_that_costs_too_much_holds_up_nobody_else(api, machine, backend, project):
    if backend == "sqlite":
        pytest.skip("SQLite cancels no statements")
    flow = workflow(api, ("UPDATE_CONTACT", {"updates": {"seen": True}}), ("EXIT", {}))
    for number in range(5):
        track(api, email=f"p{number}@example.org")
    costly = runs(api, flow)[2]["id"]

    def cancel(_connection, _cursor, statement, parameters, _context, _many):
        if statement.startswith("UPDATE executions SET revision") and costly in str(parameters):
            raise OperationalError(statement, {}, QueryCanceled("canceling statement"))

    event.listen(machine.worker.database, "before_cursor_execute", cancel)
    try:
        for _ in range(3):
            advance_due(machine.worker.engine)
            machine.clock.advance(PUT_OFF)
    finally:
        event.remove(machine.worker.database, "before_cursor_execute", cancel)
    assert Counter(run["status"] for run in runs(api, flow)) == {"COMPLETED": 4, "RUNNING": 1}
    machine.settle()
    assert {run["status"] for run in runs(api, flow)} == {"COMPLETED"}
