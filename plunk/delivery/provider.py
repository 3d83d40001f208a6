"""Whoever takes mail from us, and MAIL_URL, which chooses one.

smtp://user:password@host:587?starttls=1&rate=14&timeout=30&chunk=20
smtps://user:password@host:465
outbox://            the folder `outbox` in the instance folder
outbox:///var/mail   another folder
null://              accepts everything, sends nothing

`chunk`, an option of all of them, is how many messages are taken for delivery at once. So many may
be sent a second time, with the same Message-ID, when a worker dies at the wrong moment (I5).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from plunk.clock import Clock
from plunk.delivery.message import Message
from plunk.delivery.null import NullProvider
from plunk.delivery.outbox import OutboxProvider
from plunk.delivery.outcomes import Accepted, Deferred, Outcome, Refused, Unknown
from plunk.delivery.pace import Pace
from plunk.delivery.session import SmtpSettings, Tls
from plunk.delivery.smtp import SmtpProvider
from plunk.errors import Misconfigured

__all__ = ["Accepted", "Deferred", "Outcome", "Provider", "Refused", "Unknown", "open_provider"]

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_OPTIONS = frozenset({"starttls", "rate", "timeout", "chunk"})
CHUNK, MOST_AT_ONCE = 20, 1_000


class Provider(Protocol):
    """Takes messages; the answer to each is an Outcome, never an exception."""

    def deliver(self, messages: Sequence[Message]) -> list[Outcome]:
        """Hand over the messages; one outcome for each, in the same order."""
        ...

    def close(self) -> None:
        """Let go of connections; the provider may still be used afterwards."""
        ...


def open_provider(url: str, *, instance_folder: Path, clock: Clock) -> Provider:
    """Return the provider that MAIL_URL names, or raise Misconfigured with one line."""
    try:
        parts = urlsplit(url)
        opener = _OPENERS.get(parts.scheme)
        if opener is None:
            raise _wrong(f"{parts.scheme or 'nothing'}:// is none of {', '.join(_OPENERS)}")
        chunk_of(url)
        return opener(parts, instance_folder, clock)
    except ValueError as error:  # a port that is no number, a bracket that is not closed
        raise _wrong("it cannot be read as a URL") from error


def chunk_of(url: str) -> int:
    """Return how many messages MAIL_URL wants to be taken at once, or raise Misconfigured."""
    written = dict(parse_qsl(urlsplit(url).query)).get("chunk", str(CHUNK))
    if not written.isascii() or not written.isdigit() or not 1 <= int(written) <= MOST_AT_ONCE:
        raise _wrong(f"chunk must be a whole number from 1 to {MOST_AT_ONCE:,}")
    return int(written)


def _open_smtp(parts: SplitResult, _: Path, clock: Clock) -> Provider:
    options = _options(parts)
    rate = _number(options, "rate", None)
    return SmtpProvider(_smtp_settings(parts, options), clock=clock, pace=Pace(rate))


def _smtp_settings(parts: SplitResult, options: dict[str, str]) -> SmtpSettings:
    if not parts.hostname:
        raise _wrong("it names no host")
    implicit = parts.scheme == "smtps"
    return SmtpSettings(
        host=parts.hostname,
        port=parts.port or (465 if implicit else 587),
        tls=Tls.IMPLICIT if implicit else _starttls(parts.hostname, options),
        username=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        timeout_seconds=_number(options, "timeout", 30) or 30,
    )


def _starttls(host: str, options: dict[str, str]) -> Tls:
    """Encrypt unless told otherwise; only this machine is trusted in the clear."""
    choice = options.get("starttls", "0" if host in _LOOPBACK else "1")
    if choice not in ("0", "1"):
        raise _wrong("starttls must be 0 or 1")
    return Tls.STARTTLS if choice == "1" else Tls.NONE


def _open_outbox(parts: SplitResult, instance_folder: Path, clock: Clock) -> Provider:
    folder = unquote(parts.netloc + parts.path) or "outbox"
    return OutboxProvider(instance_folder / folder, clock=clock)


def _open_null(_: SplitResult, __: Path, ___: Clock) -> Provider:
    return NullProvider()


def _open_ses(_: SplitResult, __: Path, ___: Clock) -> Provider:
    raise _wrong("ses:// is not available in this build; SES also takes smtp://")


_OPENERS: dict[str, Callable[[SplitResult, Path, Clock], Provider]] = {
    "smtp": _open_smtp,
    "smtps": _open_smtp,
    "outbox": _open_outbox,
    "null": _open_null,
    "ses": _open_ses,
}


def _options(parts: SplitResult) -> dict[str, str]:
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if unknown := sorted(set(options) - _OPTIONS):
        raise _wrong(f"it has no option {unknown[0]!r}")
    return options


def _number(options: dict[str, str], name: str, default: float | None) -> float | None:
    if name not in options:
        return default
    try:
        number = float(options[name])
    except ValueError:
        number = 0
    if not 0 < number < 1_000_000:  # noqa: PLR2004 - also refuses NaN
        raise _wrong(f"{name} must be a positive number")
    return number


def _wrong(reason: str) -> Misconfigured:
    return Misconfigured(
        f"MAIL_URL cannot be used: {reason}"
    )  # never quotes it: it holds a password
