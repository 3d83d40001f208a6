"""Batches: many tracked events in one transaction, each as if it had been tracked alone.

What nobody listens or waits for is stored in a fixed number of statements. The contacts that
something may happen to take their events in rounds: everybody's first, then everybody's second.
Events of different contacts never meet, so this is the same as one after another.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest
from typing import TypeAlias

from sqlalchemy.orm import Session

from plunk.addresses import normalise
from plunk.engine.core import facts
from plunk.errors import PlunkError
from plunk.models.workflow import ANYTHING
from plunk.services import concern, contact_data, contact_sets, events, waking
from plunk.services.contact_sets import Held
from plunk.services.contacts import ContactDraft
from plunk.services.events import Known, NewEvent
from plunk.services.listening import listeners, names_of
from plunk.services.tracking import Tracked, TrackRequest, refuse_reserved

MAX_EVENTS = 1_000
Wanted: TypeAlias = Sequence[TrackRequest | PlunkError]


@dataclass(frozen=True, slots=True)
class Step:
    """One event of the batch, with what it makes of its contact.

    `flip` tells that the subscription changed; it is recorded first.
    """

    contact: Held
    is_changed: bool
    flip: NewEvent | None
    event: NewEvent

    @property
    def events(self) -> list[NewEvent]:
        """The events to record, in their order."""
        return [self.event] if self.flip is None else [self.flip, self.event]


def track_all(
    session: Session, project_id: str, wanted: Wanted, *, trusted: bool, now: datetime
) -> list[Tracked | PlunkError]:
    """Track events in their order; what is refused says why in its place, the others count."""
    judged = [_judged(one) for one in wanted]
    good = [
        (ContactDraft(normalise(one.email), one.subscribed, one.data), one)
        for one in judged
        if isinstance(one, TrackRequest)
    ]
    if not good:
        return [one for one in judged if isinstance(one, PlunkError)]
    firsts = {draft.email: draft for draft, _ in reversed(good)}
    held = contact_sets.hold(session, project_id, firsts, now=now)
    steps = []
    for draft, one in good:
        step = _step(held[draft.email], draft, one.event, trusted=trusted, now=now)
        held[draft.email] = step.contact
        steps.append(step)
    _store(session, project_id, steps, now=now)
    stored = iter(steps)
    return [one if isinstance(one, PlunkError) else _tracked(next(stored), now) for one in judged]


def _judged(wanted: TrackRequest | PlunkError) -> TrackRequest | PlunkError:
    """Return the request, or why it is refused whatever its contact looks like."""
    if isinstance(wanted, PlunkError):
        return wanted
    try:
        refuse_reserved(wanted.event)
        contact_data.check_locale(wanted.data or {})
    except PlunkError as error:
        return error
    return wanted


def _step(before: Held, draft: ContactDraft, name: str, *, trusted: bool, now: datetime) -> Step:
    after = before.merge(draft, may_resubscribe=trusted, now=now)
    known = after.facts()
    return Step(after, after is not before, _flip(before, known), NewEvent(name, known, draft.data))


def _flip(before: Held, after: facts.Contact) -> NewEvent | None:
    if before.subscribed == after.subscribed:
        return None
    return NewEvent(
        "contact.subscribed" if after.subscribed else "contact.unsubscribed", contact=after
    )


def _tracked(step: Step, now: datetime) -> Tracked:
    return Tracked(step.contact.id, step.event.id, now)


def _store(session: Session, project_id: str, steps: Sequence[Step], *, now: datetime) -> None:
    known = _known(session, project_id, steps)
    stirred = _stirred(session, steps, known)
    quiet = [step for step in steps if step.contact.id not in stirred]
    _write(session, quiet)
    events.store(session, project_id, [one for step in quiet for one in step.events], now=now)
    for steps_of_round in _rounds(steps, stirred):
        _write(session, steps_of_round)
        flips = [step.flip for step in steps_of_round if step.flip]
        events.record(session, project_id, flips, known=known, now=now)
        others = [step.event for step in steps_of_round]
        events.record(session, project_id, others, known=known, now=now)


def _write(session: Session, steps: Sequence[Step]) -> None:
    """Write the contacts that changed, as their last step leaves them."""
    changed = {step.contact.id for step in steps if step.is_changed}
    last = {step.contact.id: step.contact for step in steps}
    contact_sets.write(session, [one for one in last.values() if one.id in changed])


def _known(session: Session, project_id: str, steps: Sequence[Step]) -> Known:
    """Return who listens for any of this, and whether a run of one of the contacts waits for it."""
    names = {*names_of(one for step in steps for one in step.events), ANYTHING}
    contacts = {step.contact.id for step in steps}
    is_heard, is_awaited = concern.ask(session, project_id, contacts, names)
    return Known(listeners(session, project_id, names) if is_heard else [], is_awaited)


def _stirred(session: Session, steps: Sequence[Step], known: Known) -> set[str]:
    """Return the contacts, by id, of whom a workflow may want to know something of this."""
    contacts = {step.contact.id for step in steps}
    heard = {one.event_name for one in known.heard}
    if ANYTHING in heard:
        return contacts
    happened = [one for step in steps for one in step.events]
    stirred = {one.contact.id for one in happened if one.contact and names_of([one]) & heard}
    if known.is_awaited and (others := contacts - stirred):
        stirred |= waking.waiting(session, others, names_of(happened))
    return stirred


def _rounds(steps: Sequence[Step], stirred: Collection[str]) -> Iterator[list[Step]]:
    """Yield the first step of each of these contacts, then the second of each, and so on."""
    queues: dict[str, list[Step]] = {}
    for step in steps:
        if step.contact.id in stirred:
            queues.setdefault(step.contact.id, []).append(step)
    for turn in zip_longest(*queues.values()):
        yield [step for step in turn if step is not None]
