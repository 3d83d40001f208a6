"""The provider for development: a folder of `.eml` files that any mail program opens."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile

from plunk.clock import Clock
from plunk.delivery.headers import UnsendableMessage
from plunk.delivery.message import Message
from plunk.delivery.mime import bare_message_id, to_bytes
from plunk.delivery.outcomes import Accepted, Deferred, Outcome, Refused

_UNSAFE = re.compile(r"[^A-Za-z0-9@_-]+")


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """One line of the outbox: what a list of mails shows."""

    name: str
    written_at: datetime
    to: str
    subject: str


class OutboxProvider:
    """Writes each message to its own file, whole or not at all.

    The file is named after the Message-ID, so a repeated delivery replaces the first.
    """

    def __init__(self, folder: Path, *, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock

    def deliver(self, messages: Sequence[Message]) -> list[Outcome]:
        """Write the messages."""
        return [self._write(message) for message in messages]

    def close(self) -> None:
        """Nothing is open."""

    def list_entries(self, limit: int = 100) -> list[OutboxEntry]:
        """Return the latest messages, newest first."""
        written = [(path.stat().st_mtime, path) for path in self._folder.glob("*.eml")]
        return [_entry(path, mtime) for mtime, path in sorted(written, reverse=True)[:limit]]

    def find_message(self, name: str) -> EmailMessage | None:
        """Return the message that `list_entries` called by this name."""
        path = self._folder / f"{_UNSAFE.sub('', name)}.eml"
        return _read(path) if path.is_file() else None

    def _write(self, message: Message) -> Outcome:
        try:
            content = to_bytes(message, self._clock.now())
            _replace_file(self._folder / f"{_file_name(message)}.eml", content)
        except UnsendableMessage as error:
            return Refused(error.message)
        except OSError as error:
            return Deferred(f"the outbox cannot be written: {error.strerror}")
        return Accepted(bare_message_id(message))


def _file_name(message: Message) -> str:
    """Return a name that is readable, safe on every file system and still unique."""
    bare = bare_message_id(message)
    return f"{_UNSAFE.sub('_', bare)[:80]}-{sha256(bare.encode()).hexdigest()[:12]}"


def _replace_file(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as part:
        part.write(content)
    os.replace(part.name, path)  # noqa: PTH105 - Path.replace is the same with more words


def _entry(path: Path, mtime: float) -> OutboxEntry:
    mail = _read(path)
    written_at = datetime.fromtimestamp(mtime, UTC)
    return OutboxEntry(path.stem, written_at, str(mail["To"]), str(mail["Subject"]))


def _read(path: Path) -> EmailMessage:
    return message_from_bytes(path.read_bytes(), _class=EmailMessage, policy=default)
