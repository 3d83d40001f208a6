"""Names inside condition trees: texts speak of segments and templates by name, rows by id.

by name   {"field": {"$segment": {"name": …}}, …}    {…, "template": {"name": …}}
by id     {"field": "segment.<id>", …}               {…, "template": {"id": …}}
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from sqlalchemy import select
from sqlalchemy.orm import Session

from plunk.errors import InvalidCondition
from plunk.models import Segment, Template
from plunk.services import condition_texts
from plunk.services.condition_texts import Place

MEMBERSHIP = {"memberOfSegment", "notMemberOfSegment"}
Kind: TypeAlias = Literal["segment", "template"]
Reference: TypeAlias = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Names:
    """What names stand for, or ids: each mapping leads from the one to the other."""

    segments: Mapping[str, str] = field(default_factory=dict)
    templates: Mapping[str, str] = field(default_factory=dict)


def tree(session: Session, project_id: str, raw: object, *, place: Place) -> object:
    """Return a condition as it is stored: text becomes a tree, and names become ids."""
    read = condition_texts.tree_of(raw, place=place) if isinstance(raw, str) else raw
    return by_id(read, find(session, project_id, read))


def find(session: Session, project_id: str, raw: object) -> Names:
    """Return the ids of all that a JSON value names; InvalidCondition when a name is not one's."""
    named: dict[Kind, set[str]] = {"segment": set(), "template": set()}
    for kind, reference in references(raw):
        named[kind] |= {reference["name"]} if "name" in reference else set()
    return Names(
        _ids(session, project_id, Segment, named["segment"]),
        _ids(session, project_id, Template, named["template"]),
    )


def references(raw: object) -> Iterator[tuple[Kind, Reference]]:
    """Yield every segment and template that a JSON value refers to, by name or by id."""
    match raw:
        case {"$segment": dict() as reference, **others} if not others:
            yield "segment", reference
            return
        case {"operator": str() as operator, "field": str() as text} if operator in MEMBERSHIP:
            yield "segment", {"id": text.removeprefix("segment.")}
        case {"operator": str(), "template": dict() as reference}:
            yield "template", reference
    match raw:
        case dict():
            for item in raw.values():
                yield from references(item)
        case list():
            for item in raw:
                yield from references(item)


def by_id(raw: Any, names: Names) -> Any:  # noqa: ANN401 - JSON
    """Return the JSON value with ids instead of names; InvalidCondition when one is unknown."""
    match raw:
        case {"$segment": dict() as reference, **others} if not others:
            return f"segment.{_id(reference, names.segments, 'segment')}"
        case {"operator": str(), "template": dict() as reference, **others}:
            inner = {key: by_id(item, names) for key, item in others.items()}
            template = {"id": _id(reference, names.templates, "template")}
            return {"operator": raw["operator"], **inner, "template": template}
        case dict():
            return {key: by_id(item, names) for key, item in raw.items()}
        case list():
            return [by_id(item, names) for item in raw]
    return raw


def _ids(
    session: Session, project_id: str, table: type[Segment | Template], names: Iterable[str]
) -> dict[str, str]:
    wanted = sorted(names)
    if not wanted:
        return {}
    rows = session.execute(
        select(table.name, table.id).where(table.project_id == project_id, table.name.in_(wanted))
    ).all()
    found = {row.name: row.id for row in rows}
    if len(found) < len(rows):
        twice = next(row.name for row in rows if found[row.name] != row.id)
        raise InvalidCondition(f"several things are called {twice!r}; name it by its id")
    return found


def _id(reference: Mapping[str, Any], ids: Mapping[str, str], kind: Kind) -> str:
    match reference:
        case {"id": str() as found, **others} if not others:
            return found
        case {"name": str() as name, **others} if not others:
            if name in ids:
                return ids[name]
            raise InvalidCondition(f"no {kind} is called {name!r}")
    raise InvalidCondition(f"a {kind} is referred to by its name or its id")
