"""Rules of statements."""

from __future__ import annotations

from typing import Any

from dsl import nodes
from dsl.building.parts import Parts, clock, label, maybe_word, span_of, word


def block(parts: Parts) -> nodes.Block:
    """Build from "{" item* "}"."""
    return nodes.Block(tuple(parts[1:-1]), span_of(parts))


def labelled(parts: Parts) -> Any:  # noqa: ANN401 - any statement
    """Prefix action; rebuilt by hand because dataclasses.replace is four times slower."""
    prefix, action = parts
    kind = type(action)
    values = {name: getattr(action, name) for name in kind.__slots__}
    return kind(**{**values, "prefix": prefix, "span": span_of(parts)})


def prefix(parts: Parts) -> nodes.Prefix:
    """LABEL [text] [position]."""
    label, name, position = parts
    written = None if name is None else name.value
    place = None if position is None else (position[0].value, position[1].value)
    end = name if position is None else position[2]
    return nodes.Prefix(str(label)[1:] or None, written, place, span_of([label, end]))


def position(parts: Parts) -> Parts:
    """Build from "(" number "," number ")"."""
    return [parts[1], parts[3], parts[4]]


def send(parts: Parts) -> nodes.SendEmail:
    """Build from "send" "email" reference ["to" value] [object]."""
    return nodes.SendEmail(parts[2], parts[4], parts[5], span=span_of(parts))


def reference(parts: Parts) -> nodes.Reference:
    """["id"] text."""
    return nodes.Reference(parts[1].value, parts[0] is not None, span_of(parts))


def wait(parts: Parts) -> nodes.Wait:
    """Build from "wait" duration."""
    return nodes.Wait(parts[1], span=span_of(parts))


def wait_for(parts: Parts) -> nodes.WaitForEvent:
    """Build from "wait" "for" "event" text [where] [limit] [block [timeout]]."""
    event, where, limit, body, timeout = parts[3:8]
    return nodes.WaitForEvent(event, where, limit, body, timeout, span=span_of(parts))


def limit(parts: Parts) -> nodes.Duration:
    """Build from "up" "to" duration."""
    duration: nodes.Duration = parts[2]
    return duration


def timeout(parts: Parts) -> nodes.Block:
    """Build from "timeout" block."""
    block: nodes.Block = parts[1]
    return block


def webhook(parts: Parts) -> nodes.Webhook:
    """Build from "webhook" NAME text [object] ["as" NAME]."""
    _, method, url, options, _, binding = parts
    names = word(method), maybe_word(binding)
    return nodes.Webhook(names[0], url, options, names[1], span=span_of(parts))


def update(parts: Parts) -> nodes.UpdateContact:
    """Build from "update" "contact" object."""
    return nodes.UpdateContact(parts[2], span=span_of(parts))


def subscribe(parts: Parts) -> nodes.Subscribe:
    """Build from "subscribe"."""
    return nodes.Subscribe(span=span_of(parts))


def unsubscribe(parts: Parts) -> nodes.Unsubscribe:
    """Build from "unsubscribe"."""
    return nodes.Unsubscribe(span=span_of(parts))


def leave(parts: Parts) -> nodes.Exit:
    """Build from "exit" [text]."""
    return nodes.Exit(parts[1], span=span_of(parts))


def broken(parts: Parts) -> nodes.Broken:
    """ERROR [block (branch | otherwise | timeout)*]."""
    blocks: Parts = [getattr(part, "body", part) for part in parts[1:] if part is not None]
    saved = getattr(parts[0], "saved", ())
    items = (*saved, *(item for block in blocks for item in block.items))
    return nodes.Broken(items, span_of(parts))


def where(parts: Parts) -> nodes.Condition:
    """Build from "where" condition."""
    condition: nodes.Condition = parts[1]
    return condition


def wait_until(parts: Parts) -> nodes.WaitUntil:
    """Build from "wait" "until" value [offset] [when_past] [limit] [block [timeout]]."""
    moment, offset, past, limit, body, timeout = parts[2:8]
    exits = past is not None
    return nodes.WaitUntil(moment, offset, exits, limit, body, timeout, span=span_of(parts))


def wait_clock(parts: Parts) -> nodes.WaitClock:
    """Build from "wait" "until" CLOCK [days]."""
    days = tuple(parts[3] or ())
    where = span_of([parts[0], *days] if days else parts)
    return nodes.WaitClock(clock(parts[2]), days, span=where)


def days(parts: Parts) -> Parts:
    """Build from "on" NAME ("," NAME)*."""
    return [word(part) for part in parts[1::2]]


def offset(parts: Parts) -> nodes.Offset:
    """Build from ("minus" | "plus") duration."""
    return nodes.Offset(str(parts[0]), parts[1], span_of(parts))


def when_past(parts: Parts) -> Any:  # noqa: ANN401 - a token
    """Return the last word of "when" "past" "exit"."""
    return parts[2]


def membership(parts: Parts) -> nodes.ChangeMembership:
    """Build from ("add" "to" | "remove" "from") "segment" reference."""
    return nodes.ChangeMembership(str(parts[0]) == "add", parts[3], span=span_of(parts))


def track(parts: Parts) -> nodes.Track:
    """Build from "track" text [object]."""
    return nodes.Track(parts[1], parts[2], span=span_of(parts))


def goto(parts: Parts) -> nodes.Goto:
    """Build from "goto" (LABEL | NAME | "end")."""
    target = None if parts[1].type == "END" else label(parts[1])
    return nodes.Goto(target, span_of(parts))


def raw_step(parts: Parts) -> nodes.RawStep:
    """Build from "step" NAME (object | "json" text)."""
    config = parts[2] if isinstance(parts[2], nodes.Object) else None
    json = None if config else parts[3]
    return nodes.RawStep(word(parts[1]), config, json=json, span=span_of(parts))


def edge(parts: Parts) -> nodes.Edge:
    """Build from "edge" LABEL "->" LABEL [object]."""
    return nodes.Edge(label(parts[1]), label(parts[3]), parts[4], span_of(parts))
