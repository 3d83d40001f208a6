"""Secrets that stand in a text which everybody can read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dsl.diagnostics import Diagnostic, report
from dsl.spans import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dsl.spans import Source

_SHAPES = {
    "key": r"\b[sr]k_[A-Za-z0-9_]{12,}|\bsk-[A-Za-z0-9_-]{20,}",
    "AWS key": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "bearer token": r"\bBearer\s+(?=\S*\d)[A-Za-z0-9._~+/-]{8,}=*",
    "password": r"\bBasic\s+(?=\S*\d)[A-Za-z0-9+/]{12,}=*|(?<=://)[^\s/:@\"{}]+:[^\s/:@\"{}]+(?=@)",
    "private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    "token": (
        r"\bgh[pousr]_[A-Za-z0-9]{30,}|\bxox[abprs]-[A-Za-z0-9-]{10,}|\bAIza[\w-]{35}"
        r"|\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]+|\bSG\.[\w-]{16,}\.[\w-]{16,}"
    ),
}
_SECRET = re.compile(
    "|".join(f"(?P<{name.replace(' ', '_')}>{shape})" for name, shape in _SHAPES.items()),
    re.ASCII,
)
# Behind a key or in an address, the name tells: "X-Api-Key": "d41d…", ?token=d41d….
_NAMED = re.compile(
    r"(?P<name>api[_-]?key|token|secret|password|authorization)"
    r"(?:\"?\s*:\s*\"|=)(?P<value>(?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z0-9._~+/-]{12,}=*)",
    re.ASCII | re.IGNORECASE,
)
_IN_NAMES = {"authorization": "key", "secret": "key"}


def check_secrets(source: Source) -> Iterator[Diagnostic]:
    """Report what looks like a key, a token or a password, comments included."""
    known: list[Span] = []
    for found in _SECRET.finditer(source.text):
        known.append(Span(found.start(), found.end()))
        yield _report(source, known[-1], (found.lastgroup or "").replace("_", " "))
    for found in _NAMED.finditer(source.text):
        span = Span(*found.span("value"))
        name = re.sub(r"api[_-]?", "", found["name"].lower())
        if not any(one.start < span.end and span.start < one.end for one in known):
            yield _report(source, span, _IN_NAMES.get(name, name))


def _report(source: Source, span: Span, what: str) -> Diagnostic:
    article = "an" if what[:1] in "aA" else "a"
    message = (
        f"this looks like {article} {what}, and whoever reads the file can use it; "
        'keep it with "plunk secret set NAME" and write secret("NAME") in the web hook'
    )
    return report(source, "FLOW-W413", span, message)
