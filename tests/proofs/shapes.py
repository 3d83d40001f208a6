"""The shapes that random workflows are made of: each one piece of text, and what may be edited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal

from hypothesis import strategies as st

Kind = Literal["bump", "mail", "wait", "await", "hold", "leave", "hook", "emit"]
PARKING = ("wait", "await", "hold")
TEXTS = {
    "bump": "@{0} update contact {{ {name}: (contact.data.{name} ?? 0) + 1 }}",
    "mail": '@{0} send email "{name}"',
    "wait": "@{0} wait {minutes} minutes",
    "await": '@{0} wait for event "paid" up to {minutes} minutes {{\n'
    "  @{0}y update contact {{ got: (contact.data.got ?? 0) + 1 }}\n}} timeout {{\n"
    "  @{0}n update contact {{ missed: (contact.data.missed ?? 0) + 1 }}\n}}",
    "hold": "@{0} wait until contact.data.vip == true up to {minutes} minutes",
    "leave": '@{0} if contact.data.vip == true {{\n  @{0}x exit "vip"\n}}',
    "hook": '@{0} webhook POST "https://hooks.acme.test/{name}" {{ body: {{ at: "{0}" }} }}',
    "emit": '@{0} track "again"',
}
NAMES = {"bump": ("one", "two"), "mail": ("news", "receipt"), "hook": ("ok", "bad", "down")}


@dataclass(frozen=True)
class Shape:
    """One piece of a workflow; its label is what tells it from others through all edits."""

    label: str
    kind: Kind
    name: str = ""
    minutes: int = 0

    @property
    def length(self) -> timedelta:
        """How long it may take."""
        return timedelta(minutes=self.minutes)

    def text(self) -> str:
        """Return it as a statement."""
        return TEXTS[self.kind].format(self.label, name=self.name, minutes=self.minutes)


@dataclass(frozen=True)
class Flow:
    """One workflow; `goal_exits` is None where there is no goal."""

    name: str
    event: str
    reentry: bool
    stops: bool
    goal_exits: bool | None
    least: int
    shapes: tuple[Shape, ...]

    def text(self) -> str:
        """Return it as text."""
        where = f" where event.n >= {self.least}" if self.least else ""
        lines = [f'on event "{self.event}"{where}']
        lines += ["reentry always"] if self.reentry else []
        lines += ['stop when event "halt"'] if self.stops else []
        if self.goal_exits is not None:
            lines.append(f'goal "won" when event "paid"{" then exit" if self.goal_exits else ""}')
        lines += [shape.text() for shape in self.shapes]
        return "\n".join([f'workflow "{self.name}" {{', *lines, "}\n"])


TEMPLATES = """
template "news" { type: marketing  subject: "news"  from: "a@acme.test"  body: "<p>N</p>" }
template "receipt" { type: transactional  subject: "receipt"  from: "a@acme.test"
                     body: "<p>R</p>" }
"""
minutes = st.sampled_from([1, 7, 20, 60])


def shapes(kinds: Sequence[Kind], prefix: str) -> st.SearchStrategy[tuple[Shape, ...]]:
    """Draw some shapes, labelled one after another."""
    drawn = st.tuples(st.sampled_from(kinds), st.integers(0, 5), minutes)
    return st.lists(drawn, min_size=2, max_size=6).map(
        lambda found: tuple(
            _shape(f"{prefix}{at}", kind, pick, length)
            for at, (kind, pick, length) in enumerate(found)
        )
    )


def _shape(label: str, kind: Kind, pick: int, length: int) -> Shape:
    names = NAMES.get(kind, ("",))
    return Shape(label, kind, names[pick % len(names)], length if kind in PARKING else 0)


KINDS: tuple[Kind, ...] = (
    *("await", "await", "await", "wait", "wait", "hold", "hold"),
    *("mail", "mail", "bump", "leave", "hook", "emit"),
)
first = st.builds(
    Flow,
    name=st.just("First"),
    event=st.just("go"),
    reentry=st.booleans(),
    stops=st.booleans(),
    goal_exits=st.sampled_from([None, None, False, True]),
    least=st.sampled_from([0, 0, 2]),
    shapes=shapes(KINDS, "a"),
)
second = st.builds(
    Flow,
    name=st.just("Second"),
    event=st.just("again"),
    reentry=st.just(True),
    stops=st.booleans(),
    goal_exits=st.none(),
    least=st.just(0),
    shapes=shapes(KINDS[:-1], "b"),
)


def edited(flow: Flow, at: int, how: str, serial: int) -> Flow:
    """Return the workflow with one thing changed: always something, as runs see it."""
    parking = [shape for shape in flow.shapes if shape.kind in PARKING]
    if how == "append" or not parking:
        new = Shape(f"c{serial}", "bump", "two")
        return replace(flow, shapes=(*flow.shapes, new))
    chosen = parking[at % len(parking)]
    if how == "remove" and len(flow.shapes) > 1:
        return replace(flow, shapes=tuple(one for one in flow.shapes if one is not chosen))
    longer = replace(chosen, minutes=chosen.minutes // 2 if chosen.minutes > 1 else 30)
    return replace(flow, shapes=tuple(longer if one is chosen else one for one in flow.shapes))
