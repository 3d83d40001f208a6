"""Missed: events that stop a run or are a goal of its, and that came while it lay there FAILED.

Nothing hears for a run that has failed. Before it is tried again they are heard as they would have
been, one after the other, so that a retry mails nobody who has left or paid meanwhile. Conditions
are not looked at here: the worker does that before every step.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from plunk.engine.core.facts import Facts
from plunk.engine.core.headers import EventWatch, Headers
from plunk.engine.core.run import Run
from plunk.engine.core.watching import Happened, Watched, watch
from plunk.models import Contact, Event, Execution
from plunk.services import contacts, histories

# An event that waited for the worker to let go of its contact has an earlier time than the failure.
WAITED = timedelta(minutes=1)


class Failed(NamedTuple):
    """A run that has failed, and the headers of the revision that it is to follow."""

    run: Execution
    headers: Headers

    @property
    def since(self) -> datetime:
        """From when on nobody listened for it; what came while it was under way was heard."""
        ended = self.run.completed_at
        return self.run.started_at if ended is None else max(self.run.started_at, ended - WAITED)


def missed(
    session: Session, project_id: str, failed: Iterable[Failed], *, now: datetime
) -> dict[str, Watched]:
    """Return what each run has missed, by its id; most have missed nothing."""
    deaf = [Failed(run, _on_events(headers)) for run, headers in failed]
    deaf = [one for one in deaf if one.headers.is_watching]
    happened = _happened(session, deaf)
    if not happened:
        return {}
    rows = session.scalars(select(Contact).where(Contact.id.in_(happened)))
    known = {
        contact.id: Facts(
            contacts.facts_of(contact),
            answers=histories.Lookup(session, project_id, contacts.facts_of(contact), now),
        )
        for contact in rows
    }
    return {
        one.run.id: _heard(one, known[contact_id], happened[contact_id], now)
        for one in deaf
        if (contact_id := one.run.contact_id or "") in known
    }


def _on_events(headers: Headers) -> Headers:
    """Return the headers without what watches for conditions."""
    stops = tuple(stop for stop in headers.stops if isinstance(stop, EventWatch))
    goals = tuple(goal for goal in headers.goals if isinstance(goal.watch, EventWatch))
    return replace(headers, stops=stops, goals=goals)


def _happened(
    session: Session, deaf: Sequence[Failed]
) -> dict[str, list[tuple[datetime, Happened]]]:
    """Return what happened to the runs' contacts since the first failure, in its order."""
    if not deaf:
        return {}
    rows = session.execute(
        select(Event.contact_id, Event.created_at, Event.name, Event.data)
        .where(
            Event.contact_id.in_({one.run.contact_id for one in deaf}),
            Event.name.in_({name for one in deaf for name in _names(one.headers)}),
            Event.created_at > min(one.since for one in deaf),
        )
        .order_by(Event.created_at, Event.id)
    )
    found: dict[str, list[tuple[datetime, Happened]]] = {}
    for contact_id, at, name, data in rows:
        event = (name, data if isinstance(data, dict) else None)
        found.setdefault(contact_id or "", []).append((at, event))
    return found


def _names(headers: Headers) -> Iterable[str]:
    for one in (*headers.stops, *(goal.watch for goal in headers.goals)):
        if isinstance(one, EventWatch):
            yield one.event_name


def _heard(
    one: Failed, known: Facts, happened: Sequence[tuple[datetime, Happened]], now: datetime
) -> Watched:
    """Let the run hear one event after the other, until one of them ends it."""
    row = one.run
    variables: Mapping[str, object] = row.variables or {}
    run = Run(
        row.id,
        row.workflow_id,
        row.revision,
        row.started_at,
        context=row.context,
        variables=variables,
    )
    known = known.bind("", run, now)
    reached: tuple[str, ...] = ()
    for at, event in happened:
        if at <= one.since:
            continue
        watched = watch(one.headers, run, known, [event])
        run, reached = watched.run, (*reached, *watched.reached)
        if watched.reason is not None:
            return Watched(run, reached, watched.reason)
    return Watched(run, reached)
