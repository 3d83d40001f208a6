"""Fields whose messages and codes are those of the public API.

Each is a marshmallow field, so that the same schema checks, shapes and documents.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from marshmallow import EXCLUDE, Schema, ValidationError, fields, post_load

from plunk import addresses
from plunk.clock import iso
from plunk.errors import BadFields, FieldProblem, Invalid
from plunk.ids import parse_id
from plunk.schemas.problems import json_type, problem

INT32 = 2**31 - 1
MAX_CONDITION_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Pattern:
    """What a string must look like, and what to say when it does not."""

    regex: re.Pattern[str]
    message: str


CONTROL = r"\x00-\x08\x0a-\x1f\x7f\x85\u2028\u2029"  # line breaks included, tabs not
SINGLE_LINE = Pattern(
    re.compile(rf"[^{CONTROL}]*"), "Must not contain line breaks or control characters"
)


class Input(Schema):
    """A schema for what comes in; it makes the value type named by `makes`, unknown keys aside."""

    makes: ClassVar[Callable[..., Any]] = dict
    bad_requests: ClassVar[frozenset[tuple[str, str]]] = frozenset()
    """Mistakes, as (field, code), that the public API answers with 400 instead of 422."""
    alternatives: ClassVar[tuple[tuple[str, ...], ...]] = ()
    """Groups of fields of which one must be there; for the documentation."""

    class Meta:
        """Unknown keys are ignored."""

        unknown = EXCLUDE

    @post_load
    def make(self, values: dict[str, Any], **_: object) -> Any:
        """Return the checked values as the schema's value type."""
        return type(self).makes(**values)

    @classmethod
    def refusal(cls, problems: Sequence[FieldProblem]) -> Invalid:
        """Return the error that lists these problems, of the kind the public API answers."""
        plain = [item for item in problems if (item.field, item.code) in cls.bad_requests]
        if plain:
            return BadFields(problems, f"{plain[0].field}: {plain[0].message}")
        return Invalid(problems)


class Coded(fields.Field[Any]):
    """The shared half of all fields: coded messages for missing, null and wrongly typed values."""

    kind: ClassVar[str] = "unknown"

    def make_error(self, key: str, **kwargs: object) -> ValidationError:
        """Return the coded message for marshmallow's own checks."""
        if key == "required":
            return problem("Required", "invalid_type", "undefined")
        if key in {"null", "invalid"}:
            return self.wrong_type(kwargs.get("input"))
        return super().make_error(key, **kwargs)

    def wrong_type(self, value: object) -> ValidationError:
        """Return the message for a value of another JSON type."""
        received = json_type(value)
        return problem(f"Expected {self.kind}, received {received}", "invalid_type", received)


class Text(Coded, fields.String):
    """A string with length limits; `single_line` refuses line breaks, `pattern` all else."""

    kind = "string"

    def __init__(
        self,
        *,
        low: int = 0,
        high: int | None = None,
        single_line: bool = False,
        pattern: Pattern | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.low, self.high, self.single_line = low, high, single_line
        self.pattern = SINGLE_LINE if single_line else pattern

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str):
            raise self.wrong_type(value)
        if len(value) < self.low:
            raise problem(f"String must contain at least {self.low} character(s)", "too_small")
        if self.high is not None and len(value) > self.high:
            raise problem(f"String must contain at most {self.high} character(s)", "too_big")
        if self.pattern is not None and not self.pattern.regex.fullmatch(value):
            raise problem(self.pattern.message, "invalid_string")
        return value


class Address(Text):
    """An e-mail address; it is kept as it was sent."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if not addresses.is_address(text.strip()):
            raise problem("Invalid email", "invalid_string")
        return text.strip()


class IdText(Text):
    """A UUID in its 36-character form."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        parsed = parse_id(super()._deserialize(value, attr, data, **kwargs))
        if parsed is None:
            raise problem("Invalid uuid", "invalid_string")
        return parsed


