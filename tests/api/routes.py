"""Every route of the application, and bodies that its schemas accept."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from marshmallow import Schema, fields

from plunk.application import create_app
from plunk.config import Settings
from plunk.http.endpoint import SPECS, Spec
from plunk.schemas.fields import Address, Choice, Flag, IdText, ListOf, Sub, Text, Whole
from plunk.schemas.parties import PartiesField

NOBODY = "01890000-0000-7000-8000-000000000000"


@dataclass(frozen=True)
class Route:
    """One method at one path; `arguments` are the ids in it."""

    method: str
    rule: str
    endpoint: str
    arguments: tuple[str, ...]

    @property
    def spec(self) -> Spec:
        """Return what the route declares."""
        return SPECS[self.endpoint]

    def path(self, **ids: str) -> str:
        """Return the path with these ids; those not given are nobody's."""
        return re.sub(r"<(?:\w+:)?(\w+)>", lambda match: ids.get(match[1], NOBODY), self.rule)

    def __str__(self) -> str:
        return f"{self.method} {self.rule}"


def all_routes() -> list[Route]:
    """Return every route that is declared with a Spec."""
    app = create_app(Settings(database_url="sqlite://", secret_key="only to look at the routes"))
    return sorted(
        (
            Route(method, rule.rule, rule.endpoint, tuple(sorted(rule.arguments)))
            for rule in app.url_map.iter_rules()
            if rule.endpoint in SPECS
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        ),
        key=str,
    )


ROUTES = all_routes()
WITH_BODY = [route for route in ROUTES if route.spec.body is not None]


def sample_body(schema: Schema) -> dict[str, Any]:
    """Return a body with the required members only."""
    return {
        item.data_key or name: sample(item)
        for name, item in schema.load_fields.items()
        if item.required
    }


SAMPLES: dict[type[fields.Field[Any]], Callable[[Any], Any]] = {
    Address: lambda _: "ada@example.com",
    PartiesField: lambda _: "ada@example.com",
    IdText: lambda _: NOBODY,
    Choice: lambda item: item.choices[0],
    Flag: lambda _: True,
    Whole: lambda item: item.low,
    ListOf: lambda item: [sample(item.inner)],
    Sub: lambda item: sample_body(item.schema),
    Text: lambda _: "x",
}


def sample(item: fields.Field[Any]) -> Any:
    """Return a value that the field accepts."""
    return SAMPLES.get(type(item), lambda _: {})(item)
