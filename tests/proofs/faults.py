"""One seed, one story: played with crashes, healed without, and judged."""

from __future__ import annotations

from datetime import timedelta

from plunk.db import is_passing
from tests.proofs.checks import CHECKS, gather
from tests.proofs.ground import HEALER, START, Ground
from tests.proofs.outside import Outside
from tests.proofs.stage import Stage
from tests.proofs.story import Story
from tests.proofs.watching import Watcher, hold
from tests.proofs.workers import Worker

HEALING = (timedelta(hours=2), timedelta(days=1), timedelta(hours=2), timedelta(hours=2))
LONG = 0.1  # so many stories are twice as long as the others


def prove(seed: int, ground: Ground) -> str:
    """Play the story of this seed and return it.

    AssertionError names the seed, and the invariant that was broken.
    """
    ground.reset()
    stage = Stage(seed, START)
    outside, watcher = Outside(stage), Watcher(ground)
    workers = [Worker(ground.wires[name], stage, outside, watcher) for name in ("first", "second")]
    ground.wires["web"].stage = stage
    story = Story(ground, stage, outside, watcher, workers)
    scale = 2 if stage.chance(LONG) else 1  # most are short: many small ones find more in a minute
    turns, length = scale * stage.random.randint(5, 10), scale * stage.random.randint(3, 6)
    try:
        stage.baton.play(
            {
                "web": lambda: story.tell(length),
                "first": lambda: workers[0].work(turns),
                "second": lambda: workers[1].work(turns),
            }
        )
        workers.append(Worker(ground.wires[HEALER], stage, outside, watcher))
        _heal(ground, stage, workers[-1])
        _judge(ground, outside, watcher, workers)
    except Exception as error:
        raise AssertionError(f"FAULT_SEED={seed} {error}\n{_told(story)}") from error
    return _told(story)


def _heal(ground: Ground, stage: Stage, worker: Worker) -> None:
    """Let one worker do everything, past the ends of all leases and waits."""
    for length in HEALING:
        stage.clock.advance(length)
        worker.settle()
        if not ground.due():
            return


def _judge(ground: Ground, outside: Outside, watcher: Watcher, workers: list[Worker]) -> None:
    for finding in watcher.findings:
        raise finding
    remains = gather(ground, outside, watcher)
    for check in CHECKS:
        check(remains)
    deadlocks = ground.wires["web"].stage.baton.deadlocks
    hold("I7", not deadlocks, f"everybody waits for everybody: {deadlocks}")
    for worker in workers:
        for error in worker.errors:
            hold("I7", is_passing(error), f"a job of the {worker.wire.name} worker: {error!r}")


def _told(story: Story) -> str:
    ends = [f"{story.stage.tick} commits; troubles:", *story.stage.troubles]
    errors = [f"{one.wire.name}: {error!r}" for one in story.workers for error in one.errors]
    return "\n".join([*story.told, *ends, "errors:", *errors])
