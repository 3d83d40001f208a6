"""The shape of a graph of steps: a reading order, and where two ways meet again."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

END = ""  # the end of the workflow, a place behind all steps


def downwards(
    successors: Mapping[str, Sequence[str]], start: str, known: Collection[str] = ()
) -> list[str]:
    """Every step reached from the start, before what follows it; first ways come first.

    Steps that are known already are not looked at again.

    The order depends on nothing but the ways, so texts with the same graph agree on it.
    """
    finished: list[str] = []
    if start in known:
        return finished
    seen = {start, END, *known}
    path = [(start, list(successors[start]))]
    while path:
        step, left = path[-1]
        target = left.pop() if left else None
        if target is None:
            finished.append(step)
            path.pop()
        elif target not in seen:
            seen.add(target)
            path.append((target, list(successors[target])))
    return finished[::-1]


class Shape:
    """What can be reached from where: one bit per step, the first in reading order lowest."""

    def __init__(self, successors: Mapping[str, Sequence[str]], start: str) -> None:
        self.order = downwards(successors, start)
        self.places = {step: place for place, step in enumerate([*self.order, END])}
        self.reached = {END: 1 << len(self.order)}
        for step in reversed(self.order):
            reached = 1 << self.places[step]
            for target in successors[step]:
                reached |= self.reached.get(target, 0)
            self.reached[step] = reached
        self._successors = successors

    def backward(self) -> Iterator[str]:
        """Yield steps with a way back to themselves or to an earlier step: each closes a loop."""
        for step in self.order:
            if any(self.places[target] <= self.places[step] for target in self._successors[step]):
                yield step

    def meeting(self, one: str, other: str) -> str | None:
        """Return the first place that both ways can come to; None when they never meet."""
        common = self.reached[one] & self.reached[other]
        if not common:
            return None
        place = (common & -common).bit_length() - 1
        return self.order[place] if place < len(self.order) else END

    def leads(self, step: str, target: str) -> bool:
        """Tell whether some way from here comes to the target."""
        return bool(self.reached[step] >> self.places[target] & 1)
