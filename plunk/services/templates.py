"""Templates: create, edit, find, list, copy and delete, and where they are used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, asc, delete, desc, func, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from plunk.errors import Conflict, TemplateNotFound
from plunk.ids import NO_ID, parse_id
from plunk.models import Email, Step, Template
from plunk.models.template import TEMPLATE_TYPES
from plunk.paging import Page, PageRequest
from plunk.rendering import check_template
from plunk.services import pinned_runs, totals
from plunk.values import UNSET, Unset

TYPES = TEMPLATE_TYPES
MAX_NAME = 100
COPY = " (Copy)"
SORT_COLUMNS: Mapping[str, InstrumentedAttribute[str] | InstrumentedAttribute[datetime]] = {
    "name": Template.name,
    "createdAt": Template.created_at,
    "updatedAt": Template.updated_at,
}


@dataclass(frozen=True, slots=True)
class TemplateDraft:
    """What to create a template from."""

    name: str
    subject: str
    body: str
    from_address: str
    description: str | None = None
    from_name: str | None = None
    reply_to: str | None = None
    type: str = "MARKETING"


@dataclass(frozen=True, slots=True)
class TemplateChange:
    """What to change; UNSET leaves a field alone."""

    name: str | Unset = UNSET
    subject: str | Unset = UNSET
    body: str | Unset = UNSET
    from_address: str | Unset = UNSET
    description: str | Unset | None = UNSET
    from_name: str | Unset | None = UNSET
    reply_to: str | Unset | None = UNSET
    type: str | Unset = UNSET


@dataclass(frozen=True, slots=True)
class TemplateQuery:
    """Which templates to list, and in which order."""

    paging: PageRequest = field(default_factory=PageRequest)
    search: str | None = None
    type: str | None = None
    sort: str = "createdAt"
    descending: bool = True


@dataclass(frozen=True, slots=True)
class BulkRequest:
    """Several templates, and what to do with all of them."""

    ids: Sequence[str]
    delete: bool = False


@dataclass(frozen=True, slots=True)
class Usage:
    """How many live workflow steps send a template, and how many e-mails were made from it."""

    workflow_steps: int
    emails_sent: int


def create(session: Session, project_id: str, draft: TemplateDraft, *, now: datetime) -> Template:
    """Store a template; TemplateSyntaxError when its subject or body is not one."""
    _check(draft.subject, draft.body)
    template = Template(project_id=project_id, **asdict(draft), created_at=now, updated_at=now)
    session.add(template)
    session.flush()
    return template


def change(
    session: Session, project_id: str, template_id: str, wanted: TemplateChange, *, now: datetime
) -> Template:
    """Edit a template; TemplateNotFound or TemplateSyntaxError."""
    template = _one(
        session, _named(project_id, template_id).with_for_update(key_share=True), template_id
    )
    values = {name: value for name, value in asdict(wanted).items() if value is not UNSET}
    _check(values.get("subject"), values.get("body"))
    for name, value in values.items():
        setattr(template, name, value)
    if session.is_modified(template):
        template.updated_at = now
    return template


def get(session: Session, project_id: str, template_id: str) -> Template:
    """Return the template; TemplateNotFound when the project has no such template."""
    return _one(session, _named(project_id, template_id), template_id)


def get_locked(session: Session, project_id: str, template_id: str) -> Template:
    """Return the template, which cannot be deleted until this transaction has ended."""
    named = _named(project_id, template_id)
    return _one(session, named.with_for_update(read=True, key_share=True), template_id)


def page(session: Session, project_id: str, query: TemplateQuery) -> Page[Template]:
    """Return one page of the project's templates."""
    matching = _matching(project_id, query)
    total = totals.total(session, matching)
    direction = desc if query.descending else asc
    rows = session.scalars(
        matching.order_by(direction(SORT_COLUMNS[query.sort]), desc(Template.id))
        .limit(query.paging.page_size)
        .offset(query.paging.offset)
    ).all()
    return Page(rows, total, query.paging.page, query.paging.page_size)


def duplicate(session: Session, project_id: str, template_id: str, *, now: datetime) -> Template:
    """Store a copy whose name says so."""
    original = get(session, project_id, template_id)
    draft = TemplateDraft(
        name=original.name[: MAX_NAME - len(COPY)] + COPY,
        subject=original.subject,
        body=original.body,
        from_address=original.from_address,
        description=original.description,
        from_name=original.from_name,
        reply_to=original.reply_to,
        type=original.type,
    )
    return create(session, project_id, draft, now=now)


