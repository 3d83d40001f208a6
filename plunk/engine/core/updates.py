"""Steps that change what is known about the contact: its data, its segments, its history."""

from __future__ import annotations

from plunk.engine.core.effects import (
    ChangeMembership,
    Effect,
    MergeContact,
    SetSubscription,
    TrackEvent,
)
from plunk.engine.core.facts import Facts
from plunk.engine.core.outcomes import Done
from plunk.engine.core.steps import ChangeSegment, Track, UpdateContact
from plunk.errors import InvalidExpression, NotFound
from plunk.expressions import compute

SUBSCRIBED_AFTER = {"subscribe": True, "unsubscribe": False}
STATIC = "STATIC"


def update_contact(action: UpdateContact, facts: Facts) -> Done:
    """Change the contact; what comes later in the same advance sees it changed."""
    patch = {key: compute(value, facts) for key, value in action.updates.items()}
    before = facts.contact.subscribed
    subscribed = SUBSCRIBED_AFTER.get(action.subscription_action, before)
    effects: list[Effect] = []
    if patch:
        effects.append(MergeContact(patch))
        facts = facts.with_contact_data(patch)
    if subscribed != before:
        effects.append(SetSubscription(subscribed))
        facts = facts.with_subscribed(subscribed)
    output = {
        "updated": True,
        "updates": patch,
        "newData": facts.contact.data,
        "subscriptionAction": action.subscription_action,
        "subscribed": subscribed,
    }
    return Done(output, effects=tuple(effects), facts=facts)


def track(action: Track, facts: Facts) -> Done:
    """Emit an event; the contact's own data stays as it is."""
    data = None if action.data is None else compute(action.data, facts)
    if data is not None and not isinstance(data, dict):
        raise InvalidExpression("the data of an event must be an object")
    output = {"tracked": True, "eventName": action.event_name, "data": data}
    return Done(output, effects=(TrackEvent(action.event_name, data),))


def change_segment(action: ChangeSegment, facts: Facts) -> Done:
    """Put the contact into a static segment, or take it out."""
    type_ = facts.world.segments.get(action.segment_id)
    if type_ is None:
        raise NotFound(action.segment_id, resource=f"Segment {action.segment_id}")
    if type_ != STATIC:
        raise InvalidExpression("contacts cannot be added to a dynamic segment or removed from it")
    effect = ChangeMembership(action.segment_id, is_member=action.action == "add")
    output = {"segmentId": action.segment_id, "action": action.action}
    return Done(output, effects=(effect,))
