"""One call of a web hook: what it sends, how it ended, and what its run is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeAlias

from plunk.delivery.retry import HOOKS, Schedule
from plunk.engine.shell import hook_secrets
from plunk.engine.shell.hook_secrets import Known
from plunk.outbound import Answer, OutboundError, OutgoingRequest
from plunk.services.masking import masked

LONG_WAIT = timedelta(minutes=5)
USER_AGENT = "plunk-py"
Send: TypeAlias = Callable[[OutgoingRequest], Answer]


class Call(NamedTuple):
    """One leased call."""

    id: str
    execution_id: str
    visit: int
    method: str
    url: str
    headers: dict[str, str]
    body: str | None
    retry: dict[str, Any] | None
    attempts: int
    created_at: datetime

    def secret_names(self) -> set[str]:
        """Return the names of the secrets that the call needs."""
        return hook_secrets.names_in(self.id, self.url, *self.headers.values(), self.body)

    def request(self, known: Known) -> OutgoingRequest:
        """Return what to send; the configured headers override the usual ones."""
        usual = {
            "Content-Type": "application/json",
            "Idempotency-Key": self.id,
            "User-Agent": USER_AGENT,
        }
        given = {name.lower() for name in self.headers}
        kept = {name: value for name, value in usual.items() if name.lower() not in given}
        own = {
            name: hook_secrets.revealed(self.id, value, known)
            for name, value in self.headers.items()
        }
        url = hook_secrets.revealed(self.id, self.url, known)
        body = hook_secrets.revealed_json(self.id, self.body or "", known)
        sent = None if self.body is None else body.encode()
        return OutgoingRequest(self.method, url, {**kept, **own}, sent)


@dataclass(frozen=True, slots=True)
class Result:
    """How one attempt ended: with an answer, or with an error that may be worth another try."""

    answer: Answer | None = None
    error: str | None = None
    retriable: bool = False


def attempt(send: Send, call: Call, known: Known) -> Result:
    """Make the call, and return how it ended; whatever happens, it ends this call only (I7)."""
    if missing := sorted(call.secret_names() - known.keys()):
        return Result(error=f"the project has no secret {missing[0]}")
    own = {name: known[name] for name in call.secret_names()}
    try:
        answer = send(call.request(own))
        return Result(answer=hook_secrets.struck_out(answer, own))
    except OutboundError as error:
        return Result(error=masked(error.message, own), retriable=error.retriable)
    except Exception as error:  # noqa: BLE001 - an odd answer, say
        return Result(error=masked(f"{type(error).__name__}: {error}", own))


def is_worth_retrying(call: Call, result: Result) -> bool:
    """Tell whether the call should be made again, if that is not too late."""
    if result.answer is None:
        return result.retriable
    return result.answer.status in (call.retry or {}).get("on", ())


def schedule_of(call: Call) -> Schedule:
    """Return when to make the call again, as its step says."""
    if not call.retry:
        return HOOKS
    extra = max(0, call.retry["attempts"] - HOOKS.attempts)
    waits = (*HOOKS.waits, *(LONG_WAIT,) * extra)
    return Schedule(waits[: call.retry["attempts"] - 1])


def signal_of(call: Call, result: Result) -> dict[str, Any]:
    """Return what the run is told."""
    answer = result.answer
    return {
        "type": "call",
        "call": call.visit,
        "status": answer and answer.status,
        "body": answer and _parsed(answer),
        "error": result.error,
        "url": answer.url if answer else hook_secrets.shown(call.id, call.url),
    }


def _parsed(answer: Answer) -> object:
    """Return the answer's JSON value when it is one that a database can hold, else its text."""
    text = answer.body.replace("\0", "")
    if "json" not in answer.content_type and not text.startswith(("{", "[")):
        return text
    try:
        value: object = json.loads(text, parse_constant=_refuse)
        json.dumps(value, allow_nan=False).encode()
    except (ValueError, RecursionError):
        return text
    return text if "\\u0000" in text or "\\ud" in text.lower() else value


def _refuse(constant: str) -> None:
    raise ValueError(constant)
