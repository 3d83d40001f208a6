"""Names that conditions share with what is stored: events and e-mail activities."""

from __future__ import annotations

# Both spellings of these events are in use; the present tense is what is stored.
EVENT_ALIASES = {
    "email.opened": "email.open",
    "email.clicked": "email.click",
    "email.delivered": "email.delivery",
    "email.bounced": "email.bounce",
    "email.complained": "email.complaint",
}
ACTIVITIES = ("sent", "delivered", "opened", "clicked", "bounced", "complained")
ACTIVITY_ALIASES = {
    "delivery": "delivered",
    "open": "opened",
    "click": "clicked",
    "bounce": "bounced",
    "complaint": "complained",
}


def canonical_event(name: str) -> str:
    """Return the name under which an event is stored."""
    return EVENT_ALIASES.get(name, name)


def canonical_activity(name: str) -> str | None:
    """Return what an e-mail activity is called in conditions, or None when there is none such."""
    activity = ACTIVITY_ALIASES.get(name, name)
    return activity if activity in ACTIVITIES else None
