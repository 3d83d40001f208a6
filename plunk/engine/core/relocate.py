"""Following a changed workflow: where a run stands in the new revision."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from dataclasses import replace
from datetime import datetime

from plunk.engine.core.graph import Graph
from plunk.engine.core.progress import Visit, abandoned
from plunk.engine.core.run import Run


def relocate(old: Graph, new: Graph, run: Run, now: datetime) -> tuple[Run, tuple[Visit, ...]]:
    """Return the run at its place in the new revision, and the visit that this closes, if any.

    The same step, by id and type, is the same place. From a removed step the run goes on at the
    next surviving one, following the old ways out; where there is none it completes.
    """
    if run.is_over:  # I4
        return run, ()
    moved = replace(run, revision=new.revision)
    if run.step_id is None or _is_same(old, new, run.step_id):
        return (moved if moved == run else replace(moved, version=run.version + 1)), ()
    closed = abandoned(run, now)
    target = next_surviving(
        run.step_id, lambda one: [edge.to_id for edge in old.outgoing.get(one, ())], new.steps
    )
    return (moved.finish(now) if target is None else moved.move(target, now)), closed


def _is_same(old: Graph, new: Graph, step_id: str) -> bool:
    before, after = old.steps.get(step_id), new.steps.get(step_id)
    return after is not None and (before is None or before.type == after.type)


def next_surviving(
    start: str, ways_out: Callable[[str], Iterable[str]], surviving: Container[str]
) -> str | None:
    """Return the nearest surviving step from here on, following the old ways out."""
    queue, seen = [start], {start}
    for step_id in queue:  # it grows while it is being read
        if step_id in surviving:
            return step_id
        targets = [target for target in dict.fromkeys(ways_out(step_id)) if target not in seen]
        queue += targets
        seen.update(targets)
    return None
