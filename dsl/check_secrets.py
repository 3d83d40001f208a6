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


def check_secrets(source: Source) -> Iterator[Diagnostic]:
    """Report what looks like a key, a token or a password, comments included."""
    for found in _SECRET.finditer(source.text):
        what = (found.lastgroup or "").replace("_", " ")
        article = "an" if what[:1] in "aA" else "a"
        message = (
            f"this looks like {article} {what}, and whoever reads the file can use it; "
            'keep it with "plunk secret set NAME" and write secret("NAME") in the web hook'
        )
        yield report(source, "FLOW-W413", Span(found.start(), found.end()), message)
