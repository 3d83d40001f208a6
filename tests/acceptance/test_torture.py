"""Web, workers and database die under load; nothing that was accepted is lost or done twice.

TORTURE_RUNS and TORTURE_SEED make it larger or different; `python -m bench.torture` is the same
by hand, with its figures printed.
"""

from __future__ import annotations

import os

import pytest

from bench.torture import Plan, torture

pytestmark = [pytest.mark.acceptance, pytest.mark.slow]
RUNS = int(os.environ.get("TORTURE_RUNS", "250"))
KILL_SECONDS = 2.0
SEED = int(os.environ.get("TORTURE_SEED", "1"))


def test_nothing_is_lost_or_doubled_while_everything_dies() -> None:
    counts, chamber = torture(Plan(RUNS, kill_seconds=KILL_SECONDS, seed=SEED, lease_seconds=3.0))
    assert counts.faults == {}
    assert len(chamber.orders.accepted) >= RUNS
    assert counts.refused > 0
    assert (chamber.dead.webs, chamber.dead.databases) == (3, 2)
    dead = chamber.dead
    assert dead.workers >= max(3, dead.killing_seconds / (1.5 * KILL_SECONDS))
    assert 0 < counts.confirmed < counts.runs
