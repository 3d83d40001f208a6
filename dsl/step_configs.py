"""What each statement puts into its step."""

from __future__ import annotations

from itertools import count, groupby
from string import ascii_lowercase
from typing import TYPE_CHECKING, TypeAlias

from dsl import nodes
from dsl.building.parts import as_condition
from dsl.conditions import (
    condition_config,
    field_json,
    parsed_object,
    reference_json,
    tree_json,
)
from dsl.durations import plural, seconds
from dsl.expression_text import literal_text, text
from dsl.values import mixed_json, value_json
from dsl.walking import is_condition

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dsl.graph import Json, JsonObject

Step: TypeAlias = nodes.Action | nodes.Branch
WHOLE = 100  # per cent
REST = "default"  # the way of all that no case or share is for
_NOTHING = nodes.Literal(None)

_TYPES: dict[type[Step], str] = {
    nodes.SendEmail: "SEND_EMAIL",
    nodes.Wait: "DELAY",
    nodes.WaitForEvent: "WAIT_FOR_EVENT",
    nodes.WaitClock: "DELAY",
    nodes.Branch: "CONDITION",
    nodes.Switch: "CONDITION",
    nodes.Split: "SPLIT",
    nodes.ChangeMembership: "SEGMENT",
    nodes.Track: "TRACK",
    nodes.Webhook: "WEBHOOK",
    nodes.UpdateContact: "UPDATE_CONTACT",
    nodes.Subscribe: "UPDATE_CONTACT",
    nodes.Unsubscribe: "UPDATE_CONTACT",
    nodes.Exit: "EXIT",
}


def step_type(step: Step) -> str:
    """Return the type of a statement's step."""
    match step:
        case nodes.RawStep(kind):
            return kind.value
        case nodes.WaitUntil(moment):
            return "WAIT_FOR_EVENT" if is_condition(moment) else "DELAY"
    return _TYPES[type(step)]


def step_config(step: Step) -> JsonObject:
    """Return the config of a statement's step."""
    match step:
        case nodes.Wait() | nodes.WaitForEvent() | nodes.WaitUntil() | nodes.WaitClock():
            return _pause(step)
        case nodes.Branch() | nodes.Switch() | nodes.Split():
            return _choice(step)
    return _action(step)


def case_ids(switch: nodes.Switch) -> list[str]:
    """Return the branch of each case: its values, as they are said.

    Where that is taken already (5 and "5"), they are as they are written; the rest has a name, too.
    """
    ids = {REST: None}
    for case in switch.cases:
        name = next(name for name in _case_names(case.values) if name and name not in ids)
        ids[name] = None
    return list(ids)[1:]


def case_runs(values: Sequence[nodes.Operand]) -> list[tuple[nodes.Operand, ...]]:
    """Return the values of a case in what can be asked at once: null is a question of its own."""
    return [tuple(run) for _, run in groupby(values, key=lambda value: value == _NOTHING)]


def share_ids(split: nodes.Split) -> list[str]:
    """Return the branch of each share: its name, or a letter."""
    return [
        share.name.value if share.name else _letter(at) for at, share in enumerate(split.shares)
    ]


def has_rest(split: nodes.Split) -> bool:
    """Tell whether the shares leave some people over."""
    return sum(share.weight for share in split.shares) < WHOLE


def _pause(
    step: nodes.Wait | nodes.WaitForEvent | nodes.WaitUntil | nodes.WaitClock,
) -> JsonObject:
    match step:
        case nodes.Wait(duration):
            return _amount(duration)
        case nodes.WaitForEvent():
            return _wait_for(step)
        case nodes.WaitUntil():
            return _wait_until(step)
        case nodes.WaitClock(time, days):
            names: list[Json] = [day.value for day in days]
            return {"until": {"timeOfDay": time.value, **({"days": names} if days else {})}}


def _choice(step: nodes.Branch | nodes.Switch | nodes.Split) -> JsonObject:
    match step:
        case nodes.Branch(condition):
            return condition_config(condition)
        case nodes.Switch(subject):
            pairs = zip(case_ids(step), step.cases, strict=True)
            branches: list[Json] = [
                {"id": name, "name": name, **_asked(run)}
                for name, case in pairs
                for run in case_runs(case.values)
            ]
            return {"mode": "multi", "field": field_json(subject), "branches": branches}
        case nodes.Split():
            shares = zip(share_ids(step), step.shares, strict=True)
            return {"branches": [_share(name, share) for name, share in shares]}


