"""What the document needs to know about one route, without knowing Flask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from marshmallow import Schema

from plunk.schemas.fields import Input, Query


@dataclass(frozen=True, slots=True)
class Tag:
    """A group of operations about one noun."""

    name: str
    description: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path: `keys` names the security schemes that open it, any one of them."""

    path: str
    method: str
    name: str
    tag: Tag
    summary: str
    description: str
    answers: Mapping[int, Schema | None]
    keys: tuple[str, ...] = ()
    path_names: tuple[str, ...] = ()
    body: Schema | None = None
    query: Schema | None = None
    body_limit: int = 0
    body_optional: bool = False
    idempotent: bool = False
    errors: tuple[int, ...] = ()

    def error_statuses(self) -> list[int]:
        """Return the error statuses that this operation can answer with."""
        found = {500, *self.errors}
        if self.keys:
            found |= {401, 429} if self.method == "GET" else {401, 403, 429}
        if self.path_names:
            found.add(404)
        if self.body is not None:
            found |= {400, 413, 415, 422}
        if self.query is not None:
            found |= _query_errors(self.query)
        if self.idempotent:
            found |= {400, 409}
        return sorted(found - set(self.answers))


def _query_errors(query: Schema) -> set[int]:
    if all(isinstance(item, Query) for item in query.fields.values()):
        return set()
    return {400, 422} if isinstance(query, Input) and query.bad_requests else {422}
