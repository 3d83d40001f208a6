"""Performing: effects become rows to write; nothing is sent and nothing is written here."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from plunk.clock import iso
from plunk.engine.core import facts
from plunk.engine.core.effects import (
    CallWebhook,
    ChangeMembership,
    Effect,
    Final,
    MergeContact,
    QueueEmail,
    Scope,
    SetSubscription,
    TrackEvent,
)
from plunk.engine.core.progress import Visit
from plunk.engine.core.run import Run
from plunk.engine.shell.hook_secrets import written
from plunk.engine.shell.load import TemplateText
from plunk.ids import new_id
from plunk.models.email import LANE_TRANSACTIONAL, LANE_WORKFLOW
from plunk.rendering import render
from plunk.services import emails
from plunk.services.emails import EmailDraft
from plunk.services.events import NewEvent
from plunk.services.segment_members import Cause
from plunk.services.variables import workflow_variables

Row = dict[str, Any]
LINE_BREAK = "The rendered {name} contains a line break; mail headers must not."


@dataclass(frozen=True, slots=True)
class Membership:
    """A contact to be put into a segment, or taken out, by a run."""

    segment_id: str
    contact_id: str
    is_member: bool
    cause: Cause


@dataclass(slots=True)
class Writes:
    """Everything one batch is going to write."""

    project_id: str
    now: datetime
    dashboard_url: str
    templates: Mapping[str, TemplateText]
    runs: list[tuple[Run, Run]] = field(default_factory=list)  # before and after
    visits: list[Row] = field(default_factory=list)
    closed: list[Row] = field(default_factory=list)
    emails: list[Row] = field(default_factory=list)
    calls: list[Row] = field(default_factory=list)
    subjects: dict[str, facts.Contact] = field(default_factory=dict)  # by run
    contacts: dict[str, facts.Contact] = field(default_factory=dict)  # changed ones, by id
    turned: set[str] = field(default_factory=set)  # contacts that subscribed or unsubscribed
    events: list[NewEvent] = field(default_factory=list)
    memberships: list[Membership] = field(default_factory=list)
    goals: list[tuple[str, str, str]] = field(default_factory=list)  # workflow, run, name
    depth: int = 0  # of the changes to contacts, as of events (I8)


def perform(writes: Writes, run: Run, visit: Visit) -> Mapping[str, object] | None:
    """Add the rows of a visit's effects and return the visit's output with what they add to it."""
    output = dict(visit.output) if visit.output is not None else None
    for effect in visit.effects:
        added = ACTIONS[type(effect)](writes, run, visit, effect)
        if added and output is not None:
            output |= added
    return output


def _queue_email(writes: Writes, run: Run, visit: Visit, effect: QueueEmail) -> Row:
    template = writes.templates[effect.template_id]
    variables = _variables(writes, effect.scope)
    subject = _rendered(effect.overrides.get("subject", template.subject), variables)
    transactional = template.type == "TRANSACTIONAL"
    draft = EmailDraft(
        contact_id=effect.scope.contact.id,
        to_address=effect.address,
        subject=subject,
        body=render(template.body, variables),
        from_address=_plain(effect, "from", template.from_address) or "",
        from_name=_plain(effect, "fromName", template.from_name),
        reply_to=_plain(effect, "replyTo", template.reply_to),
        source_type="TRANSACTIONAL" if transactional else "WORKFLOW",
        type=template.type,
        lane=LANE_TRANSACTIONAL if transactional else LANE_WORKFLOW,
        template_id=template.id,
        execution_id=run.id,
        visit=visit.number,
        depth=run.depth + 1,
        refusal=effect.refusal or _broken_header(subject),
    )
    row = emails.new_row(writes.project_id, draft, now=writes.now)
    writes.emails.append(row)
    return {"emailId": row["id"], "sentAt": iso(writes.now)}


def _call_webhook(writes: Writes, run: Run, visit: Visit, effect: CallWebhook) -> None:
    call_id = new_id()
    texts = Texts(_variables(writes, effect.scope), call_id)
    body = texts.json(effect.body)
    writes.calls.append(
        {
            "id": call_id,
            "project_id": writes.project_id,
            "execution_id": run.id,
            "visit": visit.number,
            "method": effect.method,
            "url": texts.text(effect.url),
            "headers": {name: texts.text(value) for name, value in effect.headers.items()},
            "body": None if effect.method == "GET" else json.dumps(body, ensure_ascii=False),
            "retry": effect.retry
            and {"attempts": effect.retry.attempts, "on": list(effect.retry.on)},
            "next_attempt_at": writes.now,
            "created_at": writes.now,
            "updated_at": writes.now,
        }
    )


def _merge_contact(_writes: Writes, _run: Run, _visit: Visit, _effect: MergeContact) -> None:
    """Add nothing: the contact is stored as the run's facts left it."""


def _set_subscription(writes: Writes, run: Run, _visit: Visit, effect: SetSubscription) -> None:
    name = "contact.subscribed" if effect.subscribed else "contact.unsubscribed"
    _emit(writes, run, name, None)


def _track_event(writes: Writes, run: Run, _visit: Visit, effect: TrackEvent) -> Row:
    return {"eventId": _emit(writes, run, effect.name, effect.data)}


def _change_membership(writes: Writes, run: Run, _visit: Visit, effect: ChangeMembership) -> None:
    contact_id = writes.subjects[run.id].id
    cause = Cause(run.depth + 1, run.id)
    writes.memberships.append(Membership(effect.segment_id, contact_id, effect.is_member, cause))


def _emit(writes: Writes, run: Run, name: str, data: Mapping[str, object] | None) -> str:
    """Keep an event for the end of the batch; it is one deeper than what moved the run (I8)."""
    contact = writes.subjects[run.id]
    event = NewEvent(name, contact=contact, data=data, depth=run.depth + 1, cause=run.id)
    writes.events.append(event)
    return event.id


ACTIONS: dict[type[Effect], Callable[..., Row | None]] = {
    QueueEmail: _queue_email,
    CallWebhook: _call_webhook,
    MergeContact: _merge_contact,
    SetSubscription: _set_subscription,
    TrackEvent: _track_event,
    ChangeMembership: _change_membership,
}


def _variables(writes: Writes, scope: Scope) -> Mapping[str, object]:
    return workflow_variables(scope.contact, scope.context, scope.variables, writes.dashboard_url)


def _rendered(value: object, variables: Mapping[str, object]) -> str:
    return str(value.value) if isinstance(value, Final) else render(str(value), variables)


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts of one call: rendered once, with marks in the place of secrets."""

    variables: Mapping[str, object]
    call_id: str

    def text(self, value: object) -> str:
        """Return an address or the value of a header."""
        return str(self.json(value))

    def json(self, value: object) -> object:
        """Return a JSON value; what is final is not rendered."""
        match value:
            case Final(value=inner):
                return written(inner, self.call_id)
            case str():
                return render(value, self.variables)
            case dict():
                return {name: self.json(item) for name, item in value.items()}
            case list():
                return [self.json(item) for item in value]
        return value


def _plain(effect: QueueEmail, name: str, default: str | None) -> str | None:
    value = effect.overrides.get(name, default)
    return value.value if isinstance(value, Final) else value  # type: ignore[return-value] # text either way


def _broken_header(subject: str) -> str | None:
    return LINE_BREAK.format(name="subject") if any(mark in subject for mark in "\r\n") else None