def usage(session: Session, project_id: str, template_id: str) -> Usage:
    """Count where the template is used; refused messages do not count as sent."""
    template = get(session, project_id, template_id)
    sent = select(Email).where(Email.template_id == template.id, Email.status != "FAILED")
    return Usage(_count_steps(session, [template.id]), totals.total(session, sent))


def remove(session: Session, project_id: str, template_id: str) -> None:
    """Delete the template; Conflict while a workflow step or a pinned run needs it."""
    remove_all(session, project_id, [template_id])


def remove_all(session: Session, project_id: str, template_ids: Sequence[str]) -> int:
    """Delete all of these templates or, when one is unknown or in use, none; return how many."""
    found = _lock_all(session, project_id, template_ids)
    if steps := _count_steps(session, found):
        raise Conflict(
            f"Used by {steps} workflow step(s); change or delete those first.",
            details={"workflowSteps": steps},
        )
    _refuse_pinned(session, project_id, found)
    for table in (Email, Step):
        session.execute(
            update(table).where(table.template_id.in_(found)).values(template_id=None),
            execution_options={"synchronize_session": False},
        )
    session.execute(delete(Template).where(Template.id.in_(found)))
    return len(found)


def _refuse_pinned(session: Session, project_id: str, template_ids: Sequence[str]) -> None:
    """Raise Conflict while runs need a template that only the steps of their revision send.

    Whoever takes it out of a workflow and pins its runs does both at once, and we have looked at
    the steps before: one of the two is found.
    """
    needing = pinned_runs.needing(project_id, template_ids).subquery()
    if workflows := session.scalar(select(func.count()).select_from(needing)):
        raise Conflict(
            f"Used by pinned executions of {workflows} workflow(s);"
            " let them finish or cancel them first.",
            details={"workflowSteps": 0, "pinnedWorkflows": workflows},
        )


def update_all(session: Session, project_id: str, request: BulkRequest) -> dict[str, int]:
    """Do what is asked with all of the templates or none; say what became of how many."""
    if request.delete:
        return {"deleted": remove_all(session, project_id, request.ids)}
    _lock_all(session, project_id, request.ids)
    return {"updated": 0}


def _lock_all(session: Session, project_id: str, template_ids: Sequence[str]) -> list[str]:
    """Return the ids, each once, locked so that no step can take them up meanwhile.

    TemplateNotFound names the first that the project does not have.
    """
    wanted = [parse_id(template_id) or NO_ID for template_id in template_ids]
    found = session.scalars(
        select(Template.id)
        .where(Template.project_id == project_id, Template.id.in_(set(wanted)))
        .order_by(Template.id)
        .with_for_update()
    ).all()
    known = set(found)
    for given, template_id in zip(template_ids, wanted, strict=True):
        if template_id not in known:
            raise TemplateNotFound(given)
    return list(found)


def _check(subject: str | None, body: str | None) -> None:
    for name, source in (("subject", subject), ("body", body)):
        if source is not None:
            check_template(source, name)


def _named(project_id: str, template_id: str) -> Select[Template]:
    return select(Template).where(
        Template.project_id == project_id, Template.id == (parse_id(template_id) or NO_ID)
    )


def _one(session: Session, statement: Select[Template], template_id: str) -> Template:
    found = session.scalars(statement).one_or_none()
    if found is None:
        raise TemplateNotFound(template_id)
    return found


def _count_steps(session: Session, template_ids: Sequence[str]) -> int:
    live = and_(Step.template_id.in_(template_ids), Step.deleted_at.is_(None))
    return session.scalar(select(func.count()).where(live)) or 0


def _matching(project_id: str, query: TemplateQuery) -> Select[Template]:
    matching = select(Template).where(Template.project_id == project_id)
    if query.type:
        matching = matching.where(Template.type == query.type)
    if query.search:
        matching = matching.where(_mentions(query.search))
    return matching


def _mentions(text: str) -> ColumnElement[bool]:
    columns = (Template.name, Template.description, Template.subject)
    return or_(*(column.icontains(text, autoescape=True) for column in columns))
