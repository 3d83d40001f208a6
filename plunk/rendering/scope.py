"""The variables every template may count on."""

from __future__ import annotations

from collections.abc import Mapping


def merge_scope(
    contact_id: str, email: str, data: Mapping[str, object], **extra: object
) -> dict[str, object]:
    """Return id, e-mail, the contact's data bare and under `data`, and what the caller adds."""
    return {"id": contact_id, "email": email, **data, "data": dict(data), **extra}
