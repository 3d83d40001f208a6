"""Digests: whether a deployment would still do what its plan says.

A digest covers the files, what becomes of runs under way, and everything in the project that they
touch: where names lead, the content of templates and segments, and the revision and graph of each
workflow.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from plunk.services import flow_reading, flow_templates
from plunk.services.flow_locating import Located
from plunk.services.flow_references import Json, renamed
from plunk.services.in_flight import Policy


def digest(located: Located, files: Mapping[str, str], in_flight: Policy) -> str:
    """Return what stands for a bundle, the policy and the state of all that they touch."""
    stated = {
        "files": dict(files),
        "inFlight": in_flight,
        "templates": _templates(located),
        "segments": _segments(located),
        "workflows": _workflows(located),
        "meant": _meant(located),
    }
    text = json.dumps(stated, sort_keys=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def _templates(located: Located) -> Json:
    declared = {template["name"] for template in located.written.templates}
    return {
        template.id: flow_templates.declared(template)
        for name, stored in located.targets.shelf.by_name.items()
        for template in stored
        if name in declared
    }


def _segments(located: Located) -> Json:
    found = (
        located.targets.segment({"name": segment["name"]}) for segment in located.written.segments
    )
    return {segment.id: flow_reading.segment_of(segment) for segment in found if segment}


def _workflows(located: Located) -> Json:
    return {
        one.workflow.id: {"revision": one.workflow.revision, **one.graph.to_json()}
        for one in located.stored.values()
    }


def _meant(located: Located) -> list[Json]:
    """Return the declarations with what their names stand for, as far as it exists."""
    known, written = located.targets.known, located.written
    declared: list[Json] = [*written.segments, *written.workflows]
    return [renamed(one, known.to_id) for one in declared]
