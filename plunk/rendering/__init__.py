"""Templates: `{{variables}}` and Liquid become text, fragments become HTML documents."""

from __future__ import annotations

from collections.abc import Mapping

from plunk.rendering.check import TemplateSyntaxError, check_template
from plunk.rendering.document import compile_html
from plunk.rendering.engine import prepare
from plunk.rendering.scope import merge_scope
from plunk.rendering.text import text_part

__all__ = [
    "TemplateSyntaxError",
    "check_template",
    "compile_html",
    "merge_scope",
    "render",
    "text_part",
]


def render(source: str, variables: Mapping[str, object]) -> str:
    """Fill a template. Never raises: a broken or too costly one gets plain substitution.

    Values go in as they are, unescaped, and what comes out is never rendered again.
    """
    return prepare(source).render(variables)
