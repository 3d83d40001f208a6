"""`plunk test`: the tests of a bundle, run here, and their reports."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

import click

import dsl
from plunk.cli.flows import judged_here, read_files, seen_from_here, show_all
from plunk.errors import BadRequest
from plunk.simulation.catalogue import catalogue_of
from plunk.simulation.testing.coverage import Covered, coverage, total
from plunk.simulation.testing.junit import junit
from plunk.simulation.testing.outcome import Result
from plunk.simulation.testing.report import report
from plunk.simulation.testing.runner import cases_of
from plunk.simulation.testing.runner import run as run_case


@dataclass(frozen=True, slots=True)
class Options:
    """What to report, and when to fail."""

    junit: Path | None = None
    fail_under: float | None = None
    wanted: str | None = None
    as_json: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """All tests with how long each took, and what they covered."""

    results: Sequence[Result]
    seconds: Sequence[float]
    covered: Sequence[Covered]

    @property
    def percent(self) -> float:
        """The share of all ways that was taken."""
        return total(self.covered)


def run(paths: Sequence[Path], options: Options) -> int:
    """Run the tests and print the report; return 1 when one fails, or covers too little."""
    files = read_files(paths)
    bundle = dsl.read_bundle(files)
    errors = [item for item in judged_here(files) if item.is_error]
    if errors:
        show_all(errors, files)
        return 1
    done = _done(bundle, paths, options)
    if options.wanted is not None and not done.results:
        raise BadRequest(f"No test has {options.wanted!r} in its name.")
    if options.junit is not None:
        options.junit.write_text(junit(done.results, dict(enumerate(done.seconds))), "utf-8")
    click.echo(_json(done) if options.as_json else "\n".join(report(done.results, done.covered)))
    return max(_verdict(done), _too_little(done, options))


def _done(bundle: dsl.Bundle, paths: Sequence[Path], options: Options) -> Done:
    catalogue = catalogue_of(bundle)
    results, seconds = [], []
    for case in cases_of(bundle, options.wanted):
        began = perf_counter()
        result = run_case(catalogue, case)
        seconds.append(perf_counter() - began)
        results.append(replace(result, file=seen_from_here(result.file, paths)))
    covered = [
        replace(one, file=seen_from_here(one.file, paths)) for one in coverage(catalogue, results)
    ]
    return Done(results, seconds, covered)


def _verdict(done: Done) -> int:
    return int(any(not result.ok for result in done.results))


def _too_little(done: Done, options: Options) -> int:
    if options.fail_under is None or done.percent >= options.fail_under:
        return 0
    message = f"{done.percent:g} % of the ways were taken, less than {options.fail_under:g} %."
    click.echo(message, err=True)
    return 1


def _json(done: Done) -> str:
    shown = {
        "tests": [
            {**result.to_json(), "seconds": round(seconds, 6)}
            for result, seconds in zip(done.results, done.seconds, strict=True)
        ],
        "coverage": [one.to_json() for one in done.covered],
        "summary": {
            "tests": len(done.results),
            "passed": sum(result.ok for result in done.results),
            "failed": sum(not result.ok for result in done.results),
            "percent": done.percent,
        },
    }
    return json.dumps(shown, indent=2, ensure_ascii=False, default=str)
