"""The subject's own clock: its time zone, and the hours in which it is left in peace."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from plunk.engine.core.facts import Facts
from plunk.engine.core.headers import Headers
from plunk.engine.core.steps import SendEmail
from plunk.engine.core.zones import find_zone, window_end
from plunk.errors import PlunkError
from plunk.expressions import compute

EXEMPT = "TRANSACTIONAL"


def zone_of(headers: Headers, facts: Facts) -> ZoneInfo:
    """Return the zone that the header names for this subject, or its default, or the project's."""
    header = headers.timezone
    own = _own_zone(header.field, facts) if header else None
    default = header.default if header else None
    return own or find_zone(default) or find_zone(facts.world.zone) or ZoneInfo("UTC")


def _own_zone(field: object, facts: Facts) -> ZoneInfo | None:
    try:
        return find_zone(compute(field, facts))
    except PlunkError:  # a subject whose zone cannot be found out has the default
        return None


def quiet_until(headers: Headers, action: SendEmail, facts: Facts) -> datetime | None:
    """Return until when a message has to wait; None when it need not."""
    quiet, template = headers.quiet_hours, facts.templates.get(action.template_id)
    if quiet is None or template is None or template.type == EXEMPT:
        return None
    end = window_end(facts.now, quiet.start, quiet.end, zone_of(headers, facts))
    return end.astimezone(UTC) if end else None
