"""Which way a run takes out of a step; the ways come in the order in which they are tried."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from plunk.engine.core.graph import Edge

EVENT_BRANCHES = ("event", "yes")
TIMEOUT_BRANCHES = ("timeout", "no")


def next_step(ways: Iterable[Edge], branch: str | None = None) -> str | None:
    """Return where a finished step leads: the first way that is unconditional or its branch's."""
    for edge in ways:
        condition = edge.condition
        if condition is None or (branch is not None and condition.get("branch") == branch):
            return edge.to_id
    return None


def after_event(ways: Iterable[Edge]) -> str | None:
    """Return where a wait leads when its event came."""
    return _first(
        tuple(ways),
        lambda edge: edge.wait_outcome == "EVENT",
        lambda edge: _branch(edge) in EVENT_BRANCHES,
        _is_plain,
    )


def after_timeout(ways: Iterable[Edge]) -> str | None:
    """Return where a wait leads when its event did not come in time."""
    return _first(
        tuple(ways),
        lambda edge: edge.wait_outcome == "TIMEOUT",
        lambda edge: _branch(edge) in TIMEOUT_BRANCHES or _is_fallback(edge),
        _is_plain,
    )


def _first(ways: tuple[Edge, ...], *choices: Callable[[Edge], bool]) -> str | None:
    for is_chosen in choices:
        for edge in ways:
            if is_chosen(edge):
                return edge.to_id
    return None


def _branch(edge: Edge) -> object:
    return _condition(edge).get("branch")


def _is_fallback(edge: Edge) -> bool:
    return _condition(edge).get("fallback") is True


def _condition(edge: Edge) -> Mapping[str, object]:
    return {} if edge.wait_outcome or edge.condition is None else edge.condition


def _is_plain(edge: Edge) -> bool:
    return edge.condition is None and edge.wait_outcome is None
