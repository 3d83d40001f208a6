"""Running a test: line by line, until one is not as expected."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import dsl
from dsl.nodes import TestBlock
from plunk.errors import PlunkError
from plunk.simulation.catalogue import Catalogue
from plunk.simulation.testing.items import play
from plunk.simulation.testing.outcome import Failure, Mismatch, Result
from plunk.simulation.testing.stage import Stage
from plunk.simulation.timeline import UTC_ZONE
from plunk.simulation.world import Limits, zone_named

LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Case:
    """A test, and the file that it stands in."""

    file: dsl.Parsed
    block: TestBlock

    @property
    def name(self) -> str:
        """The name of the test."""
        return self.block.name.value

    @property
    def line(self) -> int:
        """Where the test begins."""
        return self.file.source.range(self.block.span).start.line


def cases_of(bundle: dsl.Bundle, wanted: str | None = None) -> Iterator[Case]:
    """Yield the tests of a bundle, or those with this text in their name."""
    for file, block in bundle.tests():
        if wanted is None or wanted.casefold() in block.name.value.casefold():
            yield Case(file, block)


def run(catalogue: Catalogue, case: Case, limits: Limits = LIMITS) -> Result:
    """Play a test in a world of its own."""
    stage = Stage(catalogue, limits)
    failure = _failure(stage, case)
    world = stage.opened
    return Result(
        name=case.name,
        file=case.file.source.path,
        line=case.line,
        failure=failure,
        timeline=world.timeline if world else (),
        walkers=world.walkers if world else (),
        zone=zone_named(stage.zone) if world else UTC_ZONE,
    )


def _failure(stage: Stage, case: Case) -> Failure | None:
    source = case.file.source
    for item in case.block.items:
        try:
            mismatch = play(stage, item)
        except PlunkError as error:
            mismatch = Mismatch("this line to work", error.message)
        if mismatch is not None:
            line = source.range(item.span).start.line
            return Failure(line, source.text.split("\n")[line - 1].strip(), mismatch)
    return None
