"""Metrics: what the web tells of the database, and each worker of its own work."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import insert, text, update

from plunk.application import create_app
from plunk.clock import ManualClock
from plunk.config import Settings
from plunk.db import db, transaction
from plunk.delivery.outcomes import Deferred, Refused
from plunk.errors import Misconfigured
from plunk.ids import new_id
from plunk.metrics import Meter
from plunk.models import Contact, Email, Execution
from plunk.outbound import Answer, OutboundError
from plunk.services import gauges
from plunk.worker import schedule
from plunk.worker.metrics_port import answering
from plunk.worker.turns import Turns
from tests.conftest import NOON, SECRET, Api, Backend
from tests.factories import Machine, track, workflow

TOKEN = "let me see"
DELAY = ("DELAY", {"amount": 1, "unit": "hours"})
HOOK = ("WEBHOOK", {"url": "https://hooks.example.com/"})


class Figures:
    """Samples of an answer, by name and labels."""

    def __init__(self, body: str) -> None:
        self._all = {
            (sample.name, *sorted(filter(all, sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(body)
            for sample in family.samples
        }

    def __call__(self, name: str, **labels: str) -> float | None:
        return self._all.get((name, *sorted(labels.items())))


@pytest.fixture
def web(empty: Backend, clock: ManualClock) -> Iterator[Any]:
    """Return a client of an application whose metrics may be read."""
    settings = Settings(
        database_url=empty.url, secret_key=SECRET, metrics_token=TOKEN, ratelimit_enabled=False
    )
    app = create_app(settings, clock=clock)
    yield app.test_client()
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def ask(web: Any) -> Any:
    def ask() -> Figures:
        answer = web.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == 200, answer.text
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        return Figures(answer.text)

    return ask


def worker_figures(machine: Machine) -> Figures:
    return Figures(machine.worker.meter.text().decode())


def test_without_a_token_there_is_nothing(api: Api) -> None:
    answer = api.get("/metrics")
    assert (answer.status_code, answer.json["error"]["code"]) == (404, "RESOURCE_NOT_FOUND")


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer let me", f"Basic {TOKEN}", "é"])
def test_only_the_token_opens_them(web: Any, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    assert web.get("/metrics", headers=headers).status_code == 401


def test_a_secret_key_does_not_open_them(web: Any, project: Any) -> None:
    headers = {"Authorization": f"Bearer {project.secret}"}
    assert web.get("/metrics", headers=headers).status_code == 401


def test_queues_of_an_idle_installation_are_empty(ask: Any) -> None:
    figures = ask()
    for queue in ("runs", "hooks", "schedules", "segments"):
        assert figures("plunk_queue_due", queue=queue) == 0
        assert figures("plunk_queue_oldest_seconds", queue=queue) == 0
    for lane in ("transactional", "workflow", "campaign"):
        assert figures("plunk_queue_due", queue="emails", lane=lane) == 0
    assert figures("plunk_leases", queue="emails") == 0


def test_what_is_due_is_told_and_what_is_parked_is_not(
    ask: Any, api: Api, stranger_api: Api, machine: Machine, clock: ManualClock
) -> None:
    workflow(api, DELAY)
    workflow(stranger_api, DELAY)
    for number in range(3):
        track(api, email=f"{number}@example.org")
    machine.settle()
    clock.advance(timedelta(minutes=59))
    for one in (api, stranger_api):
        track(one, email="late@example.org")
    body = {"to": "a@example.org", "from": "a@acme.test", "subject": "Hi", "body": "Hi"}
    assert api.post("/v1/send", body).status_code == 200
    clock.advance(timedelta(seconds=30))
    figures = ask()
    assert figures("plunk_queue_due", queue="runs") == 2
    assert figures("plunk_queue_oldest_seconds", queue="runs") == 30
    assert figures("plunk_queue_due", queue="emails", lane="transactional") == 1
    assert figures("plunk_queue_due", queue="emails", lane="campaign") == 0
    clock.advance(timedelta(minutes=1))
    figures = ask()
    assert figures("plunk_queue_due", queue="runs") == 5
    assert figures("plunk_queue_oldest_seconds", queue="runs") == 90


def test_the_database_is_asked_every_few_seconds_only(
    ask: Any, api: Api, clock: ManualClock
) -> None:
    workflow(api, DELAY)
    assert ask()("plunk_queue_due", queue="runs") == 0
    track(api)
    clock.advance(timedelta(seconds=4))
    assert ask()("plunk_queue_due", queue="runs") == 0
    clock.advance(timedelta(seconds=1))
    assert ask()("plunk_queue_due", queue="runs") == 1


def test_rows_by_status(ask: Any, api: Api, machine: Machine, empty: Backend) -> None:
    workflow(api, DELAY)
    workflow(api, ("EXIT", {}), event="short")
    for number in range(3):
        track(api, email=f"{number}@example.org")
    for number in range(2):
        track(api, "short", email=f"{number}@example.org")
    machine.settle()
    with empty.engine.begin() as connection:
        connection.execute(text("ANALYZE executions"))
    figures = ask()
    assert figures("plunk_runs", status="WAITING") == 3
    assert figures("plunk_runs", status="COMPLETED") == 2
    assert figures("plunk_runs", status="FAILED") == 0


def test_runs_of_a_rare_status_are_counted_where_the_others_are_estimated(
    api: Api, machine: Machine, sessions: Any, backend: str
) -> None:
    """The statistics of PostgreSQL know nothing of what there is only one of."""
    if backend == "sqlite":
        pytest.skip("SQLite has no statistics")
    machine.hooks.answer = refuse
    workflow(api, DELAY)
    workflow(api, HOOK, event="call")
    for number in range(29):
        track(api, email=f"{number}@example.org")
    track(api, "call")
    body = {"from": "a@acme.test", "subject": "Hi", "body": "Hi", "to": ["a@x.test", "b@x.test"]}
    assert api.post("/v1/send", body).status_code == 200
    machine.sleep(seconds=1)
    found = status_of(sessions, "plunk_runs", few=100)
    assert (found["WAITING"], found["FAILED"], found["COMPLETED"]) == (29, 1, 0)
    with transaction(sessions) as session:
        session.execute(text("ANALYZE executions, emails"))
    found = status_of(sessions, "plunk_runs", few=10)
    assert (found["WAITING"], found["FAILED"], found["COMPLETED"]) == (29, 1, 0)
    assert status_of(sessions, "plunk_emails", few=1) == {"SENT": 2}  # no zeros: it is not known


def status_of(sessions: Any, name: str, *, few: int) -> dict[str, float]:
    with transaction(sessions) as session:
        found = gauges.measure(session, now=NOON, few=few)
    return {one.labels["status"]: one.value for one in found if one.name == name}


def test_leases_that_ran_out_are_told(ask: Any, api: Api, empty: Backend) -> None:
    body = {"from": "a@acme.test", "subject": "Hi", "body": "Hi", "to": ["a@x.test", "b@x.test"]}
    assert api.post("/v1/send", body).status_code == 200
    held = {"status": "SENDING", "next_attempt_at": None}
    with empty.engine.begin() as connection:
        connection.execute(update(Email).values(held | {"lease_until": NOON + timedelta(hours=1)}))
        first = update(Email).where(Email.to_address == "a@x.test")
        connection.execute(first.values(lease_until=NOON - timedelta(seconds=1)))
    figures = ask()
    assert figures("plunk_leases", queue="emails") == 2
    assert figures("plunk_leases_expired", queue="emails") == 1


def test_counting_what_is_due_reads_no_parked_rows(
    api: Api, sessions: Any, project: Any, backend: str
) -> None:
    """A hundred thousand runs would take long to read; the plan shows that they are not."""
    flow = workflow(api, DELAY)
    contact = {"id": new_id(), "project_id": project.id, "email": "a@x.test", "subscribed": True}
    stamps = {"created_at": NOON, "updated_at": NOON}
    parked = [
        {
            "id": new_id(),
            "project_id": project.id,
            "workflow_id": flow["id"],
            "contact_id": contact["id"],
            "revision": 1,
            "status": "WAITING",
            "due_at": NOON + timedelta(days=1),
            "started_at": NOON,
            **stamps,
        }
        for _ in range(3_000)
    ]
    with transaction(sessions) as session:
        session.execute(insert(Contact), [contact | stamps])
        session.execute(insert(Execution), parked)
        session.execute(text("ANALYZE executions"))
    with transaction(sessions) as session:
        found = gauges.waiting(session, gauges.QUEUES[0], 0, now=NOON)
        assert found == gauges.Waiting(0, None)
        if backend == "postgres":
            session.execute(text("SET LOCAL plan_cache_mode = force_custom_plan"))
            assert rows_read(session) < 20


def rows_read(session: Any) -> int:
    """Return how many rows of any index or table the last statement touched."""
    statement = gauges.due_statement(gauges.QUEUES[0], 0, now=NOON)
    compiled = statement.compile(session.get_bind(), compile_kwargs={"literal_binds": True})
    plan = session.execute(text(f"EXPLAIN (ANALYZE, FORMAT JSON) {compiled}")).scalar_one()

    def below(node: Any) -> Iterator[Any]:
        yield node
        for inner in node.get("Plans", ()):
            yield from below(inner)

    scans = [node for node in below(plan[0]["Plan"]) if node.get("Relation Name") == "executions"]
    assert scans
    assert all("Index" in node["Node Type"] for node in scans)
    return int(
        sum(
            (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
            for node in scans
        )
    )


def refuse(_: Any) -> Answer:
    raise OutboundError("nobody there")


def test_a_worker_counts_what_it_ends(api: Api, machine: Machine) -> None:
    workflow(api, ("EXIT", {}))
    workflow(api, HOOK)
    machine.hooks.answer = refuse
    for number in range(3):
        track(api, email=f"{number}@example.org")
    machine.sleep(seconds=20)
    figures = worker_figures(machine)
    assert figures("plunk_runs_ended_total", status="COMPLETED") == 3
    assert figures("plunk_runs_ended_total", status="FAILED") == 3
    assert figures("plunk_lag_seconds_count", queue="runs") == 9  # calls bring theirs back
    assert figures("plunk_lag_seconds_sum", queue="runs") == 120
    assert figures("plunk_lag_seconds_bucket", queue="runs", le="10.0") == 3
    assert figures("plunk_lag_seconds_bucket", queue="runs", le="30.0") == 9
    assert (figures("plunk_claim_seconds_count", queue="runs") or 0) >= 1


@pytest.mark.parametrize(
    ("outcome", "word"),
    [(None, "sent"), (Refused("no"), "refused"), (Deferred("later"), "deferred")],
)
def test_a_worker_counts_messages_by_what_came_of_them(
    api: Api, machine: Machine, outcome: Any, word: str
) -> None:
    if outcome is not None:
        machine.mail.answer = lambda _: outcome
    body = {"from": "a@acme.test", "subject": "Hi", "body": "Hi", "to": ["a@x.test", "b@x.test"]}
    assert api.post("/v1/send", body).status_code == 200
    machine.settle()
    figures = worker_figures(machine)
    assert figures("plunk_emails_handed_total", outcome=word) == 2
    assert figures("plunk_lag_seconds_count", queue="emails") == 2


@pytest.mark.parametrize("word", ["ok", "refused", "unanswered"])
def test_a_worker_counts_web_hooks_by_what_came_of_them(
    api: Api, machine: Machine, word: str
) -> None:
    def answer(_: Any) -> Answer:
        if word == "unanswered":
            raise OutboundError("nobody there", retriable=True)
        return Answer(200 if word == "ok" else 500, "", "text/plain", "https://x.test/")

    machine.hooks.answer = answer
    workflow(api, HOOK)
    track(api)
    machine.settle()
    figures = worker_figures(machine)
    assert figures("plunk_webhook_calls_total", outcome=word) == 1
    assert figures("plunk_lag_seconds_count", queue="hooks") == 1


def test_a_worker_counts_jobs_that_failed(machine: Machine) -> None:
    worker: Any = replace(machine.worker, engine=None)  # so that jobs of the engine fail
    known = {job.name: job for job in schedule.TIMETABLE}
    for name in ("advance", "advance", "mail"):
        Turns(worker, known[name]).take()
    figures = worker_figures(machine)
    assert figures("plunk_job_failures_total", job="advance") == 2
    assert figures("plunk_job_failures_total", job="mail") is None


@pytest.mark.parametrize(
    ("late", "count", "bucket"),
    [
        ([0.0], 1.0, "0.1"),
        ([5.0, 5.0], 2.0, "5.0"),
        ([60.0, 50.0, 40.0, 30.0], 4.0, "60.0"),
        ([1e9], 1.0, "+Inf"),
    ],
)
def test_lags_fall_into_their_buckets(late: list[float], count: float, bucket: str) -> None:
    meter = Meter()
    meter.late("q", [NOON - timedelta(seconds=one) for one in late], now=NOON)
    figures = Figures(meter.text().decode())
    assert figures("plunk_lag_seconds_bucket", queue="q", le=bucket) == count
    assert figures("plunk_lag_seconds_sum", queue="q") == pytest.approx(sum(late))


def test_one_late_row_does_not_make_its_batch_late() -> None:
    meter = Meter()
    meter.late("q", [NOON, NOON - timedelta(hours=1), *[NOON] * 248], now=NOON)
    figures = Figures(meter.text().decode())
    assert figures("plunk_lag_seconds_bucket", queue="q", le="0.1") == 249
    assert figures("plunk_lag_seconds_bucket", queue="q", le="900.0") == 249
    assert figures("plunk_lag_seconds_bucket", queue="q", le="3600.0") == 250
    assert figures("plunk_lag_seconds_sum", queue="q") == 3_600


def test_a_worker_answers_on_a_port_of_its_own(free_port: int) -> None:
    meter = Meter()
    meter.failed("mail")
    settings = Settings(metrics_port=free_port)
    url = f"http://127.0.0.1:{free_port}"
    with answering(settings, meter) as port:
        assert port == free_port
        answer = requests.get(f"{url}/metrics", timeout=10)
        assert Figures(answer.text)("plunk_job_failures_total", job="mail") == 1
        assert requests.get(f"{url}/", timeout=10).status_code == 404
        assert requests.get(f"{url}/healthz", timeout=10).text == "ok\n"
        with pytest.raises(Misconfigured, match="METRICS_PORT"), answering(settings, meter):
            pass
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{url}/metrics", timeout=10)


def test_a_worker_with_a_token_wants_it(free_port: int) -> None:
    url = f"http://127.0.0.1:{free_port}/metrics"
    with answering(Settings(metrics_port=free_port, metrics_token=TOKEN), Meter()):
        assert requests.get(url, timeout=10).status_code == 401
        assert requests.get(url.replace("metrics", "healthz"), timeout=10).status_code == 200
        headers = {"Authorization": f"Bearer {TOKEN}"}
        assert requests.get(url, headers=headers, timeout=10).status_code == 200


def test_a_worker_without_a_port_listens_nowhere() -> None:
    with answering(Settings(), Meter()) as port:
        assert port == 0


@pytest.fixture
def free_port() -> int:
    from plunk.cli.ports import free_port  # noqa: PLC0415 - the fixture has its name

    return free_port()
