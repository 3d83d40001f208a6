"""Changes to the contact: its data and its subscription."""

from __future__ import annotations

from plunk.engine.core.effects import Effect, MergeContact, SetSubscription
from plunk.engine.core.facts import Facts
from plunk.engine.core.outcomes import Done
from plunk.engine.core.steps import UpdateContact
from plunk.expressions import compute

SUBSCRIBED_AFTER = {"subscribe": True, "unsubscribe": False}


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
