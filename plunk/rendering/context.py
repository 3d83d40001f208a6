"""One rendering in progress: variables, what has been spent, and guarded filters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import TextIO

from liquid import BoundTemplate, RenderContext, Token
from liquid.builtin.tags.for_tag import ForLoop
from liquid.builtin.tags.tablerow_tag import TableRow
from liquid.exceptions import LiquidError, ResourceLimitError
from liquid.utils import ReadOnlyChainMap

from plunk.rendering.filters import TEXT_FILTERS
from plunk.rendering.limits import MAX_LOCALS, Budget, Buffer, TooExpensive, check_size
from plunk.rendering.values import get_property, to_text

Function = Callable[..., object]


class Context(RenderContext):
    """The library's context with our rules for properties, filters and costs."""

    __slots__ = ("_local_sizes", "_locals_total", "budget")

    def __init__(self, template: BoundTemplate, variables: Mapping[str, object]) -> None:
        super().__init__(template, globals=variables)
        # Without the library's own `now` and `today`, which would shadow missing variables.
        self.scope = ReadOnlyChainMap(self.locals, self.globals, self.counters)
        self.budget = Budget()
        self._local_sizes: dict[str, int] = {}
        self._locals_total = 0

    def get_item(self, obj: object, key: object) -> object:
        """Return an own property, nothing a Python object happens to have."""
        return get_property(obj, key)

    def get_buffer(self, buf: TextIO | None = None) -> Buffer:  # noqa: ARG002 - one budget for all
        """Return a place for captured text that is paid for like the rest."""
        return Buffer(self.budget)

    @contextmanager
    def loop(
        self, namespace: Mapping[str, object], forloop: ForLoop | TableRow
    ) -> Iterator[RenderContext]:
        """Enter a loop each of whose turns is paid for."""
        forloop.it = map(self._turn, forloop.it)
        with super().loop(namespace, forloop) as context:
            yield context

    def _turn(self, item: object) -> object:
        self.budget.loop()
        return item

    def assign(self, key: str, val: object) -> None:
        """Set a variable; together they may not outgrow their limit."""
        self.budget.tick()
        size = check_size(val)
        self._locals_total += size - self._local_sizes.get(key, 0)
        self._local_sizes[key] = size
        if self._locals_total > MAX_LOCALS:
            raise TooExpensive("memory")
        self.locals[key] = val

    def filter(self, name: str, token: Token | None) -> Function:
        """Return the filter; an unknown one does nothing."""
        return partial(self._apply, name, super().filter(name, token))

    def _apply(
        self, name: str, function: Function, value: object, *args: object, **named: object
    ) -> object:
        self.budget.check_time()
        for each in (value, *args):
            check_size(each)
        if name in TEXT_FILTERS:
            value = to_text(value)
            args = tuple(arg if isinstance(arg, int) else to_text(arg) for arg in args)
        result = _attempt(function, value, args, named)
        check_size(result)
        return result


def _attempt(
    function: Function, value: object, args: tuple[object, ...], named: dict[str, object]
) -> object:
    """Apply a filter; one that cannot be applied leaves its value alone, as an unknown one does."""
    try:
        return function(value, *args, **named)
    except ResourceLimitError:
        raise
    except (LiquidError, TypeError, ValueError, ArithmeticError, LookupError):
        return value
