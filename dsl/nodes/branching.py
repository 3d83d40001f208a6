"""Statements that choose a way."""

from __future__ import annotations

from dataclasses import dataclass, field

from dsl.nodes.conditions import Condition
from dsl.nodes.parts import Block, Prefix
from dsl.nodes.values import Operand, Text
from dsl.spans import NOWHERE, Span


@dataclass(frozen=True, slots=True)
class Branch:
    """condition { … }, one arm of an if; the prefix stands after its else."""

    condition: Condition
    body: Block
    prefix: Prefix | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class If:
    """if c {…} else if c {…} else {…}."""

    branches: tuple[Branch, ...]
    otherwise: Block | None = None
    prefix: Prefix | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Case:
    """case "a", "b" { … }."""

    values: tuple[Operand, ...]
    body: Block
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Switch:
    """switch value { case … else … }."""

    subject: Operand
    cases: tuple[Case, ...]
    otherwise: Block | None = None
    prefix: Prefix | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Share:
    """50% ["name"] { … }."""

    weight: int | float
    name: Text | None
    body: Block
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Split:
    """split { 50% { … } else { … } }."""

    shares: tuple[Share, ...]
    otherwise: Block | None = None
    prefix: Prefix | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Goto:
    """goto @label; without a label, to the end."""

    label: Text | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)
