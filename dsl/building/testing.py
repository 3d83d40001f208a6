"""Rules of tests."""

from __future__ import annotations

from dsl import nodes
from dsl.building.parts import Parts, label, span_of


def under_test(parts: Parts) -> nodes.UnderTest:
    """Build from "workflow" text."""
    return nodes.UnderTest(parts[1], span_of(parts))


def starts_at(parts: Parts) -> nodes.StartsAt:
    """Build from "at" text."""
    return nodes.StartsAt(parts[1], span_of(parts))


def person(parts: Parts) -> nodes.Person:
    """Build from "contact" object."""
    return nodes.Person(parts[1], span_of(parts))


def started(parts: Parts) -> nodes.Started:
    """Build from "start" [object]."""
    return nodes.Started(parts[1], span_of(parts))


def advance(parts: Parts) -> nodes.Advance:
    """Build from "advance" duration."""
    return nodes.Advance(parts[1], span_of(parts))


def advance_until(parts: Parts) -> nodes.AdvanceUntil:
    """Build from "advance" "until" text."""
    return nodes.AdvanceUntil(parts[2], span_of(parts))


def mock_webhook(parts: Parts) -> nodes.MockWebhook:
    """Build from "mock" "webhook" text object."""
    return nodes.MockWebhook(parts[2], parts[3], span_of(parts))


def mock_random(parts: Parts) -> nodes.MockRandom:
    """Build from "mock" "random" [LABEL] (text | "else")."""
    place = None if parts[2] is None else label(parts[2])
    branch = parts[3] if isinstance(parts[3], nodes.Text) else None
    return nodes.MockRandom(place, branch, span_of(parts))


def set_contact(parts: Parts) -> nodes.SetContact:
    """Build from "set" "contact" object."""
    return nodes.SetContact(parts[2], span_of(parts))


def unsubscribed(parts: Parts) -> nodes.Unsubscribed:
    """Build from "unsubscribe" "contact"."""
    return nodes.Unsubscribed(span_of(parts))


def subscribed(parts: Parts) -> nodes.Subscribed:
    """Build from "subscribe" "contact"."""
    return nodes.Subscribed(span_of(parts))


def expect_email(parts: Parts) -> nodes.ExpectEmail:
    """Build from "expect" "email" text ["to" text]."""
    return nodes.ExpectEmail(parts[2], parts[4], span_of(parts))


def expect_no_email(parts: Parts) -> nodes.ExpectNoEmail:
    """Build from "expect" "no" "email" [text]."""
    return nodes.ExpectNoEmail(parts[3], span_of(parts))


def expect_webhook(parts: Parts) -> nodes.ExpectWebhook:
    """Build from "expect" "webhook" text [object]."""
    return nodes.ExpectWebhook(parts[2], parts[3], span_of(parts))


def expect_event(parts: Parts) -> nodes.ExpectEvent:
    """Build from "expect" "event" text."""
    return nodes.ExpectEvent(parts[2], span_of(parts))


def expect_waiting(parts: Parts) -> nodes.ExpectWaiting:
    """Build from "expect" "waiting" ["at" LABEL]."""
    place = None if parts[3] is None else label(parts[3])
    return nodes.ExpectWaiting(place, span_of(parts))


def expect_ended(parts: Parts) -> nodes.ExpectEnded:
    """Build from "expect" ("completed" | "failed") [text]."""
    return nodes.ExpectEnded(str(parts[1]), parts[2], span_of(parts))


def expect_not_entered(parts: Parts) -> nodes.ExpectNotEntered:
    """Build from "expect" "not" "entered"."""
    return nodes.ExpectNotEntered(span_of(parts))


def expect_goal(parts: Parts) -> nodes.ExpectGoal:
    """Build from "expect" "goal" text."""
    return nodes.ExpectGoal(parts[2], span_of(parts))


def expect_condition(parts: Parts) -> nodes.ExpectCondition:
    """Build from "expect" condition."""
    return nodes.ExpectCondition(parts[1], span_of(parts))
