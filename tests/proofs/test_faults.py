"""Crashes at every moment: two workers and a web server, interleaved and killed by a seed.

FAULT_SEED=123 plays one story, FAULT_SEEDS sets how many are played on each database.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from tests.proofs.faults import prove
from tests.proofs.ground import Ground

SEEDS = int(os.environ.get("FAULT_SEEDS", "20"))
ONE = os.environ.get("FAULT_SEED")
SHARE = 50  # seeds in one test
SHARES = [range(start, min(start + SHARE, SEEDS)) for start in range(0, SEEDS, SHARE)]


@pytest.fixture(autouse=True)
def quiet() -> None:
    """Print no errors: workers collect theirs, and those that must not be fail the story."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


@pytest.fixture(scope="session")
def ground(backend: str, databases: Any) -> Iterator[Ground]:
    """Return a database of our own with the cast deployed."""
    ground = Ground(databases(backend, "plunk_faults"))
    yield ground
    ground.close()


@pytest.mark.parametrize("seeds", [[int(ONE)]] if ONE else SHARES, ids=lambda seeds: str(seeds[0]))
def test_every_invariant_holds_whatever_crashes(ground: Ground, seeds: range) -> None:
    for seed in seeds:
        prove(seed, ground)


def test_a_seed_always_tells_the_same_story(databases: Any) -> None:
    ground = Ground(databases("sqlite", "plunk_told"))
    told = [[prove(seed, ground) for seed in range(5)] for _ in range(2)]
    ground.close()
    assert told[0] == told[1]
    assert len(set(told[0])) == 5
