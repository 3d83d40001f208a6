"""The templates of a `.flow` bundle: found by name, judged, created or brought up to date."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import String, cast, func, select
from sqlalchemy.orm import Session

from plunk import addresses
from plunk.models import Template
from plunk.rendering import TemplateSyntaxError, check_template
from plunk.services import templates
from plunk.services.templates import TemplateChange, TemplateDraft

MAX_SUBJECT, MAX_SENDER_NAME, MAX_DESCRIPTION = 998, 100, 500


@dataclass(frozen=True, slots=True)
class Shelf:
    """The project's templates of some names."""

    by_name: Mapping[str, list[Template]]

    @property
    def unique(self) -> dict[str, str]:
        """The ids of the templates whose names say which one is meant."""
        return {name: found[0].id for name, found in self.by_name.items() if len(found) == 1}

    @property
    def ambiguous(self) -> set[str]:
        """The names that several templates have."""
        return {name for name, found in self.by_name.items() if len(found) > 1}


def find(
    session: Session, project_id: str, names: Iterable[str], *, editing: bool = False
) -> Shelf:
    """Return the project's templates of these names, held until the transaction ends.

    Who is about to edit them keeps others from doing so meanwhile.
    """
    found = defaultdict(list)
    for template in session.scalars(
        select(Template)
        .where(Template.project_id == project_id, Template.name.in_(set(names)))
        .order_by(Template.id)
        .with_for_update(read=not editing, key_share=True)
    ):
        found[template.name].append(template)
    return Shelf(found)


def names(session: Session, project_id: str) -> set[str]:
    """Return the names of all the project's templates."""
    return set(session.scalars(select(Template.name).where(Template.project_id == project_id)))


def known_ids(session: Session, project_id: str, ids: Iterable[str]) -> set[str]:
    """Return those of the ids that templates of the project have."""
    found = (
        select(Template.id)
        .where(Template.project_id == project_id, Template.id.in_(set(ids)))
        .order_by(Template.id)
        .with_for_update(read=True, key_share=True)
    )
    return set(session.scalars(found))


def faults(wanted: Mapping[str, Any]) -> Iterator[str]:
    """Say why a declared template cannot be stored."""
    yield from _lines(wanted)
    if not addresses.is_address(wanted["from"]):
        yield f"from is no e-mail address: {wanted['from'][:100]!r}"
    if wanted["replyTo"] is not None and not addresses.is_address(wanted["replyTo"]):
        yield f"replyTo is no e-mail address: {wanted['replyTo'][:100]!r}"
    if len(wanted["description"] or "") > MAX_DESCRIPTION:
        yield f"description has more than {MAX_DESCRIPTION} characters"
    if not wanted["body"].strip():
        yield "body is empty"
    for field in ("subject", "body"):
        try:
            check_template(wanted[field], field)
        except TemplateSyntaxError as error:
            yield error.message


def _lines(wanted: Mapping[str, Any]) -> Iterator[str]:
    """Say which texts for a header would break out of it or are too long."""
    limits = (("subject", MAX_SUBJECT), ("fromName", MAX_SENDER_NAME))
    for field, longest in limits:
        text = wanted[field] or ""
        if len(text) > longest:
            yield f"{field} has more than {longest} characters"
        if "\r" in text or "\n" in text:
            yield f"{field} must not contain line breaks"


def store(
    session: Session, project_id: str, wanted: Mapping[str, Any], shelf: Shelf, *, now: datetime
) -> tuple[Template, str]:
    """Create the template or bring it up to date; say which, or that it was `unchanged`."""
    draft = TemplateDraft(
        name=wanted["name"],
        subject=wanted["subject"],
        body=wanted["body"],
        from_address=wanted["from"],
        description=wanted["description"],
        from_name=wanted["fromName"],
        reply_to=wanted["replyTo"],
        type=wanted["type"],
    )
    found = shelf.by_name.get(draft.name)
    if not found:
        return templates.create(session, project_id, draft, now=now), "created"
    if says(found[0], wanted):
        return found[0], "unchanged"
    change = TemplateChange(
        subject=draft.subject,
        body=draft.body,
        from_address=draft.from_address,
        description=draft.description,
        from_name=draft.from_name,
        reply_to=draft.reply_to,
        type=draft.type,
    )
    return templates.change(session, project_id, found[0].id, change, now=now), "changed"


def says(template: Template, wanted: Mapping[str, Any]) -> bool:
    """Tell whether a stored template is just what was declared."""
    return not differences(template, wanted)


def differences(template: Template, wanted: Mapping[str, Any]) -> list[str]:
    """Return which members of a stored template are not as they are declared."""
    stored = declared(template)
    return [name for name in stored if stored[name] != wanted[name]]


def declared(template: Template) -> dict[str, Any]:
    """Return a stored template as a bundle declares it."""
    return {
        "name": template.name,
        "type": template.type,
        "subject": template.subject,
        "body": template.body,
        "from": template.from_address,
        "fromName": template.from_name,
        "replyTo": template.reply_to,
        "description": template.description,
    }


def unique_names(session: Session, project_id: str, ids: Iterable[str]) -> dict[str, str]:
    """Return, by id, the names of those templates that no other template shares its name with."""
    wanted = select(Template.name).where(
        Template.project_id == project_id, Template.id.in_(set(ids))
    )
    rows = session.execute(
        select(func.min(cast(Template.id, String)), Template.name)
        .where(Template.project_id == project_id, Template.name.in_(wanted))
        .group_by(Template.name)
        .having(func.count() == 1)
    )
    return {str(row[0]): row[1] for row in rows}
