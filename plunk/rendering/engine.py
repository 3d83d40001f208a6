"""Parses templates once, renders them within limits, and falls back to the plain renderer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache

from liquid import BoundTemplate, Environment, Token
from liquid.exceptions import LiquidError, LiquidInterrupt, LiquidSyntaxError, ResourceLimitError

from plunk.rendering.conditions import IfBlock, UnlessBlock
from plunk.rendering.context import Context
from plunk.rendering.filters import FILTERS
from plunk.rendering.lexer import tokenize
from plunk.rendering.limits import MAX_SOURCE
from plunk.rendering.loops import BoundedFor, BoundedTablerow
from plunk.rendering.nodes import Echo, PlaceholderTag
from plunk.rendering.plain import render_plain
from plunk.rendering.simple import fill, simple_parts

_CACHED_TEMPLATES = 32
_REFUSED_TAGS = ("include", "render", "doc")


class Liquid(Environment):
    """The library's environment with our lexer, tags and filters, and without any loader."""

    shorthand_indexes = True

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        """Register the stock tags and filters, then ours over them."""
        super().setup_tags_and_filters(extra=extra)
        for tag in (PlaceholderTag, Echo, IfBlock, UnlessBlock, BoundedFor, BoundedTablerow):
            self.add_tag(tag)
        for name in _REFUSED_TAGS:
            del self.tags[name]
        self.filters.update(FILTERS)

    def tokenizer(self) -> Callable[[str], Iterator[Token]]:
        """Return the lexer."""
        return tokenize


ENVIRONMENT = Liquid(strict_filters=False)


class Prepared:
    """A parsed template; `template` turns None when it proves to be broken or too expensive."""

    __slots__ = ("parts", "source", "template")

    def __init__(self, source: str) -> None:
        self.source = source
        self.template = _parse_or_none(source)
        self.parts = simple_parts(self.template) if self.template else None

    def render(self, variables: Mapping[str, object]) -> str:
        """Fill the template; whatever goes wrong, something readable comes out."""
        if self.template is not None:
            try:
                if self.parts is not None:
                    return fill(self.parts, variables)
                return _run(self.template, variables)
            except ResourceLimitError:
                self.template = None
            except Exception:  # noqa: BLE001, S110 - nothing a template provokes may stop a send
                pass
        return render_plain(self.source, variables)


prepare = lru_cache(maxsize=_CACHED_TEMPLATES)(Prepared)


def parse(source: str) -> BoundTemplate:
    """Parse a template, or raise LiquidError."""
    if len(source) > MAX_SOURCE:
        raise LiquidSyntaxError(
            f"the template is longer than {MAX_SOURCE:,} characters", token=None
        )
    return ENVIRONMENT.from_string(source)


def _parse_or_none(source: str) -> BoundTemplate | None:
    try:
        return parse(source)
    except LiquidError:  # the library wraps everything else in one, RecursionError too
        return None


def _run(template: BoundTemplate, variables: Mapping[str, object]) -> str:
    context = Context(template, variables)
    buffer = context.get_buffer()
    for node in template.nodes:
        try:
            node.render(context, buffer)
        except LiquidInterrupt:  # a break outside a loop ends nothing
            continue
        except ResourceLimitError:
            raise
        except LiquidError:  # a tag that makes no sense of its values prints nothing
            continue
    return buffer.getvalue()
