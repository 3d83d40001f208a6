"""The template of a step: named beside its configuration or inside it, and kept in both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from plunk.errors import FieldProblem, Invalid
from plunk.services import templates
from plunk.values import UNSET, Unset

KEY = "templateId"


class Settled(NamedTuple):
    """A step's configuration and template, agreeing with each other."""

    config: dict[str, Any]
    template_id: str | None


def settle(
    session: Session,
    project_id: str,
    step_type: str,
    config: Mapping[str, Any],
    *,
    template_id: str | Unset | None = UNSET,
    stored: str | None = None,
) -> Settled:
    """Return what to store; TemplateNotFound when the project has no such template.

    What stands beside the configuration wins over what stands in it; where neither says anything,
    the `stored` template stays.
    """
    chosen = _chosen(step_type, config, template_id, stored)
    if chosen is not None and chosen != stored:
        chosen = templates.get_locked(session, project_id, chosen).id
    if step_type != "SEND_EMAIL":
        return Settled(dict(config), chosen)
    kept = {key: value for key, value in config.items() if key != KEY}
    return Settled(kept if chosen is None else {**kept, KEY: chosen}, chosen)


def _chosen(
    step_type: str, config: Mapping[str, Any], template_id: str | Unset | None, stored: str | None
) -> str | None:
    if not isinstance(template_id, Unset):
        return template_id
    if step_type != "SEND_EMAIL" or KEY not in config:
        return stored
    named = config[KEY]
    if named is not None and not isinstance(named, str):
        raise Invalid([FieldProblem(f"config.{KEY}", "Expected string", "invalid_type")])
    return named or None