def _case_names(values: Sequence[nodes.Operand]) -> Iterator[str]:
    yield ", ".join(map(_said, values))
    written = ", ".join(map(text, values))
    yield written
    yield from (f"{written} {number}" for number in count(2))


def _asked(values: tuple[nodes.Operand, ...]) -> JsonObject:
    if values[0] == _NOTHING:
        return {"operator": "notExists"}
    if len(values) == 1:
        return {"operator": "equals", "value": value_json(values[0])}
    return {"operator": "in", "value": value_json(nodes.ListOf(values))}


def _share(name: str, share: nodes.Share) -> JsonObject:
    shown = share.name.value if share.name else f"{literal_text(share.weight)}%"
    return {"id": name, "name": shown, "weight": share.weight}


def _said(value: nodes.Operand) -> str:
    match value:
        case nodes.Literal(str() as written):
            return written
    return text(value)


def _letter(place: int) -> str:
    """Return a, b, … z, aa, ab …."""
    rest, last = divmod(place, len(ascii_lowercase))
    return (_letter(rest - 1) if rest else "") + ascii_lowercase[last]


def _action(step: Step) -> JsonObject:  # noqa: C901, PLR0911 - a table
    match step:
        case nodes.SendEmail():
            return _email(step)
        case nodes.ChangeMembership(is_added, segment):
            action = "add" if is_added else "remove"
            return {"action": action, "segment": reference_json(segment)}
        case nodes.Track(event, data):
            given: JsonObject = {"data": _values(data)} if data else {}
            return {"eventName": event.value, **given}
        case nodes.RawStep(json=nodes.Text(written)):
            return parsed_object(written)
        case nodes.RawStep(config=nodes.Object() as config):
            return _raw(config)
        case nodes.Webhook():
            return _webhook(step)
        case nodes.UpdateContact(updates):
            return {"updates": _values(updates)}
        case nodes.Subscribe():
            return {"subscriptionAction": "subscribe"}
        case nodes.Unsubscribe():
            return {"subscriptionAction": "unsubscribe"}
        case nodes.Exit(reason):
            return {"reason": reason.value} if reason else {}
    raise AssertionError(step)


def _values(values: nodes.Object) -> JsonObject:
    return {pair.key.value: value_json(pair.value) for pair in values.pairs}


def _raw(config: nodes.Object) -> JsonObject:
    return {pair.key.value: mixed_json(pair.value) for pair in config.pairs}


def _amount(duration: nodes.Duration) -> JsonObject:
    return {"amount": duration.amount, "unit": plural(duration.unit)}


def _wait_until(step: nodes.WaitUntil) -> JsonObject:
    moment = step.moment
    if is_condition(moment):
        config: JsonObject = {"condition": tree_json(as_condition(moment))}
        return config | ({"timeout": seconds(step.limit)} if step.limit else {})
    until: JsonObject = {"time": value_json(moment)}
    if step.offset:
        until["offset"] = offset_json(step.offset)
    if step.exits_when_past:
        until["whenPast"] = "exit"
    return {"until": until}


def offset_json(offset: nodes.Offset) -> JsonObject:
    """Return minus 3 days as an amount below nothing."""
    sign = -1 if offset.sign == "minus" else 1
    return {"amount": sign * offset.length.amount, "unit": plural(offset.length.unit)}


def _email(step: nodes.SendEmail) -> JsonObject:
    config: JsonObject = {"template": reference_json(step.template)}
    if step.to:
        config["recipient"] = {"type": "CUSTOM", "customEmail": value_json(step.to)}
    if step.overrides and step.overrides.pairs:
        config["overrides"] = _values(step.overrides)
    return config


def _wait_for(step: nodes.WaitForEvent) -> JsonObject:
    config: JsonObject = {"eventName": step.event.value}
    if step.limit:
        config["timeout"] = seconds(step.limit)
    if step.where:
        config["where"] = tree_json(step.where)
    return config


def _webhook(step: nodes.Webhook) -> JsonObject:
    config: JsonObject = {"url": step.url.value, "method": step.method.value}
    for pair in step.options.pairs if step.options else ():
        config[pair.key.value] = mixed_json(pair.value)
    if step.binding:
        config["as"] = step.binding.value
    return config
