"""One contact's story: an event, then days of virtual time, and all that comes of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from plunk.conditions.instants import iso
from plunk.engine.core.signals import canonical_name
from plunk.errors import BadRequest
from plunk.simulation import happenings
from plunk.simulation.advancing import size_of
from plunk.simulation.catalogue import Catalogue
from plunk.simulation.outbox import Call, Mail
from plunk.simulation.people import Person, Walker
from plunk.simulation.timeline import Entry, json_text, lines_of
from plunk.simulation.world import Limits, TooMuch, World, zone_named

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Plot:
    """What is to happen: to whom, when it begins and for how many days."""

    at: datetime
    event: str | None = None
    contact: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Any] | None = None
    days: float = 30
    workflow: str | None = None
    zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Story:
    """What came of it; `stopped` says why it was broken off, if it was."""

    world: World
    person: Person
    notes: tuple[str, ...]
    stopped: str | None = None

    @property
    def timeline(self) -> list[Entry]:
        """Everything that happened, in its order."""
        return self.world.timeline

    def lines(self) -> Iterator[str]:
        """Yield the story as people read it."""
        yield from lines_of(self.timeline, zone_named(self.world.zone))
        yield from (f"note: {note}" for note in self.notes)
        if self.stopped:
            yield f"stopped: {self.stopped}"

    def to_json(self) -> Json:
        """Return the wire form."""
        contact = self.person.contact
        room = _Room(self.world)
        told = {
            "timeline": [room.entry(entry) for entry in self.timeline],
            "runs": [_run_json(walker) for walker in self.world.walkers],
            "emails": [room.mail(mail) for mail in self.world.mails],
            "webhooks": [_call_json(call) for call in self.world.calls],
        }
        return {
            **told,
            "contact": {
                "email": contact.email,
                "subscribed": contact.subscribed,
                "data": dict(contact.data),
                "segments": sorted(self.person.segments),
            },
            "endedAt": iso(self.world.now),
            "notes": [*self.notes, *room.notes()],
            "stopped": self.stopped,
        }


def tell(catalogue: Catalogue, plot: Plot, limits: Limits | None = None) -> Story:
    """Play a plot; with a workflow only that one takes part, and without an event it starts."""
    chosen = _chosen(catalogue, plot)
    world = happenings.open_world(chosen, plot.at, plot.zone, limits)
    person = happenings.add_person(world, plot.contact)
    stopped = None
    try:
        _play(world, person, plot)
    except TooMuch as error:
        stopped = error.message
    return Story(world, person, tuple(_notes(chosen, plot)), stopped)


def _chosen(catalogue: Catalogue, plot: Plot) -> Catalogue:
    if plot.event is None and plot.workflow is None:
        raise BadRequest("an event or a workflow is needed for a story to begin")
    if plot.workflow is None:
        return catalogue
    if plot.workflow not in catalogue.flows:
        known = ", ".join(map(json_text, catalogue.flows)) or "none"
        raise BadRequest(f"there is no workflow {json_text(plot.workflow)}; there are: {known}")
    return replace(catalogue, flows={plot.workflow: catalogue.flows[plot.workflow]})


def _play(world: World, person: Person, plot: Plot) -> None:
    if plot.event is not None:
        happenings.track(world, person, plot.event, plot.data, merged=plot.data or {})
    elif plot.workflow is not None:
        happenings.start(world, person, plot.workflow, plot.data)
    happenings.pass_time(world, plot.at + timedelta(days=plot.days))


def _notes(catalogue: Catalogue, plot: Plot) -> Iterator[str]:
    starts = [start for flow in catalogue.flows.values() for start in flow.starts]
    names = list(dict.fromkeys(start.event_name for start in starts if not start.segment))
    if plot.event is not None and canonical_name(plot.event) not in names:
        known = ", ".join(map(json_text, names)) or "none"
        yield f"no workflow starts on event {json_text(plot.event)}; events that do: {known}"
    disabled = [flow.name for flow in catalogue.flows.values() if not flow.enabled]
    yield from (f"workflow {json_text(name)} is disabled" for name in disabled)
    yield from (
        f"{missing} is not in the bundle; an empty one stands in" for missing in catalogue.missing
    )


class _Room:
    """How much a story may still hold; what does not fit any more is told without its texts."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.left = world.limits.characters
        self.is_full = False

    def entry(self, entry: Entry) -> Json:
        """Return an entry, without details where there is no room for them."""
        found = entry.to_json()
        return found if self._takes(size_of(found)) else {**found, "details": {}}

    def mail(self, mail: Mail) -> Json:
        """Return a message, without its body where there is no room or time for it."""
        if not self.is_full:
            body = mail.body
            if self._takes(len(body)):
                return _mail_json(mail, body)
        return _mail_json(mail, None)

    def notes(self) -> Iterator[str]:
        """Say what was left out."""
        if self.is_full:
            most = f"{self.world.limits.characters:,}"
            yield f"texts beyond {most} characters, or that took too long, are left out"

    def _takes(self, size: int) -> bool:
        try:
            self.world.look_at_time()
        except TooMuch:
            self.is_full = True
        self.left -= size
        self.is_full = self.is_full or self.left < 0
        return not self.is_full


def _run_json(walker: Walker) -> Json:
    run = walker.run
    return {
        "run": walker.number,
        "workflow": walker.flow.name,
        "status": run.status,
        "step": run.step_id,
        "reason": walker.error if run.status == "FAILED" else run.exit_reason,
        "goals": list(walker.goals),
        "startedAt": iso(run.started_at),
        "completedAt": iso(run.completed_at) if run.completed_at else None,
        "waitsUntil": iso(run.due_at) if run.due_at and not run.is_over else None,
    }


def _mail_json(mail: Mail, body: str | None) -> Json:
    return {
        "at": iso(mail.at),
        "run": mail.walker.number,
        "step": mail.step,
        "template": mail.template,
        "to": mail.to,
        "from": mail.sender,
        "fromName": mail.sender_name,
        "replyTo": mail.reply_to,
        "subject": mail.subject,
        "body": body,
        "error": mail.error,
    }


def _call_json(call: Call) -> Json:
    return {
        "at": iso(call.at),
        "run": call.walker.number,
        "step": call.step,
        "method": call.method,
        "url": call.url,
        "headers": dict(call.headers),
        "body": call.body,
        "status": call.status,
        "error": call.error,
    }
