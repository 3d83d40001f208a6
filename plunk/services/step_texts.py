"""Steps as lines of the language, without what only its owner should read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from plunk.services.flow_graphs import FlowStep

HIDDEN, HIDDEN_CHANGED = "[hidden]", "[hidden, changed]"


@dataclass(frozen=True, slots=True)
class StepText:
    """What a step says before and after, in lines of the language; empty without words."""

    old: Sequence[str] = ()
    new: Sequence[str] = ()


def concealed(step: FlowStep, before: FlowStep | None = None) -> FlowStep:
    """Return a step without the values that stand plainly in the headers of its web hook.

    Such a value is often a token. What is another one than `before` is told as changed.
    """
    headers = _headers(step)
    if not headers:
        return step
    known = _headers(before) if before else {}
    hidden = {name: _hidden(value, known.get(name)) for name, value in headers.items()}
    return replace(step, config={**step.config, "headers": hidden})


def _headers(step: FlowStep) -> Mapping[str, Any]:
    headers = step.config.get("headers") if step.type == "WEBHOOK" else None
    is_plain = isinstance(headers, dict) and not any(name.startswith("$") for name in headers)
    return headers if is_plain and isinstance(headers, dict) else {}


def _hidden(value: Any, before: Any) -> Any:  # noqa: ANN401 - JSON
    if _is_computed(value):
        return value
    is_other = before is not None and not _is_computed(before) and before != value
    return HIDDEN_CHANGED if is_other else HIDDEN


def _is_computed(value: Any) -> bool:  # noqa: ANN401 - JSON
    """Tell whether a value only says where it comes from."""
    return isinstance(value, dict)
