r"""Masking: secrets are found in what others wrote, as plain text and in the usual disguises.

Known are the escapes of JSON, also of JSON inside of JSON; the percent encoding of URLs and forms;
the entities of HTML; UTF-8 that was read as Latin-1 or Windows-1252, or not at all; and Base64,
alone or within a longer text. They may be mixed. Whatever else somebody makes of a value is not
known.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from html.entities import codepoint2name
from itertools import groupby

SHORTEST = 4  # shorter values would be found in innocent text
EDGE = 100  # of a longer value only the two ends are compared
LONGEST_FORM = 42  # characters that one of a value may take up: a pair of \uXXXX, escaped itself
# Possessive, since a text may be nothing but backslashes. A quote that was escaped four times over
# has fifteen of them in front of it.
SLASHES = r"\\{0,16}+"
SOME_SLASHES = r"\\{1,16}+"
NAMES = {**codepoint2name, ord("'"): "apos"}
CONTROLS = {"\b": "b", "\f": "f", "\n": "n", "\r": "r", "\t": "t"}
AMPERSAND = rf"(?:&|{SOME_SLASHES}u0026)(?:amp;){{0,3}}"
UNREAD = rf"(?:[\ufffd?]|{SOME_SLASHES}u(?i:fffd)){{1,4}}"
PLAIN = re.compile(r"[A-Za-z0-9]")
URL_SAFE = {"+": "-", "/": "_"}
SIX_BITS = "[A-Za-z0-9+/_-]?"


def masked(text: str, known: Mapping[str, str]) -> str:
    """Return the text with the values of secrets struck out, should somebody have echoed one."""
    found = sorted(
        (name for name, value in known.items() if len(value) >= SHORTEST),
        key=lambda name: (-len(known[name]), name),
    )
    if not found:
        return text
    pattern = "|".join(f"({'|'.join(_forms(known[name]))})" for name in found)
    return re.sub(pattern, lambda hit: f"[secret {found[(hit.lastindex or 1) - 1]}]", text)


def masked_start(text: str, known: Mapping[str, str]) -> str:
    """Return the same of a text whose end was cut off, without what may be half a secret."""
    reach = max((len(value) for value in known.values()), default=0) * LONGEST_FORM
    whole = masked(text, known)
    return whole[:-reach] if reach else whole


def _forms(value: str) -> Iterator[str]:
    """Yield patterns of a value: character by character, and in the three ways Base64 cuts it."""
    yield _between(value, _plain)
    data = value.encode()
    for offset in range(3):
        bits = 8 * (offset + len(data))
        whole = b64encode(bytes(offset) + data).decode()[-(-8 * offset // 6) : bits // 6]
        before, behind = SIX_BITS if offset else "", SIX_BITS if bits % 6 else ""
        yield before + _between(whole, _encoded) + behind


def _between(text: str, pattern: Callable[[str], str]) -> str:
    """Return the pattern of a text; of a long one, its ends with anything between them."""
    if len(text) <= 2 * EDGE:
        return pattern(text)
    some = rf"[\s\S]{{0,{len(text) * LONGEST_FORM}}}"
    return f"(?:{pattern(text[:EDGE])})(?:{some}?(?:{pattern(text[-EDGE:])})|{some})"


def _plain(text: str) -> str:
    found, before = "", ""
    for char, group in groupby(text):
        run = _run(char, len(list(group)))
        # Backslashes of the value itself have taken those of the next escape along.
        found += run.replace(SOME_SLASHES, SLASHES) if before == "\\" else run
        before = char
    return found


def _encoded(text: str) -> str:
    return "".join(map(_six_bits, text))


def _six_bits(char: str) -> str:
    return f"(?:{URL_SAFE[char]}|{_char(char)})" if char in URL_SAFE else char


def _run(char: str, length: int) -> str:
    """Return the pattern of a character that stands so many times in a row."""
    if char == "\\":
        return rf"(?:\\{{{length},{16 * length}}}+|(?:{_char(char)}){{{length}}})"
    return f"(?:{_char(char)}){{{length}}}"


def _char(char: str) -> str:
    data = char.encode(errors="surrogatepass")
    coded = [_unicode_escape(char), "".join(map(_percent, data))]
    if PLAIN.match(char):
        return "|".join([char, *coded])
    forms = [SLASHES + re.escape(char), *coded, _entity(char)]
    if char in CONTROLS:
        forms.append(SOME_SLASHES + CONTROLS[char])
    if char == " ":
        forms.append(r"\+")
    if len(data) > 1:
        forms += [UNREAD, "".join(map(_misread, data))]
    return "|".join(forms)


def _unicode_escape(char: str) -> str:
    units = char.encode("utf-16-be", errors="surrogatepass").hex()
    return "".join(f"{SOME_SLASHES}u(?i:{units[at : at + 4]})" for at in range(0, len(units), 4))


def _entity(char: str) -> str:
    code, name = ord(char), NAMES.get(ord(char))
    named = f"{name}|" if name else ""
    return rf"{AMPERSAND}(?:{named}\#0{{0,6}}{code}|\#(?i:x0{{0,6}}{code:x}));"


def _percent(byte: int) -> str:
    return f"%(?:25){{0,3}}(?i:{byte:02x})"


def _misread(byte: int) -> str:
    """Return the pattern of one byte of UTF-8 that was taken for a character of its own."""
    read = {bytes([byte]).decode(one, errors="replace") for one in ("latin-1", "cp1252")}
    forms = (
        form
        for char in sorted(read - {"\ufffd"})
        for form in (re.escape(char), _unicode_escape(char), "".join(map(_percent, char.encode())))
    )
    return f"(?:{'|'.join(forms)})"
