"""One SMTP session: opening it, and one transaction after another."""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from plunk.delivery.outcomes import Accepted, Deferred, Outcome, Refused, Unknown
from plunk.errors import PlunkError

_LEADING_DOT = re.compile(rb"^\.", re.MULTILINE)
_MAX_REASON = 500
_OK, _FORWARDED, _GO_AHEAD, _CLOSING, _PERMANENT = 250, 251, 354, 421, 500
_FAILURES = (smtplib.SMTPException, OSError, ValueError)


class Tls(StrEnum):
    """How a session is encrypted."""

    NONE = "none"
    STARTTLS = "starttls"
    IMPLICIT = "implicit"


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """Where and how to connect; `repr` leaves the password out."""

    host: str
    port: int
    tls: Tls
    username: str | None = None
    password: str | None = None
    timeout_seconds: float = 30

    def __repr__(self) -> str:
        return f"SmtpSettings({self.host}:{self.port}, {self.tls})"


@dataclass(frozen=True, slots=True)
class Parcel:
    """A message ready for the wire."""

    id: str
    sender: str
    recipient: str
    content: bytes


class Unreachable(PlunkError):
    """No session could be opened."""


class SessionLost(PlunkError):
    """The session broke before the whole message was handed over."""


class Session:
    """A connection that has said hello; `usable` until it breaks, `dirty` after a failed try."""

    def __init__(self, connection: smtplib.SMTP) -> None:
        self._connection = connection
        self.usable = True
        self.dirty = False

    @classmethod
    def open(cls, settings: SmtpSettings, tls: ssl.SSLContext) -> Session:
        """Connect, encrypt and log in, or raise Unreachable."""
        try:
            connection = _connect(settings, tls)
        except _FAILURES as error:
            raise Unreachable(f"{settings.host}:{settings.port}: {_reason(error)}") from error
        try:
            _greet(connection, settings, tls)
        except _FAILURES as error:
            connection.close()
            raise Unreachable(f"{settings.host}:{settings.port}: {_reason(error)}") from error
        return cls(connection)

    def send(self, parcel: Parcel) -> Outcome:
        """Run one transaction; raises SessionLost if it broke before the end of the data."""
        try:
            if refusal := self._prepare(parcel):
                return self._judge(*refusal)
            self._connection.send(_to_data(parcel.content))
        except _FAILURES as error:
            self._drop()
            raise SessionLost(_reason(error)) from error
        return self._finish(parcel)

    def reset(self) -> bool:
        """Forget a failed transaction; False when nobody answers any more."""
        try:
            code, _ = self._connection.rset()
        except _FAILURES:
            code = _CLOSING
        if code != _OK:
            self._drop()
        self.dirty = False
        return self.usable

    def quit(self) -> None:
        """Say goodbye, if anybody still listens."""
        try:
            if self.usable:
                self._connection.quit()
        except _FAILURES:
            pass
        self._drop()

    def _prepare(self, parcel: Parcel) -> tuple[int, bytes] | None:
        """Go up to the data; return the first answer that is not a yes."""
        for command, argument in self._commands(parcel):
            code, text = self._connection.docmd(command, argument)
            if code not in (_OK, _FORWARDED, _GO_AHEAD):
                return code, text
        return None

    def _commands(self, parcel: Parcel) -> Iterator[tuple[str, str]]:
        size = f" SIZE={len(parcel.content)}" if self._connection.has_extn("size") else ""
        yield "MAIL", f"FROM:<{parcel.sender}>{size}"
        yield "RCPT", f"TO:<{parcel.recipient}>"
        yield "DATA", ""

    def _finish(self, parcel: Parcel) -> Outcome:
        try:
            code, text = self._connection.getreply()
        except _FAILURES as error:
            self._drop()
            return Unknown(f"no answer after the message was sent: {_reason(error)}")
        return Accepted(parcel.id) if code == _OK else self._judge(code, text)

    def _judge(self, code: int, text: bytes) -> Outcome:
        self.dirty = True
        reason = f"{code} {text.decode(errors='replace')}"[:_MAX_REASON]
        if code == _CLOSING:
            self._drop()
        return Refused(reason, code) if code >= _PERMANENT else Deferred(reason, code)

    def _drop(self) -> None:
        self.usable = False
        self._connection.close()


def _to_data(content: bytes) -> bytes:
    """Return the content with its dots doubled and the lone dot that ends it."""
    end = b".\r\n" if content.endswith(b"\r\n") else b"\r\n.\r\n"
    return _LEADING_DOT.sub(b"..", content) + end


def _connect(settings: SmtpSettings, tls: ssl.SSLContext) -> smtplib.SMTP:
    name = socket.gethostname()  # without it smtplib asks the DNS, which may take its time
    if settings.tls is Tls.IMPLICIT:
        return smtplib.SMTP_SSL(
            settings.host, settings.port, name, timeout=settings.timeout_seconds, context=tls
        )
    return smtplib.SMTP(settings.host, settings.port, name, timeout=settings.timeout_seconds)


def _greet(connection: smtplib.SMTP, settings: SmtpSettings, tls: ssl.SSLContext) -> None:
    connection.ehlo_or_helo_if_needed()
    if settings.tls is Tls.STARTTLS:
        if not connection.has_extn("starttls"):
            raise smtplib.SMTPException(
                "the server offers no STARTTLS; add ?starttls=0 to MAIL_URL to send in the clear"
            )
        connection.starttls(context=tls)
        connection.ehlo_or_helo_if_needed()
    if settings.username is not None:
        connection.login(settings.username, settings.password or "")


def _reason(error: Exception) -> str:
    """Return one line; replies come as tuples, and none of them holds our password."""
    if isinstance(error, smtplib.SMTPResponseException):
        text = error.smtp_error
        words = text.decode(errors="replace") if isinstance(text, bytes) else text
        return f"{error.smtp_code} {words}"
    return " ".join(str(error).split()) or type(error).__name__
