"""Whether something can be written on an envelope; the mailer judges the rest."""

from __future__ import annotations

import re

ADDRESS = re.compile(r"[^@\s\x00-\x1f<>,;]{1,64}@[^@\s\x00-\x1f<>,;]{1,254}\Z")


def is_address(value: object) -> bool:
    """Return whether a value has the shape of one e-mail address."""
    return isinstance(value, str) and ADDRESS.match(value) is not None
