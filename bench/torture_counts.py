"""What is left after the torture, counted: everything that was lost, doubled or left lying."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import Engine, text

from bench.rough_sink import REFUSAL, RoughSink, fate_of
from bench.torture_story import Orders
from plunk.cli.hook_receiver import Hook
from plunk.engine.shell import hooks, mail

# Each finds rows that must not be there.
NEVER = {
    "events without their run": """
        SELECT e.id FROM events e LEFT JOIN executions x ON x.entry_key = e.id::text
        WHERE e.name = 'ordered' AND x.id IS NULL""",
    "runs without their event": """
        SELECT x.id FROM executions x LEFT JOIN events e ON x.entry_key = e.id::text
        WHERE e.id IS NULL""",
    "events stored twice": """
        SELECT data->>'number' FROM events WHERE name = 'ordered' GROUP BY 1 HAVING count(*) > 1""",
    "runs that did not end as they should": """
        SELECT id FROM executions WHERE status <> 'COMPLETED' OR exit_reason <> 'done'""",
    "runs with a step too many or too few": """
        SELECT x.id FROM executions x LEFT JOIN step_executions s ON s.execution_id = x.id
        GROUP BY x.id HAVING count(s.id) <> 10 OR count(DISTINCT s.step_id) <> 10
        OR count(*) FILTER (WHERE s.status = 'COMPLETED') <> 10""",
    # Half a second on either side: times are read before locks are taken.
    "waits that timed out although their event had come": """
        SELECT s.id FROM step_executions s
        JOIN steps t ON t.id = s.step_id AND t.type = 'WAIT_FOR_EVENT'
        JOIN executions x ON x.id = s.execution_id
        WHERE s.output ? 'timedOut' AND EXISTS (
            SELECT FROM events e WHERE e.name = 'confirmed' AND e.contact_id = x.contact_id
            AND e.created_at > s.started_at + interval '0.5 seconds'
            AND e.created_at < s.completed_at - interval '0.5 seconds')""",
    "contacts whose branches are not those that their waits took": """
        SELECT c.id FROM contacts c
        LEFT JOIN executions x ON x.contact_id = c.id
        LEFT JOIN (step_executions s JOIN steps t ON t.id = s.step_id AND t.type = 'WAIT_FOR_EVENT')
        ON s.execution_id = x.id
        GROUP BY c.id
        HAVING count(*) FILTER (WHERE s.output ? 'timedOut') <> coalesce((c.data->>'late')::int, 0)
        OR count(*) FILTER (WHERE s.output ? 'receivedAt')
        <> coalesce((c.data->>'confirmed')::int, 0)""",
    "contacts whose increments are not one for each run": """
        SELECT c.id FROM contacts c LEFT JOIN executions x ON x.contact_id = c.id
        GROUP BY c.id HAVING count(x.id) <> coalesce((c.data->>'begun')::int, 0)
        OR count(x.id) <> coalesce((c.data->>'ended')::int, 0)""",
    "runs without exactly one message": """
        SELECT x.id FROM executions x LEFT JOIN emails m ON m.execution_id = x.id
        GROUP BY x.id HAVING count(m.id) <> 1""",
    "runs without exactly one call": """
        SELECT x.id FROM executions x LEFT JOIN webhook_calls w ON w.execution_id = x.id
        GROUP BY x.id HAVING count(w.id) <> 1""",
    "messages left lying": "SELECT id FROM emails WHERE status NOT IN ('SENT', 'FAILED')",
    "calls that are not done": "SELECT id FROM webhook_calls WHERE status <> 'DONE'",
    "sent messages without exactly one event": """
        SELECT m.id FROM emails m
        LEFT JOIN events e ON e.email_id = m.id AND e.name = 'email.sent'
        GROUP BY m.id HAVING count(e.id) <> CASE m.status WHEN 'SENT' THEN 1 ELSE 0 END""",
}

CONFIRMED = "SELECT count(*) FROM step_executions WHERE output ? 'receivedAt'"


@dataclass(frozen=True, slots=True)
class Counts:
    """The figures of one torture; `faults` must be empty."""

    runs: int
    sent: int
    refused: int
    mail_twice: int
    hooks_twice: int
    swallowed: int
    confirmed: int
    faults: dict[str, int]


def tally(
    database: Engine,
    orders: Orders,
    sink: RoughSink,
    received: list[Hook],
    *,
    kills: int,
    seed: int,
) -> Counts:
    """Count what the database, the mail server and the receiver hold."""
    with database.connect() as connection:
        found = {what: len(connection.execute(text(query)).all()) for what, query in NEVER.items()}
        stored = set(
            connection.scalars(text("SELECT data->>'number' FROM events WHERE name = 'ordered'"))
        )
        mails = connection.execute(text("SELECT subject, message_id, status, error FROM emails"))
        letters = {row.message_id.strip("<>"): row for row in mails}
        calls = set(connection.scalars(text("SELECT id::text FROM webhook_calls")))
        confirmed = connection.execute(text(CONFIRMED)).scalar_one()
    seen = Counter(str(item.message["Message-ID"]).strip("<>") for item in sink.received)
    swallowed = Counter(name.strip("<>") for name in sink.swallowed)
    keys = Counter(hook.key for hook in received)
    mail_twice = sum((seen - Counter(list(letters)) - swallowed).values())
    hooks_twice = sum(keys.values()) - len(keys)
    found |= {
        "accepted events that are lost": len(orders.accepted - stored),
        "stored events nobody sent": len(stored - orders.accepted - orders.doubtful),
        "messages with another fate than the server gave them": len(
            list(_misjudged(letters.values(), seed))
        ),
        "sent messages that never arrived": sum(
            row.status == "SENT" and name not in seen for name, row in letters.items()
        ),
        "arrivals under a Message-ID that is not stored": len(seen.keys() - letters.keys()),
        "calls that never arrived, or unknown ones": len(calls ^ keys.keys()),
        "messages twice beyond kills x chunk": max(0, mail_twice - kills * mail.CHUNK),
        "calls twice beyond kills x chunk": max(0, hooks_twice - kills * hooks.CHUNK),
    }
    statuses = Counter(row.status for row in letters.values())
    return Counts(
        runs=len(letters),
        sent=statuses["SENT"],
        refused=statuses["FAILED"],
        mail_twice=mail_twice,
        hooks_twice=hooks_twice,
        swallowed=len(swallowed),
        confirmed=confirmed,
        faults={what: number for what, number in found.items() if number},
    )


def _misjudged(letters: Iterable[object], seed: int) -> Iterator[object]:
    """Yield the messages that did not end as the mail server decided."""
    for letter in letters:
        subject, status, error = letter.subject, letter.status, letter.error  # type: ignore[attr-defined]
        expected = "FAILED" if fate_of(subject, seed) == "refused" else "SENT"
        if status != expected or (status == "FAILED" and REFUSAL not in (error or "")):
            yield letter
