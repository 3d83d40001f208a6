"""Performing: effects become rows to write; nothing is sent and nothing is written here."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from plunk.clock import iso
from plunk.engine.core import facts
from plunk.engine.core.effects import (
    CallWebhook,
    Effect,
    Final,
    MergeContact,
    QueueEmail,
    Scope,
    SetSubscription,
)
from plunk.engine.core.progress import Visit
from plunk.engine.core.run import Run
from plunk.engine.shell.load import TemplateText
from plunk.ids import new_id
from plunk.models.email import LANE_TRANSACTIONAL, LANE_WORKFLOW
from plunk.rendering import render
from plunk.services import emails
from plunk.services.emails import EmailDraft
from plunk.services.events import NewEvent
from plunk.services.variables import workflow_variables

Row = dict[str, Any]
CHAIN_WINDOW = timedelta(hours=1)
LINE_BREAK = "The rendered {name} contains a line break; mail headers must not."


@dataclass(slots=True)
class Writes:
    """Everything one batch is going to write."""

    project_id: str
    now: datetime
    dashboard_url: str
    templates: Mapping[str, TemplateText]
    runs: list[tuple[int, Run]] = field(default_factory=list)
    visits: list[Row] = field(default_factory=list)
    closed: list[Row] = field(default_factory=list)
    emails: list[Row] = field(default_factory=list)
    calls: list[Row] = field(default_factory=list)
    subjects: dict[str, facts.Contact] = field(default_factory=dict)  # by run
    contacts: dict[str, facts.Contact] = field(default_factory=dict)  # changed ones, by id
    events: list[NewEvent] = field(default_factory=list)


def perform(writes: Writes, run: Run, visit: Visit) -> Mapping[str, object] | None:
    """Add the rows of a visit's effects and return the visit's output with what they add to it."""
    output = dict(visit.output) if visit.output is not None else None
    for effect in visit.effects:
        added = ACTIONS[type(effect)](writes, run, visit, effect)
        if added and output is not None:
            output |= added
    return output


def depth_after(run: Run, now: datetime) -> int:
    """Return the depth of what this run sets off (I8): a chain counts only while it is quick."""
    return run.depth + 1 if now - run.started_at < CHAIN_WINDOW else 0


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
        depth=depth_after(run, writes.now),
        refusal=effect.refusal or _broken_header(subject),
    )
    row = emails.new_row(writes.project_id, draft, now=writes.now)
    writes.emails.append(row)
    return {"emailId": row["id"], "sentAt": iso(writes.now)}


def _call_webhook(writes: Writes, run: Run, visit: Visit, effect: CallWebhook) -> None:
    variables = _variables(writes, effect.scope)
    headers = {name: _rendered(value, variables) for name, value in effect.headers.items()}
    body = _rendered_json(effect.body, variables)
    writes.calls.append(
        {
            "id": new_id(),
            "project_id": writes.project_id,
            "execution_id": run.id,
            "visit": visit.number,
            "method": effect.method,
            "url": _rendered(effect.url, variables),
            "headers": headers,
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
    contact = writes.subjects[run.id]
    depth = depth_after(run, writes.now)
    writes.events.append(NewEvent(name, contact=contact, depth=depth, cause=run.id))


ACTIONS: dict[type[Effect], Callable[..., Row | None]] = {
    QueueEmail: _queue_email,
    CallWebhook: _call_webhook,
    MergeContact: _merge_contact,
    SetSubscription: _set_subscription,
}


def _variables(writes: Writes, scope: Scope) -> Mapping[str, object]:
    return workflow_variables(scope.contact, scope.context, scope.variables, writes.dashboard_url)


def _rendered(value: object, variables: Mapping[str, object]) -> str:
    return str(value.value) if isinstance(value, Final) else render(str(value), variables)


def _rendered_json(value: object, variables: Mapping[str, object]) -> object:
    match value:
        case Final(value=inner):
            return inner
        case str():
            return render(value, variables)
        case dict():
            return {name: _rendered_json(item, variables) for name, item in value.items()}
        case list():
            return [_rendered_json(item, variables) for item in value]
    return value


def _plain(effect: QueueEmail, name: str, default: str | None) -> str | None:
    value = effect.overrides.get(name, default)
    return value.value if isinstance(value, Final) else value  # type: ignore[return-value] # text either way


def _broken_header(subject: str) -> str | None:
    return LINE_BREAK.format(name="subject") if any(mark in subject for mark in "\r\n") else None
