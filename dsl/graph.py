"""A compiled bundle, everything by name; to and from JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"
JsonObject: TypeAlias = dict[str, Json]
Outcome: TypeAlias = Literal["EVENT", "TIMEOUT"]
TRIGGER = "trigger"


@dataclass(frozen=True, slots=True)
class Reentry:
    """Whether somebody may run through again: never, always, or after some seconds."""

    policy: Literal["never", "always", "after"] = "never"
    after_seconds: int | float | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One step; the key is its identity, the label is the key when somebody wrote it."""

    key: str
    type: str
    name: str
    config: JsonObject = field(default_factory=dict)
    label: str | None = None
    position: tuple[int | float, int | float] | None = None


@dataclass(frozen=True, slots=True)
class Transition:
    """A way from one step to another; `condition` is one that is more than a branch."""

    source: str
    target: str
    branch: str | None = None
    outcome: Outcome | None = None
    priority: int = 0
    condition: JsonObject | None = None


@dataclass(frozen=True, slots=True)
class Headers:
    """What starts, stops and times a workflow; the objects are in their wire form, by name."""

    description: str | None = None
    enabled: bool = True
    reentry: Reentry = Reentry()
    triggers: tuple[JsonObject, ...] = ()
    stops: tuple[JsonObject, ...] = ()
    goals: tuple[JsonObject, ...] = ()
    timezone: JsonObject | None = None
    quiet_hours: JsonObject | None = None

    def to_json(self) -> JsonObject:
        """Return the wire form."""
        return {
            "description": self.description,
            "enabled": self.enabled,
            "allowReentry": self.reentry.policy == "always",
            "reentry": _reentry_json(self.reentry),
            "triggers": list(self.triggers),
            "stops": list(self.stops),
            "goals": list(self.goals),
            "timezone": self.timezone,
            "quietHours": self.quiet_hours,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Headers:
        """Read the wire form."""
        return cls(
            description=data["description"],
            enabled=data["enabled"],
            reentry=_reentry(data["reentry"]),
            triggers=tuple(data["triggers"]),
            stops=tuple(data.get("stops") or ()),
            goals=tuple(data.get("goals") or ()),
            timezone=data.get("timezone"),
            quiet_hours=data.get("quietHours"),
        )


@dataclass(frozen=True, slots=True)
class WorkflowGraph:
    """One workflow."""

    name: str
    headers: Headers
    steps: tuple[Step, ...]
    transitions: tuple[Transition, ...]

    def to_json(self) -> JsonObject:
        """Return the wire form."""
        return {
            "name": self.name,
            **self.headers.to_json(),
            "steps": [_step_json(step) for step in self.steps],
            "transitions": [_transition_json(transition) for transition in self.transitions],
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> WorkflowGraph:
        """Read the wire form."""
        return cls(
            name=data["name"],
            headers=Headers.from_json(data),
            steps=tuple(_step(step) for step in data["steps"]),
            transitions=tuple(_transition(transition) for transition in data["transitions"]),
        )


@dataclass(frozen=True, slots=True)
class SegmentText:
    """One segment with its condition, by name."""

    name: str
    type: str
    condition: JsonObject | None = None
    track_membership: bool = False
    description: str | None = None

    def to_json(self) -> JsonObject:
        """Return the wire form."""
        return {
            "name": self.name,
            "description": self.description,
            "type": self.type,
            "condition": self.condition,
            "trackMembership": self.track_membership,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> SegmentText:
        """Read the wire form."""
        return cls(
            name=data["name"],
            description=data.get("description"),
            type=data["type"],
            condition=data["condition"],
            track_membership=data["trackMembership"],
        )


@dataclass(frozen=True, slots=True)
class TemplateText:
    """One template with its texts."""

    name: str
    type: str
    subject: str
    body: str
    sender: str
    sender_name: str | None = None
    reply_to: str | None = None
    description: str | None = None

    def to_json(self) -> JsonObject:
        """Return the wire form."""
        return {
            "name": self.name,
            "type": self.type,
            "subject": self.subject,
            "body": self.body,
            "from": self.sender,
            "fromName": self.sender_name,
            "replyTo": self.reply_to,
            "description": self.description,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> TemplateText:
        """Read the wire form."""
        return cls(
            name=data["name"],
            type=data["type"],
            subject=data["subject"],
            body=data["body"],
            sender=data["from"],
            sender_name=data["fromName"],
            reply_to=data["replyTo"],
            description=data["description"],
        )


@dataclass(frozen=True, slots=True)
class Compiled:
    """All workflows, templates and segments of a bundle."""

    workflows: tuple[WorkflowGraph, ...] = ()
    templates: tuple[TemplateText, ...] = ()
    segments: tuple[SegmentText, ...] = ()

    def to_json(self) -> JsonObject:
        """Return the wire form."""
        return {
            "workflows": [workflow.to_json() for workflow in self.workflows],
            "templates": [template.to_json() for template in self.templates],
            "segments": [segment.to_json() for segment in self.segments],
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Compiled:
        """Read the wire form."""
        return cls(
            tuple(WorkflowGraph.from_json(item) for item in data["workflows"]),
            tuple(TemplateText.from_json(item) for item in data["templates"]),
            tuple(SegmentText.from_json(item) for item in data.get("segments", ())),
        )


def _reentry_json(reentry: Reentry) -> Json:
    return {"after": reentry.after_seconds} if reentry.policy == "after" else reentry.policy


def _reentry(data: Any) -> Reentry:  # noqa: ANN401 - JSON
    return Reentry("after", data["after"]) if isinstance(data, dict) else Reentry(data)


def _step_json(step: Step) -> JsonObject:
    position: Json = None
    if step.position:
        position = {"x": step.position[0], "y": step.position[1]}
    return {
        "key": step.key,
        "label": step.label,
        "type": step.type,
        "name": step.name,
        "position": position,
        "config": step.config,
    }


def _step(data: dict[str, Any]) -> Step:
    place = data.get("position")
    return Step(
        key=data["key"],
        label=data.get("label"),
        type=data["type"],
        name=data["name"],
        position=(place["x"], place["y"]) if place else None,
        config=data["config"],
    )


def _transition_json(transition: Transition) -> JsonObject:
    return {
        "from": transition.source,
        "to": transition.target,
        "condition": _condition_json(transition),
        "priority": transition.priority,
        "waitOutcome": transition.outcome,
    }


def _transition(data: dict[str, Any]) -> Transition:
    condition: dict[str, Any] | None = data.get("condition")
    given = condition or {}
    is_branch = given.keys() == {"branch"} and isinstance(given["branch"], str)
    return Transition(
        source=data["from"],
        target=data["to"],
        branch=given["branch"] if is_branch else None,
        condition=None if is_branch else condition,
        outcome=data.get("waitOutcome"),
        priority=data.get("priority", 0),
    )


def _condition_json(transition: Transition) -> Json:
    branch = transition.branch
    return transition.condition if branch is None else {"branch": branch}
