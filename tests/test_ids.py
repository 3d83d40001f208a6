"""Identifiers: ordered by time, one written form, keys nobody guesses."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plunk.clock import SystemClock
from plunk.ids import NO_ID, new_id, new_key, parse_id


def test_ids_are_uuids_of_version_7() -> None:
    found = uuid.UUID(new_id())
    assert (found.version, found.variant) == (7, uuid.RFC_4122)


def test_ids_carry_the_time_at_which_they_were_made() -> None:
    before = SystemClock().now() - timedelta(milliseconds=1)
    milliseconds = uuid.UUID(new_id()).int >> 80
    made = datetime.fromtimestamp(milliseconds / 1000, UTC)
    assert before <= made <= SystemClock().now()


def test_later_ids_sort_behind_earlier_ones() -> None:
    made = [new_id() for _ in range(20_000)]
    assert made == sorted(made)


def test_ids_do_not_repeat() -> None:
    assert len({new_id() for _ in range(20_000)}) == 20_000


@given(st.uuids())
def test_any_uuid_has_one_written_form(value: uuid.UUID) -> None:
    assert parse_id(str(value)) == str(value)
    assert parse_id(str(value).upper()) == str(value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "lookup",
        NO_ID[:-1],
        NO_ID + "0",
        NO_ID.replace("-", ""),
        f"{{{NO_ID}}}",
        f"urn:uuid:{NO_ID}",
        f" {NO_ID}",
        "g" + NO_ID[1:],
        "\0" * 36,
        "\u0660" * 36,
    ],
)
def test_nothing_else_is_an_id(text: str) -> None:
    assert parse_id(text) is None


@given(st.text(max_size=50))
def test_any_text_is_an_id_or_none(text: str) -> None:
    assert parse_id(text) in {None, text.lower()}


def test_what_parses_is_always_canonical() -> None:
    odd = "0195-30d95c007aaa80006a8f1c2d3e4f---"  # as long as an id, hyphens astray
    assert len(odd) == len(NO_ID)
    assert parse_id(odd) in {None, str(uuid.UUID(odd))}


@pytest.mark.parametrize("prefix", ["sk", "pk"])
def test_keys_have_256_random_bits_behind_their_prefix(prefix: str) -> None:
    assert re.fullmatch(rf"{prefix}_[0-9a-f]{{64}}", new_key(prefix))
    assert new_key(prefix) != new_key(prefix)
