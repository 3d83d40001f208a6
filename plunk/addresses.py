"""E-mail addresses: which ones are accepted, and the one form in which they are kept."""

from __future__ import annotations

import re

MAX_LENGTH = 254  # RFC 5321 §4.5.3.1.3: a path of 256 octets with its angle brackets
LOCAL = r"(?!\.)(?!.*\.\.)[A-Za-z0-9_'+.\-]{0,63}[A-Za-z0-9_+\-]"
LABEL = r"[A-Za-z0-9][A-Za-z0-9\-]{0,62}"
ADDRESS = re.compile(rf"{LOCAL}@(?:{LABEL}\.)+[A-Za-z]{{2,63}}")


def is_address(text: str) -> bool:
    """Tell whether the text is an address that can be written to, such as `ada@example.com`."""
    return len(text) <= MAX_LENGTH and ADDRESS.fullmatch(text) is not None


def normalise(text: str) -> str:
    """Return the stored form: trimmed and in lower case."""
    return text.strip().lower()
