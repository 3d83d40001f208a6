"""Secrets, coming in; going out only by name."""

from __future__ import annotations

from marshmallow import Schema

from plunk.schemas.fields import Input, ListOf, Sub, Text, Time
from plunk.services.masking import SHORTEST
from plunk.services.secrets import MAX_VALUE, SecretValue


class SecretValueIn(Input):
    """The value to keep; it can be used and replaced, never read."""

    makes = SecretValue
    value = Text(low=SHORTEST, high=MAX_VALUE, required=True)


class SecretOut(Schema):
    """A secret without its value."""

    name = Text()
    createdAt = Time(attribute="created_at")
    updatedAt = Time(attribute="updated_at")


class SecretListOut(Schema):
    """The names of all secrets of the project."""

    secrets = ListOf(Sub(SecretOut))
