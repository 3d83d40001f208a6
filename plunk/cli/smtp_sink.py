"""A mail server that delivers nothing: it keeps what it receives, for demonstrations and tests."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from plunk.cli.ports import free_port

ACCEPTED = "250 kept"


@dataclass(frozen=True, slots=True)
class Received:
    """One message as it came over the wire."""

    recipient: str
    content: bytes

    @property
    def message(self) -> EmailMessage:
        """Return the message, taken apart."""
        return message_from_bytes(self.content, _class=EmailMessage, policy=default)

    @property
    def text(self) -> str:
        """Return the plain text part."""
        part = self.message.get_body(("plain",))
        return "" if part is None else str(part.get_content()).strip()


class SmtpSink:
    """Listens on a port of its own while it is entered; to this machine only, unless told else."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self._lock = threading.Lock()
        self._received: list[Received] = []
        self.port = free_port()
        self._controller = Controller(self, hostname=host, port=self.port)

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._controller.stop()

    @property
    def url(self) -> str:
        """Return the MAIL_URL that leads here."""
        return f"smtp://127.0.0.1:{self.port}?starttls=0"

    @property
    def received(self) -> list[Received]:
        """Return what has arrived so far, in order."""
        with self._lock:
            return list(self._received)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Keep one message."""
        content = envelope.original_content or b""
        with self._lock:
            self._received += [Received(recipient, content) for recipient in envelope.rcpt_tos]
        return ACCEPTED
