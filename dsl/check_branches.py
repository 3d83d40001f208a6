"""Statements that choose one of several ways: switch and split."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsl import nodes
from dsl.diagnostics import Diagnostic, note, report
from dsl.expression_text import literal_text, text
from dsl.naming import LONGEST_NAME
from dsl.spans import Span
from dsl.step_configs import REST, WHOLE, case_runs, has_rest, share_ids
from dsl.values import is_literal
from dsl.walking import is_condition

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dsl.spans import Source

MOST_WAYS = 20
_TOLERANCE = 1e-9  # what sums of fractions may be off


def check_branching(source: Source, item: nodes.Item) -> Iterator[Diagnostic]:
    """Report what is wrong with a switch or split; nothing about other statements."""
    if isinstance(item, nodes.Switch):
        yield from _count(source, item.subject.span, item.cases, "case")
        yield from _questions(source, item)
        yield from _cases(source, item)
    elif isinstance(item, nodes.Split):
        yield from _count(source, _word(source, item, "split"), item.shares, "share")
        yield from _weights(source, item)
        yield from _names(source, item)


def _count(
    source: Source, span: Span, ways: Sequence[nodes.Case | nodes.Share], what: str
) -> Iterator[Diagnostic]:
    if not ways:
        example = 'case "pro" { … }' if what == "case" else "50% { … }"
        message = f"there is no {what} to choose; write at least one: {example}"
        yield report(source, "FLOW-E322", span, message)
    elif len(ways) > MOST_WAYS:
        message = f"there are {len(ways)} {what}s; at most {MOST_WAYS} can stand in one place"
        place = ways[MOST_WAYS].span
        yield report(source, "FLOW-E322", Span(place.start, place.start + 1), message)


def _questions(source: Source, switch: nodes.Switch) -> Iterator[Diagnostic]:
    """Report cases that are too many only because null, beside other values, is one of its own."""
    asked = sum(len(case_runs(case.values)) for case in switch.cases)
    if len(switch.cases) <= MOST_WAYS < asked:
        message = f"at most {MOST_WAYS} cases; null beside other values counts as one of its own"
        place = switch.cases[-1].span
        yield report(source, "FLOW-E322", Span(place.start, place.start + 1), message)


def _cases(source: Source, switch: nodes.Switch) -> Iterator[Diagnostic]:
    first: dict[str, nodes.Operand] = {}
    for case in switch.cases:
        for value in case.values:
            if is_condition(value):
                continue  # reported wherever a condition stands for a value
            if not is_literal(value):
                message = "a case is a text, a number, true, false or null; test names with if"
                yield report(source, "FLOW-E321", value.span, message)
            earlier = first.setdefault(text(value), value)
            if earlier is not value:
                notes = (note(source, earlier.span, "first written here"),)
                message = f"there is a case {text(value)} already; only the first is ever taken"
                yield report(source, "FLOW-E221", value.span, message, notes=notes)


def _weights(source: Source, split: nodes.Split) -> Iterator[Diagnostic]:
    for share in split.shares:
        if not 0 < share.weight <= WHOLE:
            message = f"a share is more than 0% and at most {WHOLE}%"
            yield report(source, "FLOW-E320", _weight(source, share), message)
    total = sum(share.weight for share in split.shares)
    if total > WHOLE + _TOLERANCE:
        message = f"the shares are {literal_text(total)}% together; {WHOLE}% is everybody"
        yield report(source, "FLOW-E320", _weight(source, split.shares[-1]), message)
    elif split.otherwise and split.shares and not has_rest(split):
        message = f"the shares are {WHOLE}% already; nobody is left for else"
        place = split.otherwise.span
        yield report(source, "FLOW-E320", Span(place.start, place.start + 1), message)


def _names(source: Source, split: nodes.Split) -> Iterator[Diagnostic]:
    first: dict[str, nodes.Share] = {}
    for share, name in zip(split.shares, share_ids(split), strict=True):
        span = _name(source, share)
        earlier = first.setdefault(name, share)
        if earlier is not share:
            notes = (note(source, _name(source, earlier), "the other one is here"),)
            message = f"there is a share called {name!r} already; choose another name"
            yield report(source, "FLOW-E221", span, message, notes=notes)
        if name == REST:
            message = f"{REST!r} is what the rest is called; choose another name"
            yield report(source, "FLOW-E207", span, message)
        elif not name.strip() or len(name) > LONGEST_NAME:
            message = f"a share needs a name of 1 to {LONGEST_NAME} characters, or none"
            yield report(source, "FLOW-E313", span, message)


def _name(source: Source, share: nodes.Share) -> Span:
    """Return where a share is named: its name, else its weight."""
    return share.name.span if share.name else _weight(source, share)


def _weight(source: Source, share: nodes.Share) -> Span:
    start = share.span.start
    return Span(start, source.text.index("%", start) + 1)


def _word(source: Source, item: nodes.Split, word: str) -> Span:
    """Return the first word of a statement, behind its label."""
    behind = item.prefix.span.end if item.prefix else item.span.start
    start = source.text.index(word, behind)
    return Span(start, start + len(word))
