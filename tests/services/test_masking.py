"""Secrets are struck out of what others repeat, in whatever usual form they repeat it."""

from __future__ import annotations

import html
import json
import random
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

import pytest

from plunk.services.masking import masked, masked_start

VALUES = [
    "sk_live_abcDEF123",
    'p"w/S3cr+=x',
    'päß wort€ 😀 "é"',
    'a\\b\\\\"c\\\n\\é\td',
    '\\\\\\"""\\',
    "+/+/+/",
    "<&>'\"",
    "abcd",
    "-----BEGIN KEY-----\n" + "Ab+/=\n" * 300 + "-----END KEY-----\n",
]


def plain_forms(value: str) -> Iterator[str]:
    yield value
    yield quote(value)
    yield quote(value, safe="")
    yield quote_plus(value)
    yield re.sub("%..", lambda found: found[0].lower(), quote(value, safe=""))
    yield quote(quote(value, safe=""), safe="")
    yield "".join(f"%{byte:02x}" for byte in value.encode())
    yield (
        value.encode("utf-16-be", errors="surrogatepass")
        .hex(" ", 2)
        .replace(" ", "\\u")
        .join(("\\u", ""))
    )
    yield "".join(f"&#{ord(char)};" if char in "\"'&<>é€" else char for char in value)
    yield value.replace("&", "&amp;").replace("é", "&eacute;").replace('"', "&quot;")
    yield html.escape(value)
    yield value.encode().decode("latin-1")
    yield value.encode().decode("cp1252", errors="replace")
    yield value.encode().decode("ascii", errors="replace")
    for text in (value, f"user:{value}", f"{value}:user", f"a{value}b", f"ab{value}bc"):
        yield b64encode(text.encode()).decode()
        yield urlsafe_b64encode(text.encode()).decode()


def forms(value: str) -> Iterator[str]:
    """Yield texts that tell the value, each also as JSON writes it, up to four times over."""
    for form in plain_forms(value):
        plain = unicode = form
        yield form
        for _ in range(4):
            plain, unicode = json.dumps(plain), json.dumps(unicode, ensure_ascii=False)
            yield plain
            yield unicode
            yield plain.replace("/", "\\/")


@pytest.mark.parametrize("value", VALUES, ids=range(len(VALUES)))
def test_usual_forms_of_a_value_are_struck_out(value: str) -> None:
    for form in forms(value):
        found = masked(f"before {form} after", {"TOKEN": value})
        assert "[secret TOKEN]" in found, form
        assert len(found) <= len("before [secret TOKEN] after") + 2 * 31 + 8, (form, found)


@pytest.mark.parametrize("value", VALUES[:4])
def test_json_stays_json(value: str) -> None:
    answer = json.dumps({"data": json.dumps({"t": value}), "headers": {"X": f"Bearer {value}"}})
    found = json.loads(masked(answer, {"TOKEN": value}))
    assert json.loads(found["data"]) == {"t": "[secret TOKEN]"}
    assert found["headers"] == {"X": "Bearer [secret TOKEN]"}


def test_the_longer_of_two_wins_and_other_text_stays() -> None:
    known = {"LONG": "abcdef", "INNER": "abcd", "TINY": "a"}
    assert masked("abcdef abcd abc a", known) == "[secret LONG] [secret INNER] abc a"
    assert masked("abc\\\\def%20abc", {"TOKEN": "abcd"}) == "abc\\\\def%20abc"
    assert masked("anything", {}) == "anything"


def test_half_a_secret_at_the_end_of_a_cut_answer_goes() -> None:
    text = "x" * 1000
    found = masked_start(f"{text}abcdefgh", {"TOKEN": "abcdefghij"})
    assert "a" not in found
    assert found == "x" * len(found)
    assert len(found) > 500
    assert masked_start(text, {}) == text


@pytest.mark.parametrize("sign", ["\\", "a", "é", '"', "%25"])
def test_no_answer_takes_long_to_look_through(sign: str) -> None:
    letters = random.Random(1).choices('abc"\\/+é\n', k=8_192)  # noqa: S311 - no secret
    values = {"A": "".join(letters), "B": "é" * 8_192, "C": "\\" * 100, "D": '"a' * 100}
    text = (sign * 65_536)[:65_536]
    assert "[secret" in masked(f"{text} {values['A']}", values)