class Choice(Text):
    """One of a few words."""

    def __init__(self, *choices: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.choices = choices

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if text not in self.choices:
            expected = " | ".join(f"'{choice}'" for choice in self.choices)
            message = f"Invalid enum value. Expected {expected}, received '{text[:100]}'"
            raise problem(message, "invalid_enum_value")
        return text


class Flag(Coded, fields.Boolean):
    """true or false, and nothing that merely looks like it."""

    kind = "boolean"

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise self.wrong_type(value)
        return value


class Whole(Coded, fields.Integer):
    """A whole number between two limits."""

    kind = "number"

    def __init__(self, *, low: int = 0, high: int = INT32, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.low, self.high = low, high

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.wrong_type(value)
        if value != int(value):
            raise problem("Expected integer, received float", "invalid_type", "float")
        if value < self.low:
            raise problem(f"Number must be greater than or equal to {self.low}", "too_small")
        if value > self.high:
            raise problem(f"Number must be less than or equal to {self.high}", "too_big")
        return int(value)


class JsonObject(Coded, fields.Dict):
    """A JSON object with any members; `max_bytes` limits its text."""

    kind = "object"

    def __init__(self, *, max_bytes: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.max_bytes = max_bytes

    def _deserialize(
        self, value: Any, attr: str | None, data: Any, **kwargs: Any
    ) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self.wrong_type(value)
        if self.max_bytes is not None and len(json.dumps(value)) > self.max_bytes:
            raise problem(f"Object must take at most {self.max_bytes} bytes", "too_big")
        return value


class AnyJson(Coded, fields.Raw):
    """Any JSON value."""


class ConditionField(Coded, fields.Raw):
    """A condition: a filter tree, or the text that stands for one."""

    kind = "object"

    def _deserialize(
        self, value: Any, attr: str | None, data: Any, **kwargs: Any
    ) -> dict[str, Any] | str:
        if not isinstance(value, dict | str) or not value:
            raise self.wrong_type(value)
        if len(json.dumps(value)) > MAX_CONDITION_BYTES:
            raise problem(f"Condition must take at most {MAX_CONDITION_BYTES} bytes", "too_big")
        return value


class ListOf(Coded, fields.List[Any]):
    """An array of one kind of item, with limits on its length."""

    kind = "array"

    def __init__(
        self,
        item: fields.Field[Any],
        *,
        low: int = 0,
        high: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(item, **kwargs)
        self.low, self.high = low, high

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:
        return super()._deserialize(self.counted(value), attr, data, **kwargs)

    def counted(self, value: object) -> list[Any]:
        """Return the value when it is an array of an allowed length, whatever its items are."""
        if not isinstance(value, list):
            raise self.wrong_type(value)
        if len(value) < self.low:
            raise problem(f"Array must contain at least {self.low} element(s)", "too_small")
        if self.high is not None and len(value) > self.high:
            raise problem(f"Array must contain at most {self.high} element(s)", "too_big")
        return value


class Sub(Coded, fields.Nested):
    """An object inside an object."""

    kind = "object"

    def _deserialize(
        self, value: Any, attr: str | None, data: Any, partial: Any = None, **kwargs: Any
    ) -> Any:
        if not isinstance(value, dict):
            raise self.wrong_type(value)
        return super()._deserialize(value, attr, data, partial, **kwargs)


class MapOf(JsonObject):
    """A JSON object whose names and values follow one rule each."""

    def __init__(self, name: Text, value: fields.Field[Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.name_field, self.item_field = name, value

    def _deserialize(
        self, value: Any, attr: str | None, data: Any, **kwargs: Any
    ) -> dict[str, Any]:
        items = super()._deserialize(value, attr, data, **kwargs)
        good, bad = {}, {}
        for name, item in items.items():
            try:
                good[self.name_field.deserialize(name)] = self.item_field.deserialize(item)
            except ValidationError as error:
                bad[name] = error.messages
        if bad:
            raise ValidationError(bad)
        return good


class Query(Text):
    """A query parameter read leniently by a function; nothing it holds is an error."""

    def __init__(self, read: Callable[[str | None], Any], **kwargs: Any) -> None:
        super().__init__(load_default=read(None), **kwargs)
        self.read = read

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        return self.read(value.replace("\0", "") if isinstance(value, str) else None)


class Time(fields.Field[datetime]):
    """An instant, written as ISO 8601 in UTC with milliseconds."""

    def _serialize(
        self, value: datetime | None, attr: str | None, obj: Any, **kwargs: Any
    ) -> str | None:
        return iso(value) if value else None
