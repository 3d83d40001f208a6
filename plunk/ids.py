"""Identifiers and keys.

Ids are UUID version 7 (RFC 9562 §5.7): 48 bits of milliseconds, then random bits, so that new
rows land at the end of every index. API keys are 32 random bytes behind a readable prefix.
"""

from __future__ import annotations

import os
import secrets
import time
import uuid

MILLISECONDS = 1_000
NO_ID = "00000000-0000-0000-0000-000000000000"  # RFC 9562 §5.9; no row has it


def new_id() -> str:
    """Return a new time-ordered UUID in its 36-character form."""
    value = int(time.time() * MILLISECONDS) << 80 | int.from_bytes(os.urandom(10))
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def parse_id(text: str) -> str | None:
    """Return the canonical form of a UUID, or None when the text is not one."""
    try:
        value = uuid.UUID(text)
    except ValueError:
        return None
    return str(value) if len(text) == len(str(value)) else None


def new_key(prefix: str) -> str:
    """Return a fresh API key such as `sk_<64 hex digits>`."""
    return f"{prefix}_{secrets.token_hex(32)}"
