"""Worlds: time that jumps, limits, and what is repeated from the product."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import dsl
from plunk.engine.shell import following
from plunk.errors import BadRequest
from plunk.services import events, segment_computing, segments
from plunk.simulation import memberships, world
from plunk.simulation.catalogue import catalogue_of
from plunk.simulation.happenings import (
    add_person,
    change_person,
    open_world,
    pass_time,
    set_subscribed,
    start,
    track,
)
from plunk.simulation.mocks import fits
from plunk.simulation.story import Plot, tell
from plunk.simulation.world import Limits, TooMuch, World

NINE = datetime(2026, 3, 1, 9, tzinfo=UTC)
KIM = {"email": "kim@example.org"}


def world_of(text: str, **limits: int) -> World:
    catalogue = catalogue_of(dsl.read_bundle({"a.flow": text}))
    return open_world(catalogue, NINE, limits=Limits(**limits) if limits else None)


def days_of(number: float) -> timedelta:
    return timedelta(days=number)


def exits(made: World) -> list[str | None]:
    return [walker.run.exit_reason for walker in made.walkers]


def test_what_is_repeated_from_the_product_is_the_same_there() -> None:
    assert world.MAX_DEPTH == events.MAX_DEPTH
    assert memberships.COMPUTE_EVERY == segments.COUNT_EVERY == segment_computing.COUNT_EVERY
    assert memberships.FOLLOWED_FOR == following.OVERLAP


def test_thousands_of_days_pass_in_a_moment() -> None:
    made = world_of(
        """
        workflow "Daily" { on event "go"  @again wait until 07:00  goto @again }
        workflow "Patient" {
          on event "go"
          wait until contact.data.x == 1 or triggered "y" older than 2000 days { exit "late" }
        }
        """
    )
    person = add_person(made, KIM)
    track(made, person, "go")
    track(made, person, "y")
    pass_time(made, NINE + days_of(3_000))
    daily, patient = made.walkers
    assert daily.run.visit == 3_002
    assert patient.run.exit_reason == "late"
    assert patient.run.completed_at == NINE + days_of(2_000) + timedelta(minutes=15)


@pytest.mark.parametrize(
    ("condition", "after"),
    [
        ("contact.data.at within 2 hours", timedelta(hours=3)),
        ("contact.data.at older than 2 hours", timedelta(hours=5, minutes=15)),
        ("contact.data.at < now", timedelta(hours=3, minutes=15)),
        ("now > contact.data.at", timedelta(hours=3, minutes=15)),
        ("now - 1 hour > contact.data.at", timedelta(hours=4, minutes=15)),
        ('triggered "go" older than 1 hours', timedelta(hours=1, minutes=15)),
        ('not triggered "go" within 1 hours', timedelta(hours=1, minutes=15)),
        ('not count "go" within 1 hours >= 1', timedelta(hours=1, minutes=15)),
        ("run.startedAt older than 50 minutes", timedelta(hours=1)),
        ('contact not in segment "Fresh"', timedelta(hours=2, minutes=15)),
    ],
)
def test_a_wait_ends_at_the_look_at_which_time_makes_its_condition_hold(
    condition: str, after: timedelta
) -> None:
    made = world_of(
        'segment "Fresh" { where triggered "go" within 2 hours }\n'
        f'workflow "W" {{ on event "go"  wait until {condition} }}'
    )
    person = add_person(made, {**KIM, "data": {"at": "2026-03-01T12:00:00Z"}})
    track(made, person, "go")
    if condition.startswith("contact.data.at within"):
        after = timedelta()  # what lies ahead is within, too
    pass_time(made, NINE + days_of(9))
    assert made.walkers[0].run.completed_at == NINE + after


def test_steps_without_end_are_stopped() -> None:
    made = world_of('workflow "W" { on event "go"  @x wait 1 second  goto @x }', visits=1_000)
    person = add_person(made, KIM)
    track(made, person, "go")
    with pytest.raises(TooMuch, match="1,000 steps"):
        pass_time(made, NINE + days_of(9))


def test_segments_without_end_are_stopped() -> None:
    made = world_of(
        """
        segment "On" { where data.on == true  track membership }
        workflow "Off" { on segment "On" entry  reentry always  update contact { on: false } }
        workflow "On" { on segment "On" exit  reentry always  update contact { on: true } }
        """,
        visits=500,
    )
    with pytest.raises(TooMuch):
        track(made, add_person(made, {**KIM, "data": {"on": True}}), "go")


def test_a_contact_who_is_changed_without_an_event_enters_at_the_next_turn() -> None:
    made = world_of(
        'segment "Pros" { where data.plan == "pro"  track membership }\n'
        'workflow "W" { on segment "Pros" entry  exit "in" }'
    )
    person = add_person(made, KIM)
    pass_time(made, NINE + timedelta(minutes=7))
    change_person(made, person, {"data": {"plan": "pro"}})
    assert exits(made) == []
    pass_time(made, NINE + timedelta(minutes=10))
    assert exits(made) == ["in"]


def test_a_contact_whom_an_event_is_about_enters_at_once() -> None:
    made = world_of(
        'segment "Pros" { where data.plan == "pro"  track membership }\n'
        'workflow "W" { on segment "Pros" entry  exit "in" }'
    )
    person = add_person(made, KIM)
    pass_time(made, NINE + timedelta(minutes=7))
    track(made, person, "upgraded", {"plan": "pro"}, merged={"plan": "pro"})
    assert exits(made) == ["in"]


@pytest.mark.parametrize(("plan", "ended"), [("old", []), ("new", ["in"])])
def test_another_segment_starts_no_trigger_on_this_one(plan: str, ended: list[str]) -> None:
    made = world_of(
        'segment "vip" { where data.plan == "new"  track membership }\n'
        'segment "VIP" { where data.plan == "old"  track membership }\n'
        'workflow "W" { on segment "vip" entry  exit "in" }'
    )
    track(made, add_person(made, KIM), "paid", {"plan": plan}, merged={"plan": plan})
    assert exits(made) == ended


def test_every_local_time_that_clocks_skip_means_the_end_of_the_gap() -> None:
    made = world_of(
        """
        segment "All" { static }
        workflow "Wait" {
          on event "go"  timezone "Europe/Brussels"
          add to segment "All"  wait until 02:30 on sunday  exit
        }
        workflow "Cron" { on schedule "30 2 * * SUN" in "Europe/Brussels" for segment "All"  exit }
        workflow "Date" {
          on date contact.data.day at 02:30  timezone "Europe/Brussels"  exit
        }
        """
    )
    pass_time(made, NINE + days_of(22))
    person = add_person(made, {**KIM, "data": {"day": "2026-03-29"}})
    track(made, person, "go")
    pass_time(made, NINE + days_of(28))
    gap = datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert [(one.flow.name, one.run.completed_at) for one in made.walkers] == [
        ("Wait", gap),
        ("Cron", gap),
        ("Date", gap),
    ]


def test_the_same_address_always_falls_the_same_way() -> None:
    text = 'workflow "W" { on event "go"  split { 50% { exit "a" }  50% { exit "b" } } }'
    made = world_of(text)
    for number in range(40):
        track(made, add_person(made, {"email": f"p{number}@example.org"}), "go")
    again = world_of(text)
    for number in range(40):
        track(again, add_person(again, {"email": f"p{number}@example.org"}), "go")
    assert exits(made) == exits(again)
    assert set(exits(made)) == {"a", "b"}


def test_who_may_enter_again() -> None:
    made = world_of(
        """
        workflow "Never" { on event "go"  exit }
        workflow "Always" { on event "go"  reentry always  exit }
        workflow "After" { on event "go"  reentry after 2 hours  exit }
        workflow "Off" { on event "go"  disabled  exit }
        """
    )
    person = add_person(made, KIM)
    for hours in (0, 1, 3):
        pass_time(made, NINE + timedelta(hours=hours))
        track(made, person, "go")
    names = [walker.flow.name for walker in made.walkers]
    assert {name: names.count(name) for name in names} == {"Never": 1, "Always": 3, "After": 2}
    with pytest.raises(BadRequest, match="may not enter again"):
        start(made, person, "Never")
    with pytest.raises(BadRequest, match="disabled"):
        start(made, person, "Off")


def test_subscribing_is_told_once() -> None:
    made = world_of('workflow "W" { on event "contact.unsubscribed"  reentry always  exit }')
    person = add_person(made, KIM)
    set_subscribed(made, person, subscribed=False)
    set_subscribed(made, person, subscribed=False)
    assert len(made.walkers) == 1


@pytest.mark.parametrize(
    ("pattern", "url", "fit"),
    [
        ("https://a/x", "https://a/x", True),
        ("https://a/x", "https://a/xy", False),
        ("https://a/*", "https://a/x/y?z", True),
        ("*", "anything", True),
        ("https://*/x*z", "https://a/x12z", True),
        ("https://*/x*z", "https://a/xz", True),
        ("a*a", "a", False),
        ("*b*b", "ab", False),
    ],
)
def test_patterns_of_addresses(pattern: str, url: str, fit: bool) -> None:  # noqa: FBT001 - a table
    assert fits(pattern, url) is fit


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({"email": "kim"}, "no e-mail address"),
        ({"plan": "pro"}, "not 'plan'"),
        ({"data": 1}, "must be an object"),
        ({"subscribed": "yes"}, "true or false"),
        ({"createdAt": "soon"}, "ISO time"),
    ],
)
def test_contacts_that_cannot_be(raw: dict[str, Any], message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        add_person(world_of(""), raw)


def test_a_story_says_why_nothing_happens() -> None:
    bundle = dsl.read_bundle(
        {"a.flow": 'workflow "W" { on event "go"  disabled  send email "elsewhere" }'}
    )
    story = tell(catalogue_of(bundle), Plot(NINE, "gone", KIM))
    assert list(story.notes) == [
        'no workflow starts on event "gone"; events that do: "go"',
        'workflow "W" is disabled',
        "template 'elsewhere' is not in the bundle; an empty one stands in",
    ]


def test_a_story_that_gets_too_long_is_broken_off() -> None:
    bundle = dsl.read_bundle(
        {"a.flow": 'workflow "W" { on event "go"  @x wait 1 second  goto @x }'}
    )
    story = tell(catalogue_of(bundle), Plot(NINE, "go", KIM), Limits(visits=100))
    assert story.stopped == "more than 100 steps were taken; do they ever end?"
    assert list(story.lines())[-1].startswith("stopped: ")


def test_a_story_of_one_workflow_leaves_the_others_out() -> None:
    text = 'workflow "A" { on event "go"  exit }\nworkflow "B" { on event "go"  exit }'
    catalogue = catalogue_of(dsl.read_bundle({"a.flow": text}))
    told = tell(catalogue, Plot(NINE, "go", KIM, workflow="B")).to_json()
    assert [run["workflow"] for run in told["runs"]] == ["B"]
    started = tell(catalogue, Plot(NINE, None, KIM, workflow="A")).to_json()
    assert [run["workflow"] for run in started["runs"]] == ["A"]
    for plot in (Plot(NINE, "go", KIM, workflow="C"), Plot(NINE, None, KIM)):
        with pytest.raises(BadRequest):
            tell(catalogue, plot)


def test_what_takes_too_long_is_broken_off() -> None:
    segments = "".join(
        f'segment "s{n}" {{ where triggered "x" where (event.n == {n}) track membership }}\n'
        for n in range(10)
    )
    flow = 'workflow "W" { on event "x" on manual @a track "x" { n: 99 } wait 1 minute goto @a }'
    catalogue = catalogue_of(dsl.read_bundle({"a.flow": segments + flow}))
    plot = Plot(NINE, workflow="W", contact={"email": "a@example.com"}, days=3_660)
    looks = iter(range(500))
    story = tell(catalogue, plot, Limits(is_late=lambda: next(looks, None) is None))
    assert story.stopped == "it took too long; look at fewer days"
