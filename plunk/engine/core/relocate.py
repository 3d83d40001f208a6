"""Following a changed workflow: where a run stands in the new revision."""

from __future__ import annotations

from collections import deque
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
    target = _next_surviving(old, new, run.step_id)
    return (moved.finish(now) if target is None else moved.move(target, now)), closed


def _is_same(old: Graph, new: Graph, step_id: str) -> bool:
    before, after = old.steps.get(step_id), new.steps.get(step_id)
    return after is not None and (before is None or before.type == after.type)


def _next_surviving(old: Graph, new: Graph, start: str) -> str | None:
    queue, seen = deque([start]), {start}
    while queue:
        step_id = queue.popleft()
        if step_id in new.steps:
            return step_id
        targets = [edge.to_id for edge in old.outgoing.get(step_id, ())]
        queue.extend(target for target in targets if target not in seen)
        seen.update(targets)
    return None
