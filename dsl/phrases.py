"""The words of each statement, header and line of a test, up to its object or block."""

from __future__ import annotations

from typing import TypeAlias

from dsl import nodes
from dsl.expression_text import duration_text, literal_text, reference_text, text
from dsl.strings import block_or_line, encode

Plain: TypeAlias = nodes.Item | nodes.SegmentItem | nodes.TestItem


def phrase(item: Plain) -> tuple[str, ...]:
    """Return the words; some of them may be empty."""
    for table in (_action, _pause, _choice, _header, _expectation, _line):
        words = table(item)
        if words:
            return words
    return (type(item).__name__.lower(),)


def object_of(item: Plain) -> nodes.Object | None:
    """Return the object that ends a statement or line."""
    match item:
        case nodes.SendEmail(overrides=value) | nodes.Webhook(options=value):
            return value
        case nodes.Edge(options=value) | nodes.Track(data=value) | nodes.Started(context=value):
            return value
        case nodes.UpdateContact(updates=value) | nodes.RawStep(config=value):
            return value
        case nodes.Person(data=value) | nodes.SetContact(data=value):
            return value
        case nodes.MockWebhook(answer=value) | nodes.ExpectWebhook(options=value):
            return value
    return None


def arm_head(arm: nodes.Case | nodes.Share) -> str:
    """Return the words before the block of one arm."""
    match arm:
        case nodes.Case(values):
            return "case " + ", ".join(text(value) for value in values)
        case nodes.Share(weight, name):
            return f"{literal_text(weight)}%" + (f" {encode(name.value)}" if name else "")


def _action(item: Plain) -> tuple[str, ...]:  # noqa: PLR0911 - a table
    match item:
        case nodes.SendEmail(reference, to):
            return "send email", reference_text(reference), f"to {text(to)}" if to else ""
        case nodes.Webhook(method, url):
            return "webhook", method.value, encode(url.value)
        case nodes.UpdateContact():
            return ("update contact",)
        case nodes.ChangeMembership(is_added, segment):
            words = "add to segment" if is_added else "remove from segment"
            return words, reference_text(segment)
        case nodes.Track(event):
            return "track", encode(event.value)
        case nodes.Exit(reason):
            return "exit", encode(reason.value) if reason else ""
        case nodes.RawStep(kind, json=json):
            return ("step", kind.value, *(("json", encode(json.value)) if json else ()))
        case nodes.Edge(source, target):
            return "edge", f"@{source.value}", "->", f"@{target.value}"
        case nodes.Goto(label):
            return "goto", f"@{label.value}" if label else "end"
    return ()


def _pause(item: Plain) -> tuple[str, ...]:
    match item:
        case nodes.Wait(duration):
            return "wait", duration_text(duration)
        case nodes.WaitForEvent(event, where, limit):
            return "wait for event", encode(event.value), _where(where), _limit(limit)
        case nodes.WaitUntil(moment, offset, exits, limit):
            past = "when past exit" if exits else ""
            return "wait until", text(moment), _offset(offset), past, _limit(limit)
        case nodes.WaitClock(time, days):
            names = ", ".join(day.value for day in days)
            return "wait until", time.value, f"on {names}" if days else ""
    return ()


def _choice(item: Plain) -> tuple[str, ...]:
    match item:
        case nodes.Switch(subject):
            return "switch", text(subject)
        case nodes.Split():
            return ("split",)
    return ()


def _header(item: Plain) -> tuple[str, ...]:  # noqa: C901, PLR0911 - a table
    match item:
        case nodes.Description(written):
            return "description", block_or_line(written.value, 1)
        case nodes.OnEvent(event, where):
            return "on event", encode(event.value), _where(where)
        case nodes.OnSegment(segment, is_entry):
            return "on segment", reference_text(segment), "entry" if is_entry else "exit"
        case nodes.OnSchedule(cron, zone, segment):
            place = f"in {encode(zone.value)}" if zone else ""
            return "on schedule", encode(cron.value), place, "for segment", reference_text(segment)
        case nodes.OnDate(date, offset, is_yearly, at):
            yearly = "every year" if is_yearly else ""
            return "on date", text(date), _offset(offset), yearly, f"at {at.value}" if at else ""
        case nodes.OnManual():
            return ("on manual",)
        case nodes.Reentry(policy, after):
            return "reentry", policy, duration_text(after) if after else ""
        case nodes.Stop(when):
            return "stop when", _happening(when)
        case nodes.Goal(name, when, exits):
            ending = "then exit" if exits else ""
            return "goal", encode(name.value), "when", _happening(when), ending
        case nodes.Timezone(None, zone):
            return "timezone", encode(zone.value if zone else "UTC")
        case nodes.Timezone(subject, default) if subject:
            return "timezone", text(subject), f"default {encode(default.value)}" if default else ""
        case nodes.QuietHours(start, end):
            return "quiet hours", start.value, "to", end.value
    return ()


def _line(item: Plain) -> tuple[str, ...]:  # noqa: C901, PLR0911, PLR0912 - a table
    match item:
        case nodes.SegmentWhere(condition):
            return "where", text(condition)
        case nodes.Keep():
            return ("track membership",)
        case nodes.UnderTest(workflow):
            return "workflow", encode(workflow.value)
        case nodes.StartsAt(time):
            return "at", encode(time.value)
        case nodes.Person():
            return ("contact",)
        case nodes.Started():
            return ("start",)
        case nodes.Advance(length):
            return "advance", duration_text(length)
        case nodes.AdvanceUntil(time):
            return "advance until", encode(time.value)
        case nodes.MockWebhook(url):
            return "mock webhook", encode(url.value)
        case nodes.MockRandom(label, branch):
            place = f"@{label.value}" if label else ""
            return "mock random", place, encode(branch.value) if branch else "else"
        case nodes.SetContact():
            return ("set contact",)
        case nodes.Unsubscribed():
            return ("unsubscribe contact",)
        case nodes.Subscribed():
            return ("subscribe contact",)
    return ()


def _expectation(item: Plain) -> tuple[str, ...]:  # noqa: PLR0911 - a table
    match item:
        case nodes.ExpectEmail(template, to):
            name = encode(template.value)
            return "expect email", name, f"to {encode(to.value)}" if to else ""
        case nodes.ExpectNoEmail(template):
            return "expect no email", encode(template.value) if template else ""
        case nodes.ExpectWebhook(url):
            return "expect webhook", encode(url.value)
        case nodes.ExpectEvent(event):
            return "expect event", encode(event.value)
        case nodes.ExpectWaiting(label):
            return "expect waiting", f"at @{label.value}" if label else ""
        case nodes.ExpectEnded(outcome, reason):
            return "expect", outcome, encode(reason.value) if reason else ""
        case nodes.ExpectNotEntered():
            return ("expect not entered",)
        case nodes.ExpectGoal(goal):
            return "expect goal", encode(goal.value)
        case nodes.ExpectCondition(condition):
            return "expect", text(condition)
    return ()


def _where(condition: nodes.Condition | None) -> str:
    return f"where {text(condition)}" if condition else ""


def _limit(limit: nodes.Duration | None) -> str:
    return f"up to {duration_text(limit)}" if limit else ""


def _offset(offset: nodes.Offset | None) -> str:
    return f"{offset.sign} {duration_text(offset.length)}" if offset else ""


def _happening(when: nodes.Happening) -> str:
    match when:
        case nodes.EventHappens(event, where):
            return " ".join(part for part in ("event", encode(event.value), _where(where)) if part)
        case nodes.ConditionHolds(condition):
            return text(condition)
