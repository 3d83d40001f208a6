"""Filters of our own: those the library lacks, and those whose edges or costs need ours."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, time
from email.utils import parsedate_to_datetime

from plunk import clock
from plunk.rendering.limits import MAX_STRING, TooExpensive
from plunk.rendering.values import is_blank, is_truthy, to_text

Filter = Callable[..., object]

_ISO_LENGTH = 64
_DEFAULT_DATE = "%A, %B %-e, %Y at %-l:%M %P %z"
_SLUG_BREAK = re.compile(r"[\W_]+")
_ESCAPES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#39;"},
)


def _raw(value: object) -> str:
    """Print an array without list items."""
    return "".join(map(to_text, _items(value))) if _is_array(value) else to_text(value)


def _default(value: object, fallback: object = "", *, allow_false: object = False) -> object:
    if value is False and is_truthy(allow_false):
        return value
    return fallback if is_blank(value) else value


def _join(value: object, separator: object = " ") -> str:
    glue, texts = to_text(separator), [to_text(item) for item in _items(value)]
    _refuse_growth(sum(map(len, texts)) + len(glue) * len(texts))
    return glue.join(texts)


def _replace(value: str, old: object, new: object = "") -> str:
    old, new = to_text(old), to_text(new)
    _refuse_growth(len(value) + value.count(old) * len(new))
    return value.replace(old, new)


def _refuse_growth(length: int) -> None:
    if length > MAX_STRING:
        raise TooExpensive("text in one value")


def _uniq(value: object) -> list[object]:
    seen = {json.dumps(item, default=str, sort_keys=True): item for item in reversed(_items(value))}
    return list(reversed(seen.values()))


def _divided_by(value: object, divisor: object) -> float | int:
    quotient = _number(value) / _number(divisor)
    return int(quotient) if quotient.is_integer() else quotient


def _number(value: object) -> float:
    return float(value) if isinstance(value, str | int | float) else 0.0


def _to_integer(value: object) -> int:
    return int(_number(value))


def _date(value: object, pattern: object = _DEFAULT_DATE) -> str:
    """Format a date; numbers are seconds since 1970, zones are converted to UTC."""
    when = _to_datetime(value)
    return when.strftime(to_text(pattern)) if when else to_text(value)


def _to_datetime(value: object) -> datetime | None:  # noqa: PLR0911 - one line per kind
    match value:
        case "now" | "today":
            return clock.SystemClock().now()
        case datetime():
            return _as_utc(value)
        case date():
            return datetime.combine(value, time.min, UTC)
        case int() | float():
            return datetime.fromtimestamp(value, UTC)
        case str() if value.isdigit():
            return datetime.fromtimestamp(int(value[:_ISO_LENGTH]), UTC)
        case str() if 0 < len(value) <= _ISO_LENGTH:
            return _parse_date(value)
    return None


def _parse_date(text: str) -> datetime | None:
    for read in _DATE_READERS:
        with suppress(ValueError):
            return _as_utc(read(text))
    return None


def _reader(pattern: str) -> Callable[[str], datetime]:
    return lambda text: datetime.strptime(text, pattern)  # noqa: DTZ007 - made aware by the caller


_DATE_READERS = (
    datetime.fromisoformat,
    parsedate_to_datetime,
    *map(_reader, ("%B %d, %Y", "%b %d, %Y", "%d %B %Y", "%d %b %Y", "%m/%d/%Y", "%Y/%m/%d")),
)


def _as_utc(when: datetime) -> datetime:
    return when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)


def _strip_html(value: str) -> str:
    """Drop tags and comments, and scripts and styles with what they hold."""
    pieces, position, lower = [], 0, value.lower()
    while (start := value.find("<", position)) >= 0:
        pieces.append(value[position:start])
        position = _tag_end(lower, start)
        if position < 0:
            return "".join(pieces)
    return "".join(pieces) + value[position:]


def _tag_end(lower: str, start: int) -> int:
    """Return the position behind the tag, or -1 when it is never closed."""
    for opening, closing in _HIDDEN.items():
        if lower.startswith(opening, start):
            end = lower.find(closing, start)
            return end + len(closing) if end >= 0 else -1
    return lower.find(">", start) + 1 or -1


_HIDDEN = {"<script": "</script>", "<style": "</style>", "<!--": "-->"}


def _slugify(value: str) -> str:
    return _SLUG_BREAK.sub("-", value.lower()).strip("-")


def _sentence(value: object, connector: object = "and") -> str:
    texts = [to_text(item) for item in _items(value)]
    if len(texts) <= 1:
        return "".join(texts)
    comma = "," if len(texts) > 2 else ""  # noqa: PLR2004 - a pair takes no comma
    return f"{', '.join(texts[:-1])}{comma} {to_text(connector)} {texts[-1]}"


def _push(value: object, item: object) -> list[object]:
    return [*_items(value), _not_array(item)]


def _unshift(value: object, item: object) -> list[object]:
    return [_not_array(item), *_items(value)]


def _not_array(item: object) -> object:
    """Refuse arrays: arrays within arrays could be made to grow with every turn of a loop."""
    if _is_array(item):
        raise TypeError
    return item


def _json(value: object, indent: object = None) -> str:
    if isinstance(indent, int) and indent > 0:
        return json.dumps(value, ensure_ascii=False, default=to_text, indent=min(indent, 10))
    return json.dumps(value, ensure_ascii=False, default=to_text, separators=(",", ":"))


def _is_array(value: object) -> bool:
    return isinstance(value, list | tuple | range)


def _items(value: object) -> list[object]:
    if isinstance(value, list | tuple | range):
        return list(value)
    return [] if is_blank(value) else [value]


def escape_html(value: str) -> str:
    """Escape text for HTML as Liquid does."""
    return value.translate(_ESCAPES)


FILTERS: dict[str, Filter] = {
    "array_to_sentence_string": _sentence,
    "date": _date,
    "date_to_xmlschema": lambda value: _date(value, "%Y-%m-%dT%H:%M:%S%z"),
    "default": _default,
    "divided_by": _divided_by,
    "escape": escape_html,
    "escape_once": lambda value: escape_html(html.unescape(value)),
    "join": _join,
    "json": _json,
    "jsonify": _json,
    "normalize_whitespace": lambda value: re.sub(r"\s+", " ", value),
    "number_of_words": lambda value: len(value.split()),
    "pop": lambda value: _items(value)[:-1],
    "push": _push,
    "raw": _raw,
    "replace": _replace,
    "shift": lambda value: _items(value)[1:],
    "slugify": _slugify,
    "strip_html": _strip_html,
    "to_integer": _to_integer,
    "uniq": _uniq,
    "unshift": _unshift,
    "xml_escape": escape_html,
}

# These work on text: whatever comes in is first turned into text our way.
_TEXT_FILTERS = """
    append base64_decode base64_encode base64_url_safe_decode base64_url_safe_encode
    capitalize downcase escape escape_once lstrip newline_to_br normalize_whitespace
    number_of_words prepend remove remove_first remove_last replace replace_first
    replace_last rstrip slugify split squish strip strip_html strip_newlines truncate
    truncatewords upcase url_decode url_encode xml_escape
"""
TEXT_FILTERS = frozenset(_TEXT_FILTERS.split())
