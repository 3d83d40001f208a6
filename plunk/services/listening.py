"""Whether an event meets the condition of whoever listens for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog

from plunk.conditions.matches import matches
from plunk.conditions.operators.workflow import OPERATORS
from plunk.conditions.tree import from_json
from plunk.engine.core.facts import Facts
from plunk.errors import InvalidCondition, InvalidExpression

log = structlog.get_logger()


def is_met(condition: Mapping[str, Any] | None, known: Facts) -> bool:
    """Tell whether a stored condition holds; one that cannot be computed does not.

    An event is never refused because somebody's filter divides by zero.
    """
    if condition is None:
        return True
    try:
        return matches(from_json(condition), known, OPERATORS)
    except (InvalidCondition, InvalidExpression) as error:
        log.warning("condition.failed", reason=error.message)
        return False
