"""People in requests: an address alone, or an address with a name."""

from __future__ import annotations

from typing import Any, ClassVar

from marshmallow import ValidationError

from plunk.schemas.fields import Address, Coded, Text
from plunk.schemas.problems import problem
from plunk.services.sending import Party

MAX_NAME = 998


class PartyField(Coded):
    """`"ada@example.com"` or `{"email": "ada@example.com", "name": "Ada"}`."""

    refusal: ClassVar[str] = (
        "Invalid input: expected an e-mail address such as 'ada@example.com', "
        "or an object such as {'email': 'ada@example.com', 'name': 'Ada'}"
    )
    address = Address()
    name_text = Text(high=MAX_NAME, single_line=True)

    def make_error(self, key: str, **kwargs: object) -> ValidationError:
        """Return the same message for a missing value as for one of another shape."""
        return self.wrong_type(kwargs.get("input"))

    def wrong_type(self, value: object) -> ValidationError:
        """Return the message for a value of no accepted shape."""
        return problem(self.refusal, "invalid_union")

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not _has_shape(value):
            raise self.wrong_type(value)
        return self.party(value)

    def party(self, value: str | dict[str, Any]) -> Party:
        """Return who is meant by a value of an accepted shape."""
        if isinstance(value, str):
            return Party(self.address.deserialize(value))
        members, bad = {}, {}
        for member, field in (("email", self.address), ("name", self.name_text)):
            try:
                members[member] = field.deserialize(value.get(member, ""))
            except ValidationError as error:
                bad[member] = error.messages
        if bad:
            raise ValidationError(bad)
        return Party(members["email"], members["name"] or None)


class PartiesField(PartyField):
    """One party, or an array of them, which may be empty."""

    refusal = "Invalid input"

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, list):
            return (super()._deserialize(value, attr, data, **kwargs),)
        if not all(_has_shape(item) for item in value):
            raise self.wrong_type(value)
        return self._all(value)

    def _all(self, values: list[Any]) -> tuple[Party, ...]:
        good, bad = [], {}
        for index, value in enumerate(values):
            try:
                good.append(self.party(value))
            except ValidationError as error:
                bad[str(index)] = error.messages
        if bad:
            raise ValidationError(bad)
        return tuple(good)


def _has_shape(value: object) -> bool:
    match value:
        case str():
            return True
        case {"email": str(), **rest}:
            return isinstance(rest.get("name", ""), str)
    return False
