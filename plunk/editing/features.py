"""Answers about one place of a bundle: what it is, where it is declared, how to rename it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import dsl
from dsl import nodes
from dsl.spans import Span
from plunk.editing.sites import Site, site_at, sites_of
from plunk.editing.words import MEANINGS

LABEL = re.compile(r"\w[\w-]*")
WORD = re.compile(r"[\w.]+")


@dataclass(frozen=True, slots=True)
class Edit:
    """A piece of a file to be replaced."""

    file: str
    span: Span
    text: str


def definitions(bundle: dsl.Bundle, file: str, offset: int) -> list[Site]:
    """Return where the thing at a place is declared, labelled or tracked."""
    sites = sites_of(bundle)
    here = site_at(sites, file, offset)
    if here is None:
        return []
    return [site for site in sites if site.is_definition and site.is_same_thing(here)]


def references(bundle: dsl.Bundle, file: str, offset: int) -> list[Site]:
    """Return every place that names the thing at a place."""
    sites = sites_of(bundle)
    here = site_at(sites, file, offset)
    return [site for site in sites if here and site.is_same_thing(here)]


def rename(bundle: dsl.Bundle, file: str, offset: int, name: str) -> list[Edit]:
    """Return the edits that rename a label everywhere in its workflow.

    Raises ValueError, with what to do, for anything that is no label, for a name that no label can
    have, and for one that another label of the workflow has.
    """
    sites = sites_of(bundle)
    here = site_at(sites, file, offset)
    if here is None or here.kind != "label":
        raise ValueError("Only labels can be renamed; put the cursor on one.")
    wanted = name.removeprefix("@")
    if not LABEL.fullmatch(wanted):
        raise ValueError("A label is made of letters, digits, _ and -.")
    taken = {one.name for one in sites if one.kind == "label" and one.scope == here.scope}
    if wanted in taken - {here.name}:
        raise ValueError(f"There is a label @{wanted} in this workflow already.")
    return [
        Edit(site.file, site.span, _as_written(bundle, site, wanted))
        for site in sites
        if site.is_same_thing(here)
    ]


def hover(bundle: dsl.Bundle, file: str, offset: int) -> str | None:
    """Return what a place means and what is wrong with it, as Markdown."""
    here = site_at(sites_of(bundle), file, offset)
    word = None if here else _word_at(bundle, file, offset)
    meaning = "\n\n".join(_about(bundle, here)) if here else MEANINGS.get(word or "")
    return "\n\n---\n\n".join(filter(None, [meaning, explanation(bundle, file, offset)])) or None


def explanation(bundle: dsl.Bundle, file: str, offset: int) -> str | None:
    """Return the page about the first mistake or doubt at a place, as Markdown."""
    (source,) = (one.source for one in bundle.files if one.source.path == file)
    place = source.range(Span(offset, offset)).start
    for one in dsl.check(bundle):
        if one.file == file and one.range.start <= place <= one.range.end:
            page = dsl.explain(one.code)
            return _page(page) if page else None
    return None


def _page(page: dsl.Page) -> str:
    example = f"```flow\n{page.right}\n```"
    heading = f"**{page.code}: {page.title}**"
    return "\n\n".join(filter(None, [heading, page.text, example, page.remark]))


def _as_written(bundle: dsl.Bundle, site: Site, name: str) -> str:
    """Return a label with its sign, where it has been written with one."""
    (source,) = (one.source for one in bundle.files if one.source.path == site.file)
    return f"@{name}" if source.text.startswith("@", site.span.start) else name


def _about(bundle: dsl.Bundle, site: Site) -> Iterator[str]:
    yield f"**{site.kind} {site.name}**"
    match site.kind:
        case "template":
            yield from _about_template(bundle, site.name)
        case "segment":
            yield from _about_segment(bundle, site.name)
        case "event":
            yield from _about_event(bundle, site.name)


def _about_template(bundle: dsl.Bundle, name: str) -> Iterator[str]:
    for _, template in bundle.templates():
        if template.name.value == name:
            values = {pair.key.value: pair.value for pair in template.fields.pairs}
            for key in ("type", "subject", "from"):
                if key in values:
                    yield f"{key}: {_shown(values[key])}"


def _about_segment(bundle: dsl.Bundle, name: str) -> Iterator[str]:
    for file, segment in bundle.segments():
        if segment.name.value == name:
            yield f"```flow\n{file.source.text[segment.span.start : segment.span.end]}\n```"


def _about_event(bundle: dsl.Bundle, name: str) -> Iterator[str]:
    started = [
        workflow.name.value
        for _, workflow in bundle.workflows()
        for header in workflow.headers
        if isinstance(header, nodes.OnEvent) and header.event.value == name
    ]
    if started:
        yield f"starts {', '.join(started)}"


def _shown(value: nodes.Operand) -> str:
    match value:
        case nodes.Literal(scalar):
            return str(scalar)
        case nodes.Name(root):
            return root
    return "…"


def _word_at(bundle: dsl.Bundle, file: str, offset: int) -> str | None:
    for one in bundle.files:
        if one.source.path == file:
            for found in WORD.finditer(one.source.text):
                if found.start() <= offset < found.end():
                    return found[0]
    return None
