"""`python -m tests.proofs.hunt URL 200`: play stories on a migrated database until one fails."""

from __future__ import annotations

import logging
import sys
import time

import structlog

from tests.proofs.faults import prove
from tests.proofs.ground import Ground


def hunt(url: str, seeds: range) -> int:
    """Print what fails first, or how long all of it took; return 1 when something failed."""
    began = time.monotonic()
    ground = Ground(url)
    try:
        for seed in seeds:
            prove(seed, ground)
    except AssertionError as error:
        print(error)  # noqa: T201 - a command line
        return 1
    finally:
        ground.close()
    print(f"{len(seeds)} stories in {time.monotonic() - began:.0f} s: all well")  # noqa: T201 - as above
    return 0


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    first, last = (int(one) for one in f"0-{sys.argv[2]}".split("-")[-2:])
    sys.exit(hunt(sys.argv[1], range(first, last)))
