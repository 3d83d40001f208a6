"""What history says after a step has made history itself, within the same advance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from plunk.conditions.matches import matches
from plunk.conditions.nodes import Condition, Count, Events, History, Membership
from plunk.conditions.operators.workflow import OPERATORS
from plunk.engine.core.effects import ChangeMembership, Effect, SetSubscription, TrackEvent
from plunk.engine.core.facts import Facts
from plunk.engine.core.signals import canonical_name, event_context
from plunk.errors import PlunkError

SUBSCRIPTION_EVENTS = {True: "contact.subscribed", False: "contact.unsubscribed"}


def after(facts: Facts, effects: Iterable[Effect]) -> Facts:
    """Return the facts with the answers as they are once the effects are performed."""
    if not facts.answers:
        return facts
    for effect in effects:
        match effect:
            case TrackEvent(name, data):
                facts = facts.with_answers(_after_event(facts, canonical_name(name), data))
            case SetSubscription(subscribed):
                name = SUBSCRIPTION_EVENTS[subscribed]
                facts = facts.with_answers(_after_event(facts, name, None))
            case ChangeMembership(segment_id, is_member):
                asked = Membership(segment_id)
                facts = facts.with_answers({asked: is_member} if asked in facts.answers else {})
    return facts


def _after_event(
    facts: Facts, name: str, data: Mapping[str, object] | None
) -> dict[History, object]:
    changed: dict[History, object] = {}
    for asked, answer in facts.answers.items():
        match asked:
            case Events(event, where) if event == name and _meets(where, data, facts):
                changed[asked] = facts.now
            case Count(event, where) if event == name and _meets(where, data, facts):
                changed[asked] = answer + 1 if isinstance(answer, int) else 1
    return changed


def _meets(where: Condition | None, data: Mapping[str, object] | None, facts: Facts) -> bool:
    try:
        return where is None or matches(where, replace(facts, event=event_context(data)), OPERATORS)
    except PlunkError:
        return False
