"""What can be written at a place, from the text before it and from the bundle."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import dsl
from dsl import nodes
from dsl.walking import every_item
from plunk.editing.sites import Kind, Site, sites_of
from plunk.editing.words import DECLARATIONS, FIELDS, HEADERS, STATEMENTS, SYSTEM_EVENTS

KEY = re.compile(r"\b(?:contact\.)?data\.([^\W\d]\w*)")
EVENT_KEY = re.compile(r"\bevent\.([^\W\d]\w*)")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A word that fits, and one line about it."""

    word: str
    about: str = ""


def complete(bundle: dsl.Bundle, file: str, offset: int) -> list[Suggestion]:
    """Return what fits at a place; the bundle holds the text as it stands there."""
    (text,) = (one.source.text for one in bundle.files if one.source.path == file)
    before = text[text.rfind("\n", 0, offset) + 1 : offset]
    for pattern, suggest in RULES:
        if pattern.search(before):
            return suggest(bundle, file, offset)
    return []


def _named(kind: Kind) -> Callable[[dsl.Bundle, str, int], list[Suggestion]]:
    def suggest(bundle: dsl.Bundle, _file: str, _offset: int) -> list[Suggestion]:
        names = {site.name for site in sites_of(bundle) if site.kind == kind and site.name}
        more = SYSTEM_EVENTS if kind == "event" else ()
        return _sorted({*names, *more}, kind)

    return suggest


def _labels(bundle: dsl.Bundle, file: str, offset: int) -> list[Suggestion]:
    scope = _workflow_at(bundle, file, offset)
    found = {site.name for site in sites_of(bundle) if _is_label_of(site, scope)}
    return _sorted(found, "label")


def _is_label_of(site: Site, scope: str | None) -> bool:
    return site.kind == "label" and site.is_definition and scope in {None, site.scope}


def _workflow_at(bundle: dsl.Bundle, file: str, offset: int) -> str | None:
    """Return the workflow that a place is in; None when the text is too broken to tell."""
    for one, workflow in bundle.workflows():
        if one.source.path == file and workflow.span.start <= offset <= workflow.span.end:
            return workflow.name.value
    return None


def _data_keys(bundle: dsl.Bundle, _file: str, _offset: int) -> list[Suggestion]:
    """Return the keys of contact data that the bundle reads or sets anywhere."""
    read = {key for one in bundle.files for key in KEY.findall(one.source.text)}
    written = {
        pair.key.value
        for _, workflow in bundle.workflows()
        for item in every_item(workflow.body.items)
        if isinstance(item, nodes.UpdateContact)
        for pair in item.updates.pairs
    }
    return _sorted(read | written, "contact data")


def _event_keys(bundle: dsl.Bundle, _file: str, _offset: int) -> list[Suggestion]:
    found = {key for one in bundle.files for key in EVENT_KEY.findall(one.source.text)}
    return _sorted(found, "event data")


def _fields(root: str) -> Callable[[dsl.Bundle, str, int], list[Suggestion]]:
    def suggest(_bundle: dsl.Bundle, _file: str, _offset: int) -> list[Suggestion]:
        own = {name.removeprefix(f"{root}."): about for name, about in FIELDS.items()}
        fields = {name: about for name, about in own.items() if f"{root}.{name}" in FIELDS}
        more = {"data": "Whatever your application stores."} if root == "contact" else {}
        return _about({**fields, **more})

    return suggest


def _words(_bundle: dsl.Bundle, file: str, offset: int) -> list[Suggestion]:
    text = next(one.source.text for one in _bundle.files if one.source.path == file)[:offset]
    is_inside = text.count("{") > text.count("}")
    return _about({**STATEMENTS, **HEADERS} if is_inside else DECLARATIONS)


def _about(words: Mapping[str, str]) -> list[Suggestion]:
    return [Suggestion(word, about) for word, about in sorted(words.items())]


def _sorted(names: Iterable[str], about: str) -> list[Suggestion]:
    return [Suggestion(name, about) for name in sorted(names)]


# The text before the cursor → what fits there; the first that matches counts.
RULES: tuple[tuple[re.Pattern[str], Callable[[dsl.Bundle, str, int], list[Suggestion]]], ...] = (
    (re.compile(r'\bemail\s+"[^"]*$'), _named("template")),
    (re.compile(r'\b(sent|received|opened|clicked|bounced)\s+"[^"]*$'), _named("template")),
    (re.compile(r'\bsegment\s+"[^"]*$'), _named("segment")),
    (re.compile(r'\b(event|track|triggered|count)\s+"[^"]*$'), _named("event")),
    (re.compile(r'\bworkflow\s+"[^"]*$'), _named("workflow")),
    (re.compile(r"(\bgoto|->|\bedge|\bat)\s+@?[\w-]*$"), _labels),
    (re.compile(r"\b(contact\.)?data\.\w*$"), _data_keys),
    (re.compile(r"\bcontact\.\w*$"), _fields("contact")),
    (re.compile(r"\brun\.\w*$"), _fields("run")),
    (re.compile(r"\bevent\.\w*$"), _event_keys),
    (re.compile(r"^\s*\w*$"), _words),
)
