"""Rules of statements that choose a way."""

from __future__ import annotations

from dsl import nodes
from dsl.building.parts import Parts, number, span_of


def branching(parts: Parts) -> nodes.If:
    """Build from "if" condition block branch* [otherwise]."""
    keyword, condition, body, *others, otherwise = parts
    first = nodes.Branch(condition, body, None, span_of([keyword, body]))
    return nodes.If((first, *others), otherwise, span=span_of(parts))


def branch(parts: Parts) -> nodes.Branch:
    """Build from "else" [prefix] "if" condition block."""
    return nodes.Branch(parts[3], parts[4], parts[1], span_of(parts))


def otherwise(parts: Parts) -> nodes.Block:
    """Build from "else" block."""
    block: nodes.Block = parts[1]
    return block


def switch(parts: Parts) -> nodes.Switch:
    """Build from "switch" value "{" case* [otherwise] "}"."""
    cases, otherwise = parts[3:-2], parts[-2]
    return nodes.Switch(parts[1], tuple(cases), otherwise, span=span_of(parts))


def case(parts: Parts) -> nodes.Case:
    """Build from "case" value ("," value)* block."""
    return nodes.Case(tuple(parts[1:-1:2]), parts[-1], span_of(parts))


def split(parts: Parts) -> nodes.Split:
    """Build from "split" "{" share* [otherwise] "}"."""
    shares, otherwise = parts[2:-2], parts[-2]
    return nodes.Split(tuple(shares), otherwise, span=span_of(parts))


def share(parts: Parts) -> nodes.Share:
    """Build from NUMBER "%" [text] block."""
    return nodes.Share(number(parts[0]), parts[2], parts[3], span_of(parts))
