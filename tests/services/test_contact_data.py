"""How incoming data merges into stored data."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plunk.errors import BadRequest
from plunk.services import contact_data

DATA = st.dictionaries(st.sampled_from("abc"), st.none() | st.integers() | st.just(""))


@given(DATA, DATA)
def test_merging_twice_changes_nothing_more(stored, incoming):
    once = contact_data.merge(stored, incoming)
    assert contact_data.merge(once, incoming) == once


@given(DATA)
def test_nothing_incoming_changes_nothing(stored):
    assert contact_data.merge(stored, {}) == (stored or None)


def test_the_arguments_are_left_alone():
    stored, incoming = {"a": 1}, {"a": None, "b": 2}
    contact_data.merge(stored, incoming)
    assert (stored, incoming) == ({"a": 1}, {"a": None, "b": 2})


@pytest.mark.parametrize("key", sorted(contact_data.RESERVED))
def test_reserved_keys_are_dropped(key):
    assert contact_data.merge({"a": 1}, {key: "x"}) == {"a": 1}
    assert contact_data.merge({"a": 1}, {key: None}) == {"a": 1}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"value": 1, "persistent": False}, True),
        ({"value": None, "persistent": False}, True),
        ({"value": 1, "persistent": False, "more": 2}, True),
        ({"value": 1, "persistent": True}, False),
        ({"value": 1, "persistent": 0}, False),
        ({"value": 1}, False),
        ({"persistent": False}, False),
        ([1], False),
        (None, False),
    ],
)
def test_what_counts_as_one_off(value, expected):
    assert contact_data.is_one_off(value) is expected


def test_one_off_values_lose_their_wrapper():
    data = {"a": {"value": [1], "persistent": False}, "b": {"value": 2, "persistent": True}}
    assert contact_data.unwrapped(data) == {"a": [1], "b": {"value": 2, "persistent": True}}


def test_a_locale_is_text_or_gone():
    assert contact_data.merge({"locale": "de"}, {"locale": None}) is None
    with pytest.raises(BadRequest, match="locale"):
        contact_data.merge(None, {"locale": 5})
