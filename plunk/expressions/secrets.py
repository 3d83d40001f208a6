"""Secrets inside expressions: known by name only, whatever is built around them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from plunk.errors import InvalidExpression

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}\Z")


@dataclass(frozen=True, slots=True)
class SecretName:
    """Where the value of a secret is to stand."""

    name: str


@dataclass(frozen=True, slots=True)
class Concealed:
    """A text with secrets in it; who sends it puts the values in, and nobody stores it so."""

    parts: tuple[str | SecretName, ...]

    @property
    def shown(self) -> str:
        """Return what may be shown and stored of the text."""
        return "".join(
            part if isinstance(part, str) else f"[secret {part.name}]" for part in self.parts
        )


def conceal(name: object) -> Concealed:
    """Return the mark of a secret."""
    if not isinstance(name, str) or not NAME.match(name):
        raise InvalidExpression("secret() needs a name of letters, digits and underscores")
    return Concealed((SecretName(name),))


def joined(left: str | Concealed, right: str | Concealed) -> Concealed:
    """Return two texts as one that keeps its secrets apart."""
    return Concealed((*_parts(left), *_parts(right)))


def _parts(value: str | Concealed) -> tuple[str | SecretName, ...]:
    return value.parts if isinstance(value, Concealed) else (value,)
