"""Judges a template before it is stored."""

from __future__ import annotations

from liquid.exceptions import LiquidError

from plunk.errors import FieldProblem, Invalid
from plunk.rendering.engine import ENVIRONMENT, parse


class TemplateSyntaxError(Invalid):
    """A template cannot be parsed; `field`, `line` and `column` say where."""

    status = 400

    def __init__(self, field: str, line: int, column: int, reason: str) -> None:
        text = f"{reason} (line {line}, column {column})"
        problem = FieldProblem(field, text, "template_syntax")
        super().__init__([problem], f"Template syntax error in {field}: {text}", manual=True)
        self.field = field
        self.line = line
        self.column = column
        self.reason = reason


def check_template(source: str, field: str) -> None:
    """Raise TemplateSyntaxError for the first fault: syntax, a refused tag, an unknown filter."""
    try:
        template = parse(source)
        filters = template.analyze(include_partials=False).filters
    except (LiquidError, RecursionError) as error:
        raise _syntax_error(error, source, field) from error
    unknown = [
        (span.index, name)
        for name, spans in filters.items()
        for span in spans
        if name not in ENVIRONMENT.filters
    ]
    if unknown:
        index, name = min(unknown)
        raise TemplateSyntaxError(field, *_position(source, index), f"unknown filter {name!r}")


def _syntax_error(
    error: LiquidError | RecursionError, source: str, field: str
) -> TemplateSyntaxError:
    if isinstance(error, RecursionError) or error.__cause__ is not None:
        return TemplateSyntaxError(field, 1, 1, "the template is nested too deeply")
    index = error.token.start_index if error.token else 0
    if error.token and error.token.start_index < 0:
        index = len(source)
    return TemplateSyntaxError(field, *_position(source, index), str(error.message))


def _position(source: str, index: int) -> tuple[int, int]:
    """Return line and column, both from 1."""
    before = source[:index]
    return before.count("\n") + 1, len(before) - before.rfind("\n")
