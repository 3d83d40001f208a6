"""What would have left the house: messages and calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from plunk.engine.core.effects import Final, QueueEmail, Scope
from plunk.expressions import Concealed
from plunk.rendering import render
from plunk.services.variables import workflow_variables
from plunk.simulation.catalogue import Letterhead
from plunk.simulation.people import Walker

DASHBOARD = "https://app.example.com"
LINE_BREAK = "The rendered subject contains a line break; mail headers must not."


@dataclass(slots=True, eq=False)
class Mail:
    """One message; with an `error` it was not sent."""

    number: int
    at: datetime
    walker: Walker
    step: str
    template: str
    letterhead: Letterhead
    to: str
    subject: str
    sender: str
    sender_name: str | None
    reply_to: str | None
    depth: int
    variables: Mapping[str, object]
    error: str | None = None
    activities: dict[str, datetime] = field(default_factory=dict)

    @property
    def body(self) -> str:
        """The rendered body."""
        return render(self.letterhead.body, self.variables)

    @property
    def needs_consent(self) -> bool:
        """Whether only a subscribed contact may get it; other recipients were chosen."""
        is_own = self.to == self.walker.person.contact.email
        return is_own and self.letterhead.type != "TRANSACTIONAL"

    @property
    def lane(self) -> int:
        """How urgent it is; the lowest number goes first."""
        return 0 if self.letterhead.type == "TRANSACTIONAL" else 1


@dataclass(slots=True, eq=False)
class Call:
    """One web hook call, and how it was answered."""

    number: int
    at: datetime
    walker: Walker
    step: str
    visit: int
    method: str
    url: str
    headers: Mapping[str, object]
    body: object
    status: int | None = None
    answer: object = None
    error: str | None = None
    is_mocked: bool = False


@dataclass(frozen=True, slots=True)
class Origin:
    """Where in a world something leaves the house."""

    number: int
    at: datetime
    walker: Walker
    step: str
    depth: int


def mail_of(origin: Origin, effect: QueueEmail, letterhead: Letterhead) -> Mail:
    """Return the message that a step asks for."""
    variables = variables_of(effect.scope)
    subject = _rendered(effect.overrides.get("subject", letterhead.subject), variables)
    broken = LINE_BREAK if any(mark in subject for mark in "\r\n") else None
    return Mail(
        number=origin.number,
        at=origin.at,
        walker=origin.walker,
        step=origin.step,
        template=effect.template_id,
        letterhead=letterhead,
        to=effect.address,
        subject=subject,
        sender=_plain(effect, "from", letterhead.sender) or "",
        sender_name=_plain(effect, "fromName", letterhead.sender_name),
        reply_to=_plain(effect, "replyTo", letterhead.reply_to),
        depth=origin.depth,
        variables=variables,
        error=effect.refusal or broken,
    )


def variables_of(scope: Scope) -> Mapping[str, object]:
    """Return what the texts of a step may use."""
    return workflow_variables(scope.contact, scope.context, scope.variables, DASHBOARD)


def filled(value: object, variables: Mapping[str, object]) -> object:
    """Return a JSON value with its texts rendered; secrets stay marks."""
    match value:
        case Final(value=inner):
            return shown(inner)
        case str():
            return render(value, variables)
        case Mapping():
            return {name: filled(item, variables) for name, item in value.items()}
        case list():
            return [filled(item, variables) for item in value]
    return value


def shown(value: object) -> object:
    """Return a JSON value with every secret in it as its mark."""
    match value:
        case Concealed():
            return value.shown
        case Mapping():
            return {name: shown(item) for name, item in value.items()}
        case list():
            return [shown(item) for item in value]
    return value


def _rendered(value: object, variables: Mapping[str, object]) -> str:
    return str(value.value) if isinstance(value, Final) else render(str(value), variables)


def _plain(effect: QueueEmail, name: str, default: str | None) -> str | None:
    value = effect.overrides.get(name, default)
    plain = value.value if isinstance(value, Final) else value
    return None if plain is None else str(plain)
