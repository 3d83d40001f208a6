"""What conditions and expressions may know about a run's subject and surroundings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from plunk import expressions
from plunk.conditions.instants import iso
from plunk.conditions.nodes import MISSING, History, PathParts
from plunk.conditions.paths import descend
from plunk.engine.core.run import Run
from plunk.errors import InvalidCondition, InvalidExpression

NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Contact:
    """The subject of a run, as it was loaded."""

    id: str
    email: str
    subscribed: bool
    data: Mapping[str, object]
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Template:
    """As much of a template as decisions need; `type` is MARKETING, TRANSACTIONAL or HEADLESS."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class World:
    """What runs of a project share.

    `render` fills a template with facts, `zone` is the project's time zone, `segments` are types
    by id (DYNAMIC or STATIC), and `choices` force branches of splits, by the step's label or id.
    """

    render: Callable[[str, Facts], str] | None = None
    zone: str = "UTC"
    segments: Mapping[str, str] = field(default_factory=dict)
    choices: Mapping[str, str] = field(default_factory=dict)


EMPTY_WORLD = World()


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything a step may look at.

    The shell fills the first three, the world, and `answers`, which is what history says; `advance`
    binds the run, its event data and the time.
    """

    contact: Contact
    templates: Mapping[str, Template] = field(default_factory=dict)
    project_disabled: bool = False
    run: Run | None = None
    event: Mapping[str, object] | None = None
    now: datetime = NEVER
    workflow_name: str = ""
    answers: Mapping[History, object] = field(default_factory=dict)
    world: World = EMPTY_WORLD

    @property
    def variables(self) -> Mapping[str, object]:
        """Results bound by earlier steps of the run."""
        return self.run.variables if self.run else {}

    def bind(self, workflow_name: str, run: Run, now: datetime) -> Facts:
        """Return these facts for one run at one time; its context is the event."""
        return Facts(
            contact=self.contact,
            templates=self.templates,
            project_disabled=self.project_disabled,
            run=run,
            event=run.context,
            now=now,
            workflow_name=workflow_name,
            answers=self.answers,
            world=self.world,
        )

    def get(self, path: PathParts, default: object = MISSING) -> object:
        """Return what stands at a path; a bare key means a bound result, else contact data."""
        name, *rest = path
        match name:
            case "contact":
                return self._contact_field(rest, default)
            case "event" | "workflow":
                return descend(self.event or {}, rest, default)
            case "run":
                return self._run_field(rest, default)
            case "data":
                return descend(self.contact.data, rest, default)
            case "now" if not rest:
                return iso(self.now)
        root = self.variables if name in self.variables else self.contact.data
        return descend(root, path, default)

    def evaluate(self, expression: object) -> object:
        """Return what an expression in its JSON form says about these facts."""
        return expressions.evaluate(expression, self)

    def answer(self, operand: History) -> object:
        """Return what history says; whoever makes the facts looked it up beforehand."""
        if operand not in self.answers:
            raise InvalidCondition("this part of the contact's history is not known here")
        return self.answers[operand]

    def render(self, source: str) -> str:
        """Return a template filled with these facts."""
        if self.world.render is None:
            raise InvalidExpression("render() cannot be used here")
        return self.world.render(source, self)

    def with_contact_data(self, patch: Mapping[str, object]) -> Facts:
        """Return the facts after a merge into the contact's data, where null deletes."""
        gone = {key for key, value in patch.items() if value is None}
        merged = {**self.contact.data, **patch}
        data = {key: value for key, value in merged.items() if key not in gone}
        return self._with_contact(data, self.contact.subscribed)

    def with_subscribed(self, subscribed: bool) -> Facts:  # noqa: FBT001 -- it is the new value
        """Return the facts after a change of the subscription."""
        return self._with_contact(self.contact.data, subscribed)

    def with_answers(self, changed: Mapping[History, object]) -> Facts:
        """Return the facts after something happened that history now says."""
        return replace(self, answers={**self.answers, **changed}) if changed else self

    def _with_contact(self, data: Mapping[str, object], subscribed: bool) -> Facts:  # noqa: FBT001 -- as above
        # spelled out, because dataclasses.replace costs more than the rest of an update
        old = self.contact
        contact = Contact(old.id, old.email, subscribed, data, old.created_at, self.now)
        return Facts(
            contact=contact,
            templates=self.templates,
            project_disabled=self.project_disabled,
            run=self.run,
            event=self.event,
            now=self.now,
            workflow_name=self.workflow_name,
            answers=self.answers,
            world=self.world,
        )

    def _contact_field(self, rest: list[str | int], default: object) -> object:
        contact = self.contact
        match rest:
            case ["data", *keys]:
                return descend(contact.data, keys, default)
            case [("id" | "email" | "subscribed") as name]:
                return getattr(contact, name)
            case ["createdAt"]:
                return iso(contact.created_at)
            case ["updatedAt"]:
                return iso(contact.updated_at)
        return default

    def _run_field(self, rest: list[str | int], default: object) -> object:
        match self.run, rest:
            case Run(id=id), ["id"]:
                return id
            case Run(started_at=started_at), ["startedAt"]:
                return iso(started_at)
            case Run(context=context), ["context", *keys]:
                return descend(context or {}, keys, default)
        return default
