"""What history says about the people of a world, and whether conditions hold for them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from plunk.conditions import segments as rules
from plunk.conditions.history import StoredEmail, StoredEvent, answer, asked
from plunk.conditions.matches import matches
from plunk.conditions.nodes import Condition, Count, Emails, Events, History, Membership
from plunk.conditions.operators.workflow import OPERATORS
from plunk.engine.core import facts
from plunk.engine.core.run import Run
from plunk.errors import InvalidCondition, PlunkError
from plunk.simulation.people import Person
from plunk.simulation.world import World

MAX_NESTED = 20  # segments that ask for segments


@dataclass(frozen=True, slots=True)
class Past:
    """A person's past, as questions about it see it."""

    world: World
    person: Person
    depth: int = 0

    def events(self, name: str) -> Iterable[StoredEvent]:
        """Return the events of a name."""
        return self.person.events(name)

    def emails(self) -> Iterable[StoredEmail]:
        """Return the messages."""
        return self.person.mails

    def is_member(self, segment_id: str) -> bool:
        """Tell whether the person is in a segment; of a circle of segments nobody is."""
        rule = self.world.catalogue.segments.get(segment_id)
        if rule is None or rule.is_listed or rule.condition is None:
            return segment_id in self.person.segments
        return fulfils(self.world, self.person, rule.condition, self.depth + 1)


def fulfils(world: World, person: Person, condition: Condition, depth: int = 0) -> bool:
    """Tell whether a segment's condition holds for a person."""
    if depth > MAX_NESTED:
        return False
    past = Past(world, person, depth)
    answers = {one: _answer(past, one) for one in asked(condition)}
    known = facts.Facts(person.contact, now=world.now, answers=answers)
    try:
        return rules.matches(condition, known)
    except PlunkError:
        return False


class Answers(Mapping[History, object]):
    """The answers about one person, each of them found when somebody asks for it."""

    def __init__(self, world: World, person: Person) -> None:
        self._past = Past(world, person)
        self._known: dict[History, object] = {}

    def __getitem__(self, question: History) -> object:
        if question not in self._known:
            self._past.world.look_at_time()
            self._known[question] = _answer(self._past, question)
        return self._known[question]

    def __contains__(self, question: object) -> bool:
        return isinstance(question, Events | Emails | Membership | Count)

    def __iter__(self) -> Iterator[History]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)


def answered(
    world: World, person: Person, questions: Collection[History]
) -> Mapping[History, object]:
    """Return the answers to these questions."""
    past = Past(world, person)
    return {question: _answer(past, question) for question in questions}


def _answer(past: Past, question: History) -> object:
    def meets(where: Condition, event: StoredEvent) -> bool:
        known = facts.Facts(past.person.contact, event=event.data, now=past.world.now)
        try:
            return matches(where, known, OPERATORS)
        except PlunkError:  # what cannot be computed is not what is asked for
            return False

    try:
        return answer(question, past, meets, past.world.now)
    except InvalidCondition:
        return False if isinstance(question, Membership) else None


def is_met(
    world: World,
    person: Person,
    condition: Condition | None,
    event: Mapping[str, object] | None,
    *,
    contact: facts.Contact | None = None,
    run: Run | None = None,
) -> bool:
    """Tell whether a condition of a workflow holds; one that cannot be computed does not."""
    if condition is None:
        return True
    known = facts.Facts(
        contact or person.contact,
        run=run,
        event=event,
        now=world.now,
        answers=Answers(world, person),
    )
    try:
        return matches(condition, known, OPERATORS)
    except PlunkError:
        return False
