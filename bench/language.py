"""How long the language takes: check and compile of 1,000 statements, and the first answer.

Run with: python -m bench.language
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

import dsl

STATEMENTS = 1_000
TIMES = 5


def text_of(count: int) -> str:
    """Return a workflow of this many statements, of all kinds."""
    lines = []
    for number in range(count // 10):
        lines += [
            '  send email "t"',
            "  wait 1 day",
            f"  if contact.data.k{number} == {number} and not event.x == 2 {{",
            f"    update contact {{ k{number}: (contact.data.k{number} ?? 0) + 1 }}",
            "  }",
            f'  wait for event "e{number}" where event.total > 5 up to 3 days {{',
            '    track "came"',
            "  }",
            "  switch contact.data.plan {",
            '    case "a", "b" { subscribe }',
            "    else { unsubscribe }",
            "  }",
            '  webhook POST "https://crm.example.com/x" { body: { id: contact.id } }',
        ]
    template = 'template "t" { type: marketing subject: "s" from: "a@example.com" body: "b" }'
    return f'{template}\nworkflow "w" {{\n  on event "start"\n' + "\n".join(lines) + "\n}\n"


def check_and_compile(text: str) -> float:
    """Return the seconds that one file takes from text to graph."""
    begun = time.perf_counter()
    bundle = dsl.read_bundle({"a.flow": text})
    errors = [one for one in dsl.check(bundle, frozenset()) if one.is_error]
    steps = len(dsl.compile(bundle).workflows[0].steps)
    took = time.perf_counter() - begun
    if errors or steps < STATEMENTS:
        raise SystemExit(f"{len(errors)} errors, {steps} steps")
    return took


def first_answer() -> float:
    """Return the seconds until `plunk check --help` has answered."""
    begun = time.perf_counter()
    command = [sys.executable, "-m", "plunk.cli", "check", "--help"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


def main() -> None:
    """Print the medians of five and their spread."""
    text = text_of(STATEMENTS)
    check_and_compile(text)
    for name, measure in [
        (f"check and compile {STATEMENTS:,} statements", lambda: check_and_compile(text)),
        ("plunk check --help", first_answer),
    ]:
        taken = sorted(measure() for _ in range(TIMES))
        middle = statistics.median(taken) * 1_000
        print(f"{name}: {middle:.0f} ms ({taken[0] * 1_000:.0f} to {taken[-1] * 1_000:.0f})")


if __name__ == "__main__":
    main()
