"""MAIL_URL, and the providers that need no network."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from plunk.clock import ManualClock
from plunk.delivery import (
    Accepted,
    Deferred,
    MemoryProvider,
    Message,
    Outcome,
    Refused,
    Unknown,
    open_provider,
)
from plunk.delivery.null import NullProvider
from plunk.delivery.outbox import OutboxProvider
from plunk.delivery.pace import Pace
from plunk.delivery.provider import chunk_of
from plunk.delivery.session import SmtpSettings, Tls
from plunk.delivery.smtp import SmtpProvider
from plunk.errors import Misconfigured

CLOCK = ManualClock(datetime(2026, 3, 2, 12, 0, tzinfo=UTC))


def letter(number: int = 1, *, subject: str = "Hello") -> Message:
    """Return a message with its own Message-ID."""
    return Message(f"m{number}@plunk.test", "a@plunk.test", "b@x.test", subject, "<p>Hi</p>")


@pytest.mark.parametrize(
    ("url", "chunk"), [("null://", 20), ("null://?chunk=1000", 1_000), ("smtp://h?chunk=1", 1)]
)
def test_how_many_messages_are_taken_at_once(url: str, chunk: int, tmp_path: Path) -> None:
    open_provider(url, instance_folder=tmp_path, clock=CLOCK).close()
    assert chunk_of(url) == chunk


@pytest.mark.parametrize("chunk", ["0", "1001", "-1", "many", "1.5", "٣"])
@pytest.mark.parametrize("scheme", ["null://", "smtp://h"])
def test_a_chunk_that_cannot_be_taken(scheme: str, chunk: str, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="chunk must be a whole number from 1 to 1,000"):
        open_provider(f"{scheme}?chunk={chunk}", instance_folder=tmp_path, clock=CLOCK)


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("null://", NullProvider),
        ("outbox://", OutboxProvider),
        ("outbox:///tmp/elsewhere", OutboxProvider),
        ("smtp://localhost:1025", SmtpProvider),
        ("smtps://user:p%40ss@mail.x.test?rate=14&timeout=5", SmtpProvider),
    ],
)
def test_a_url_chooses_the_provider(url: str, kind: type, tmp_path: Path) -> None:
    provider = open_provider(url, instance_folder=tmp_path, clock=CLOCK)
    assert isinstance(provider, kind)
    provider.close()


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "nothing://"),
        ("http://x", "http:// is none of"),
        ("smtp://", "names no host"),
        ("smtp://:secret@", "names no host"),
        ("smtp://u:secret@x:port", "cannot be read"),
        ("smtp://[::1", "cannot be read"),
        ("smtp://u:secret@x?starttls=yes", "starttls must be 0 or 1"),
        ("smtp://x?rate=0", "rate must be a positive number"),
        ("smtp://x?rate=fast", "rate must be a positive number"),
        ("smtp://x?rate=nan", "rate must be a positive number"),
        ("smtp://x?tls=1", "no option 'tls'"),
        ("ses://eu-west-1", "not available in this build"),
    ],
)
def test_a_bad_url_gets_one_clear_line(url: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured) as caught:
        open_provider(url, instance_folder=tmp_path, clock=CLOCK)
    assert reason in caught.value.message
    assert "\n" not in caught.value.message
    assert "secret" not in caught.value.message


def test_settings_never_show_the_password() -> None:
    settings = SmtpSettings("x", 25, Tls.STARTTLS, "user", "secret")
    assert "secret" not in repr(settings)


def test_the_outbox_keeps_files_that_can_be_listed_and_read(tmp_path: Path) -> None:
    outbox = OutboxProvider(tmp_path / "box", clock=CLOCK)
    assert outbox.list_entries() == []
    assert outbox.deliver([letter(1), letter(2, subject="Grüße")]) == [
        Accepted("m1@plunk.test"),
        Accepted("m2@plunk.test"),
    ]
    entries = outbox.list_entries()
    assert {(entry.to, entry.subject) for entry in entries} == {
        ("b@x.test", "Hello"),
        ("b@x.test", "Grüße"),
    }
    mail = outbox.find_message(entries[0].name)
    assert mail is not None
    assert mail["Subject"] == entries[0].subject
    assert not list((tmp_path / "box").glob("*.part"))
    assert len(outbox.list_entries(limit=1)) == 1


def test_a_repeated_delivery_replaces_the_first(tmp_path: Path) -> None:
    outbox = OutboxProvider(tmp_path, clock=CLOCK)
    outbox.deliver([letter(), letter()])
    assert len(outbox.list_entries()) == 1


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "nothing", "", ".."])
def test_the_outbox_shows_nothing_else(name: str, tmp_path: Path) -> None:
    (tmp_path / "secret.eml").write_text("Subject: x\n\n")
    assert OutboxProvider(tmp_path / "box", clock=CLOCK).find_message(name) is None


def test_an_outbox_that_cannot_be_written_defers(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (outcome,) = OutboxProvider(tmp_path / "file", clock=CLOCK).deliver([letter()])
    assert isinstance(outcome, Deferred)


def test_an_unsendable_message_spoils_nothing(tmp_path: Path) -> None:
    outbox = OutboxProvider(tmp_path, clock=CLOCK)
    first, second = outbox.deliver([letter(1, subject="a\nb"), letter(2)])
    assert isinstance(first, Refused)
    assert second == Accepted("m2@plunk.test")


def answer_by_id(answers: dict[str, Outcome]) -> Callable[[Message], Outcome]:
    """Return a script for the memory provider."""
    return lambda message: answers.get(message.message_id, Accepted(message.message_id))


def test_memory_remembers_and_plays_its_part() -> None:
    script = answer_by_id({"m1@plunk.test": Deferred("busy", 451), "m2@plunk.test": Unknown("?")})
    provider = MemoryProvider(script)
    outcomes = provider.deliver([letter(1), letter(2), letter(3)])
    assert outcomes == [Deferred("busy", 451), Unknown("?"), Accepted("m3@plunk.test")]
    assert len(provider.attempts) == 3
    assert [message.message_id for message in provider.messages] == [
        "m2@plunk.test",
        "m3@plunk.test",
    ]


def test_null_accepts_everything() -> None:
    assert NullProvider().deliver([letter()]) == [Accepted("m1@plunk.test")]


def test_pace_spaces_messages_evenly() -> None:
    now = [100.0]
    slept: list[float] = []
    pace = Pace(4, monotonic=lambda: now[0], sleep=slept.append)
    pace.wait()
    pace.wait()
    pace.wait()
    now[0] = 200.0
    pace.wait()
    assert slept == [0.25, 0.5]
