"""What in a compiled workflow is longer than can be stored, or cannot be understood."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from plunk.engine.core.headers import Headers
from plunk.errors import BadRequest, Invalid
from plunk.rendering import TemplateSyntaxError, check_template
from plunk.services import triggers

MAX_DESCRIPTION, MAX_STEP_NAME, MAX_EVENT_NAME = 500, 100, 255
MAX_CONFIG_BYTES = 64 * 1024
MAX_STEPS = 1_000


def excesses(workflow: Mapping[str, Any]) -> Iterator[str]:
    """Say what in a workflow by name is too much."""
    if len(workflow["description"] or "") > MAX_DESCRIPTION:
        yield f"the description is longer than {MAX_DESCRIPTION} characters"
    if len(workflow["steps"]) > MAX_STEPS:
        yield f"the workflow has more than {MAX_STEPS} steps"
    for key in ("triggers", "stops", "goals"):
        if any(len(one.get("eventName") or "") > MAX_EVENT_NAME for one in workflow[key]):
            yield f"the name of an event is longer than {MAX_EVENT_NAME} characters"


def step_faults(step: Mapping[str, Any]) -> Iterator[str]:
    """Say what in a step is too much, or cannot be filled in."""
    if len(step["name"]) > MAX_STEP_NAME or len(step["label"] or "") > MAX_STEP_NAME:
        yield f"the name of step {step['name'][:20]!r} has more than {MAX_STEP_NAME} characters"
    if len(json.dumps(step["config"])) > MAX_CONFIG_BYTES:
        yield f"the step {step['name'][:20]!r} takes more than {MAX_CONFIG_BYTES} bytes"
    for name, text in _rendered(step["type"], step["config"]):
        try:
            check_template(text, name)
        except TemplateSyntaxError as error:
            yield error.message


def _rendered(type_: str, config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the texts of a step that are filled in when it runs, each with its name."""
    match type_:
        case "SEND_EMAIL":
            yield from _texts("subject", (config.get("overrides") or {}).get("subject"))
        case "WEBHOOK":
            for name in ("url", "headers", "body"):
                yield from _texts(name, config.get(name))


def _texts(name: str, value: object) -> Iterator[tuple[str, str]]:
    match value:
        case {"$expr": _, **others} if not others:
            return
        case str():
            yield name, value
        case dict():
            for key, item in value.items():
                yield from _texts(f"{name}.{key}", item)
        case list():
            for item in value:
                yield from _texts(name, item)


def misunderstandings(columns: Mapping[str, Any]) -> Iterator[str]:
    """Say what in the headers of a workflow, as they would be stored, cannot be understood."""
    try:
        Headers.from_json(columns["headers"])
        triggers.listening(columns["trigger_config"], columns["headers"])
    except Invalid as error:
        yield from (f"{one.field}: {one.message}" for one in error.problems)
    except BadRequest as error:
        yield error.message
