"""Mail headers: checked, merged, encoded and folded; a value can never become two lines."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable

from plunk.errors import PlunkError

Headers = tuple[tuple[str, str], ...]

_LINE = 76
_LONGEST_WORD = 900
_CHUNK_BYTES = 42
_NAME = re.compile(r"[!-9;-~]{1,200}")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\x85\u2028\u2029\ud800-\udfff]")
_ONE_CLICK = ("list-unsubscribe", "list-unsubscribe-post")
_INTERNAL = "x-plunk-recipient-override"
_RESERVED = re.compile(
    r"from|to|bcc|message-id|mime-version|content-.*|return-path|received", re.IGNORECASE
)


class UnsendableMessage(PlunkError):
    """The message can never be sent as it is."""


class HeaderInjection(UnsendableMessage):
    """A header's name or value holds a line break or another control character."""


class ReservedHeader(UnsendableMessage):
    """The caller set a header that only we may set."""


def check_text(label: str, text: str) -> str:
    """Return the text, or raise HeaderInjection if it could break a header."""
    if _CONTROL.search(text):
        raise HeaderInjection(f"{label} contains a line break or a control character")
    return text


def check_headers(headers: Iterable[tuple[str, str]]) -> None:
    """Raise HeaderInjection or ReservedHeader for the first header nobody may set."""
    for name, value in headers:
        if not _NAME.fullmatch(name):
            raise HeaderInjection(f"{name!r} is no header name")
        if _RESERVED.fullmatch(name):
            raise ReservedHeader(f"the header {name} cannot be set")
        check_text(f"the header {name}", value)


def unsubscribe_headers(unsubscribe_url: str) -> Headers:
    """Return the headers behind a mail program's own unsubscribe button."""
    return (
        ("List-Unsubscribe", f"<{unsubscribe_url}>"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
    )


def bulk_headers(unsubscribe_url: str | None = None) -> Headers:
    """Return the headers of mail that went to many, with one-click unsubscribe if there is one."""
    return (
        *(unsubscribe_headers(unsubscribe_url) if unsubscribe_url else ()),
        ("Precedence", "bulk"),
        ("Auto-Submitted", "auto-generated"),
        ("X-Auto-Response-Suppress", "All"),
    )


def merge_headers(defaults: Headers, given: Iterable[tuple[str, str]]) -> Headers:
    """Let the caller's headers replace ours, whatever their case, in the caller's spelling.

    Either List-Unsubscribe header replaces both, because one without the other misleads.
    """
    own = {name.lower(): (name, value) for name, value in given if name.lower() != _INTERNAL}
    taken = set(own)
    if taken.intersection(_ONE_CLICK):
        taken.update(_ONE_CLICK)
    return (*(pair for pair in defaults if pair[0].lower() not in taken), *own.values())


def fold_header(name: str, value: str) -> str:
    """Return an ASCII value in lines of 76 characters where it has spaces."""
    lines, room = [""], _LINE - len(name) - 1
    for word in value.split(" "):
        if lines[-1] and len(lines[-1]) + 1 + len(word) > room:
            lines.append("")
            room = _LINE
        lines[-1] += f" {word}"
    return "\r\n".join(lines).removeprefix(" ")


def encode_text(text: str) -> str:
    """Return text for a header that is just text."""
    return encode_words(text) if needs_encoding(text) else text


def needs_encoding(text: str) -> bool:
    """Tell whether text would not survive as it stands."""
    words = text.split(" ")
    plain = text.isascii() and "=?" not in text and "\t" not in text
    return bool(text) and not (plain and all(0 < len(word) <= _LONGEST_WORD for word in words))


def encode_words(text: str) -> str:
    """Return RFC 2047 encoded words, none longer than 75 characters."""
    return " ".join(f"=?utf-8?b?{b64encode(chunk).decode()}?=" for chunk in _chunks(text))


def _chunks(text: str) -> Iterable[bytes]:
    """Cut text between characters, never inside one."""
    chunk = b""
    for character in text:
        encoded = character.encode()
        if len(chunk) + len(encoded) > _CHUNK_BYTES:
            yield chunk
            chunk = b""
        chunk += encoded
    yield chunk
