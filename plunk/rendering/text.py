"""The plain-text side of an HTML mail."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Protocol

from inscriptis import get_text  # type: ignore[import-untyped] # ships no types
from inscriptis.model.config import ParserConfig  # type: ignore[import-untyped] # as above
from inscriptis.model.tag import CustomHtmlTagHandlerMapping  # type: ignore[import-untyped] # too

# Margins become blank lines and spaces: some characters of CSS could ask for gigabytes of them.
_STYLES = re.compile(r"""\sstyle\s*=\s*("[^"]*"|'[^']*'|[^\s>]+)""", re.IGNORECASE)
_BLANK_LINES = re.compile(r"\n{3,}")


def text_part(html: str) -> str:
    """Return the text of an HTML document, links as `text [url]`; empty when there is none."""
    try:
        text = get_text(_STYLES.sub("", html), _CONFIG)
    except Exception:  # noqa: BLE001 - the text side is a courtesy and must never stop a mail
        return ""
    lines = (line.rstrip() for line in text.splitlines())
    return _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip()


class _State(Protocol):
    """What we use of the library's parser."""

    link_target: str
    tags: list[Any]


def _open_link(state: _State, attributes: Mapping[str, str]) -> None:
    target = attributes.get("href", "").strip()
    state.link_target = "" if target.startswith("#") else target


def _close_link(state: _State) -> None:
    if state.link_target:
        state.tags[-1].write(f" [{state.link_target}]")
        state.link_target = ""


_OPENERS: dict[str, Any] = {"a": _open_link}
_CLOSERS: dict[str, Any] = {"a": _close_link}
_CONFIG = ParserConfig(
    custom_html_tag_handler_mapping=CustomHtmlTagHandlerMapping(_OPENERS, _CLOSERS),
)
