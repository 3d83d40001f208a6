"""SMTP with sessions that are kept and shared between threads."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from plunk.clock import Clock
from plunk.delivery.addresses import to_ascii
from plunk.delivery.headers import UnsendableMessage
from plunk.delivery.message import Message
from plunk.delivery.mime import bare_message_id, to_bytes
from plunk.delivery.outcomes import Deferred, Outcome, Refused
from plunk.delivery.pace import Pace
from plunk.delivery.session import Parcel, Session, SessionLost, SmtpSettings, Unreachable

_IDLE_SECONDS = 2.0
_MAX_IDLE_SESSIONS = 4


class SmtpProvider:
    """Delivers over SMTP; safe to share between threads, each delivery uses a session alone.

    TLS is verified. Answers 4xx and everything that fails before the whole message was handed
    over are Deferred, 5xx is Refused, a connection lost after that is Unknown.
    """

    def __init__(
        self,
        settings: SmtpSettings,
        *,
        clock: Clock,
        tls: ssl.SSLContext | None = None,
        pace: Pace | None = None,
    ) -> None:
        self._clock = clock
        self._pace = pace or Pace(None)
        self._pool = _Pool(settings, tls or ssl.create_default_context())

    def deliver(self, messages: Sequence[Message]) -> list[Outcome]:
        """Hand over the messages one by one; one that is refused never spoils the next."""
        outcomes: list[Outcome] = []
        for message in messages:
            try:
                outcomes.append(self._deliver(message))
            except Unreachable as error:  # the rest would only wait for the same time-out
                missing = len(messages) - len(outcomes)
                return outcomes + [Deferred(error.message)] * missing
        return outcomes

    def close(self) -> None:
        """End the idle sessions."""
        self._pool.close()

    def _deliver(self, message: Message) -> Outcome:
        try:
            parcel = self._pack(message)
        except UnsendableMessage as error:
            return Refused(error.message)
        self._pace.wait()
        try:
            return self._pool.send(self._pool.take(), parcel)
        except SessionLost:  # a kept session may have died of age; a new one gets one try
            return self._send_afresh(parcel)

    def _send_afresh(self, parcel: Parcel) -> Outcome:
        try:
            return self._pool.send(self._pool.open(), parcel)
        except SessionLost as error:
            return Deferred(error.message)

    def _pack(self, message: Message) -> Parcel:
        return Parcel(
            id=bare_message_id(message),
            sender=to_ascii(message.envelope_from or message.from_address),
            recipient=to_ascii(message.to_address),
            content=to_bytes(message, self._clock.now()),
        )


@dataclass(frozen=True, slots=True)
class _Idle:
    session: Session
    since: float


class _Pool:
    """Idle sessions, the youngest on top."""

    def __init__(self, settings: SmtpSettings, tls: ssl.SSLContext) -> None:
        self._settings = settings
        self._tls = tls
        self._lock = threading.Lock()
        self._idle: list[_Idle] = []

    def open(self) -> Session:
        """Return a new session, or raise Unreachable."""
        return Session.open(self._settings, self._tls)

    def take(self) -> Session:
        """Return a session that answers."""
        while idle := self._pop():
            rested = time.monotonic() - idle.since < _IDLE_SECONDS
            if (rested and not idle.session.dirty) or idle.session.reset():
                return idle.session
        return self.open()

    def send(self, session: Session, parcel: Parcel) -> Outcome:
        """Send, then keep the session if it is still of use."""
        try:
            return session.send(parcel)
        finally:
            self._keep(session)

    def close(self) -> None:
        while idle := self._pop():
            idle.session.quit()

    def _pop(self) -> _Idle | None:
        with self._lock:
            return self._idle.pop() if self._idle else None

    def _keep(self, session: Session) -> None:
        with self._lock:
            if session.usable and len(self._idle) < _MAX_IDLE_SESSIONS:
                self._idle.append(_Idle(session, time.monotonic()))
                return
        session.quit()
