"""JSON in and out: what is written can be read, what is strange is refused, and quickly."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plunk.application import create_app
from plunk.config import Settings
from plunk.errors import MalformedJson
from plunk.http import strict_json

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
NUMBERS = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXT, inner, max_size=5),
    max_leaves=30,
)
PROVIDER = create_app(Settings(database_url="sqlite://", secret_key="to look at its JSON")).json


@given(VALUES)
def test_what_we_write_we_read(value):
    assert strict_json.loads(PROVIDER.dumps(value).encode()) == value


@given(st.binary(max_size=200))
def test_any_bytes_are_a_value_or_a_clear_refusal(raw):
    with suppress(MalformedJson):
        strict_json.loads(raw)


@pytest.mark.parametrize(
    ("raw", "place"),
    [
        (b'{\n  "a": 1,\n  "b" 2\n}', "line 3, column 7"),
        (b"", "line 1, column 1"),
        (b'{"a": "\xff"}', "offset 7"),
    ],
)
def test_the_place_of_a_mistake_is_named(raw, place):
    with pytest.raises(MalformedJson, match=place):
        strict_json.loads(raw)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b"[" * 64 + b"]" * 64, None),
        (b'["' + b"[" * 100 + b'"]', ["[" * 100]),
        (b'["\\"' + b"[" * 100 + b'"]', ['"' + "[" * 100]),
        (b'["\\\\", [' + b"[]," * 80 + b"[]]]", None),
        (b'"\\ud83c\\udf89"', "🎉"),
        (b'"\\\\u0000"', "\\u0000"),
        (b"18446744073709551615", 2**64 - 1),
        (b'{"a": 1, "a": 2}', {"a": 2}),
    ],
)
def test_what_only_looks_strange_is_read(raw, value):
    found = strict_json.loads(raw)
    assert value is None or found == value


@pytest.mark.parametrize(
    "raw",
    [
        b"[" * 65 + b'"' + b'\\"' * 400_000,
        b"[" * 65 + b'"' + b'\\"' * 400_000 + b"\\",
        b"[" * 500_000,
        b'{"a":' * 150_000,
        b'"\\' * 400_000 + b"[" * 65,
    ],
)
def test_hostile_bodies_are_refused_in_no_time(raw):
    started = time.thread_time()
    with pytest.raises(MalformedJson):
        strict_json.loads(raw)
    assert time.thread_time() - started < 2
