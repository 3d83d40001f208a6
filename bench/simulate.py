"""How long 10,000 simulated runs take, with waits of weeks: in one world, and as separate stories.

Run with: python -m bench.simulate [RUNS]
"""

from __future__ import annotations

import statistics
import sys
import time
from datetime import UTC, datetime, timedelta

import dsl
from plunk.simulation import happenings
from plunk.simulation.catalogue import Catalogue, catalogue_of
from plunk.simulation.story import Plot, tell

TIMES = 5
NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
FLOW = """
template "t" {
  type: transactional
  subject: "Hi {{ firstName ?? 'friend' }}"
  from: "a@example.com"
  body: "<p>Hi</p>"
}
workflow "Onboarding" {
  on event "start"
  send email "t"
  wait 2 weeks
  if contact.data.plan == "pro" {
    update contact { score: (contact.data.score ?? 0) + 1 }
  } else {
    wait for event "upgraded" up to 3 weeks {
      send email "t"
    } timeout {
      webhook POST "https://crm.example.com/x" as crm
    }
  }
  wait until 09:00 on monday
  send email "t"
  exit "done"
}
"""


def one_world(catalogue: Catalogue, runs: int) -> float:
    """Return the seconds that so many people take through the flow, side by side."""
    begun = time.perf_counter()
    world = happenings.open_world(catalogue, NINE, "UTC", None)
    for number in range(runs):
        plan = "pro" if number % 2 else "free"
        contact = {"email": f"c{number}@example.com", "data": {"plan": plan}}
        happenings.track(world, happenings.add_person(world, contact), "start")
    happenings.pass_time(world, NINE + timedelta(weeks=8))
    took = time.perf_counter() - begun
    done = sum(one.run.exit_reason == "done" for one in world.walkers)
    if done != runs or len(world.mails) != 2 * runs:
        raise SystemExit(f"{done} of {runs} runs are done, with {len(world.mails)} messages")
    return took


def stories(catalogue: Catalogue, runs: int) -> float:
    """Return the seconds that so many stories take, one after another."""
    begun = time.perf_counter()
    for number in range(runs):
        contact = {"email": f"c{number}@example.com"}
        story = tell(catalogue, Plot(NINE, "start", contact, days=56))
        if story.world.walkers[0].run.exit_reason != "done":
            raise SystemExit("a run is not done")
    return time.perf_counter() - begun


def main() -> None:
    """Print both figures: medians of five, lowest and highest."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    catalogue = catalogue_of(dsl.read_bundle({"a.flow": FLOW}))
    for name, measure in (("one world", one_world), ("stories", stories)):
        took = [measure(catalogue, runs) for _ in range(TIMES)]
        middle = statistics.median(took)
        print(f"{runs:,} runs, {name}: {middle:.1f} s ({min(took):.1f} to {max(took):.1f})")


if __name__ == "__main__":
    main()
