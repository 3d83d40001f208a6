"""What single statements must say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsl import nodes
from dsl.check_branches import check_branching
from dsl.check_emails import check_email
from dsl.check_pauses import check_pause
from dsl.check_values import check_event, check_values
from dsl.check_webhooks import check_webhook
from dsl.conditions import is_object
from dsl.diagnostics import Diagnostic, fix, report
from dsl.suggestions import advice
from dsl.walking import conditions, every_item, values

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dsl.spans import Source

STEP_TYPES = (
    *("SEND_EMAIL", "DELAY", "WAIT_FOR_EVENT", "CONDITION", "SPLIT", "WEBHOOK"),
    *("UPDATE_CONTACT", "TRACK", "SEGMENT", "EXIT"),
)
# Never stored among a contact's data, whoever asks.
_RESERVED_KEYS = frozenset(
    {"id", "plunk_id", "plunk_email", "email", "unsubscribeUrl", "subscribeUrl", "manageUrl"}
)
_SYSTEM_EVENTS = frozenset({"contact.subscribed", "contact.unsubscribed"})


def check_statements(source: Source, workflow: nodes.Workflow) -> Iterator[Diagnostic]:
    """Report what is wrong with each statement, and with the values of headers too."""
    for item in every_item(workflow.body.items):
        may_conceal = isinstance(item, nodes.Webhook | nodes.RawStep)
        found = check_values(source, values(item), conditions(item), may_conceal=may_conceal)
        yield from found
        yield from check_pause(source, item)
        yield from check_branching(source, item)
        yield from _statement(source, item)


def is_system_event(name: str) -> bool:
    """Tell whether only the product itself sends events of this name."""
    if name.startswith("segment."):
        return name.endswith((".entry", ".exit"))
    return name.startswith("email.") or name in _SYSTEM_EVENTS


def _statement(source: Source, item: nodes.Item) -> Iterator[Diagnostic]:
    match item:
        case nodes.SendEmail():
            yield from check_email(source, item)
        case nodes.Webhook():
            yield from check_webhook(source, item)
        case nodes.UpdateContact(updates):
            yield from _update(source, updates)
        case nodes.Track(event):
            yield from _track(source, event)
        case nodes.ChangeMembership(_, segment) | nodes.OnSegment(segment):
            yield from _segment(source, segment)
        case nodes.OnSchedule(segment=segment):
            yield from _segment(source, segment)
        case nodes.Exit(reason) if reason and not reason.value:
            message = "an empty reason counts as none; remove it, or give one"
            edits = (fix(source, reason.span, ""),)
            yield report(source, "FLOW-W414", reason.span, message, fixes=edits)
        case nodes.RawStep():
            yield from _raw_step(source, item)


def _update(source: Source, updates: nodes.Object) -> Iterator[Diagnostic]:
    if not (updates.pairs or updates.is_damaged):
        message = "nothing is updated; write at least one key: value"
        yield report(source, "FLOW-E305", updates.span, message)
    for pair in updates.pairs:
        key = pair.key.value
        if key in _RESERVED_KEYS:
            message = f"{key!r} belongs to the contact itself and cannot be updated here"
            yield report(source, "FLOW-E336", pair.key.span, message)
        elif not key.strip():
            yield report(source, "FLOW-E313", pair.key.span, "a key needs a name")


def _track(source: Source, event: nodes.Text) -> Iterator[Diagnostic]:
    yield from check_event(source, event)
    if is_system_event(event.value):
        message = f"only the product itself sends {event.value!r}; choose another name"
        yield report(source, "FLOW-E330", event.span, message)


def _segment(source: Source, segment: nodes.Reference) -> Iterator[Diagnostic]:
    if not segment.value.strip():
        yield report(source, "FLOW-E313", segment.span, "a segment needs a name")


def _raw_step(source: Source, step: nodes.RawStep) -> Iterator[Diagnostic]:
    kind = step.type.value
    if kind not in STEP_TYPES and kind != "TRIGGER":
        hint, edits = advice(source, step.type.span, kind, STEP_TYPES)
        message = f"there is no step of type {kind!r}; known are {', '.join(STEP_TYPES)}"
        yield report(source, "FLOW-E335", step.type.span, message, hint=hint, fixes=edits)
    if step.json is not None and not is_object(step.json.value):
        message = "behind json stands a configuration as the API takes it: a JSON object"
        yield report(source, "FLOW-E306", step.json.span, message)
