"""Keys and display names that nobody wrote, derived from the statements."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import urlsplit

from dsl import nodes
from dsl.building.parts import as_condition
from dsl.durations import spoken
from dsl.expression_text import text
from dsl.graph import TRIGGER
from dsl.phrases import phrase

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

LONGEST_NAME = 100
_LONGEST_KEY = 60
Step: TypeAlias = nodes.Action | nodes.Branch


def derived_key(step: Step) -> str:  # noqa: C901, PLR0911, PLR0912 - a table
    """Return a short word for the step, not yet unique."""
    match step:
        case nodes.SendEmail(reference):
            return _slug("send", reference.value)
        case nodes.Wait(duration):
            return _slug("wait", spoken(duration.amount, duration.unit))
        case nodes.WaitForEvent(event):
            return _slug("wait-for", event.value)
        case nodes.Webhook(_, url, _, binding):
            return _slug("webhook", binding.value if binding else _host(url.value))
        case nodes.UpdateContact():
            return "update-contact"
        case nodes.Exit(reason):
            return _slug("exit", reason.value if reason else "")
        case nodes.Branch(condition):
            return _slug("if", _subject(condition))
        case nodes.WaitUntil(moment):
            return _slug("wait-until", _subject(as_condition(moment)))
        case nodes.WaitClock(time):
            return _slug("wait-until", time.value)
        case nodes.Switch(subject):
            return _slug("switch", _last_key(subject))
        case nodes.ChangeMembership(is_added, segment):
            return _slug("add-to" if is_added else "remove-from", segment.value)
        case nodes.Track(event):
            return _slug("track", event.value)
        case nodes.RawStep(kind):
            return _slug(kind.value) or "step"
    return type(step).__name__.lower()


def derived_name(step: Step) -> str:
    """Return what the step is called in a list of steps."""
    name = " ".join(_name(step).split())
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"


def unique_keys(bases: Sequence[str], labels: Sequence[str | None]) -> list[str]:
    """Labels as they are; derived keys with a number where they would meet another."""
    taken = {TRIGGER, *(label for label in labels if label)}
    counts: dict[str, int] = {}
    keys = []
    for base, label in zip(bases, labels, strict=True):
        keys.append(label or _free(base, taken, counts))
        taken.add(keys[-1])
    return keys


def _free(base: str, taken: set[str], counts: dict[str, int]) -> str:
    key = base
    while key in taken:
        counts[base] = counts.get(base, 1) + 1
        key = f"{base}-{counts[base]}"
    return key


def _name(step: Step) -> str:  # noqa: C901, PLR0911 - a table
    match step:
        case nodes.SendEmail(reference):
            return f"Send {reference.value}"
        case nodes.Wait(duration):
            return f"Wait {spoken(duration.amount, duration.unit)}"
        case nodes.WaitForEvent(event):
            return f"Wait for {event.value}"
        case nodes.Webhook(method, url):
            return f"{method.value} {_host(url.value)}"
        case nodes.UpdateContact(updates):
            return "Update " + ", ".join(pair.key.value for pair in updates.pairs)
        case nodes.Exit(reason):
            return f"Exit: {reason.value}" if reason else "Exit"
        case nodes.Branch(condition):
            return f"If {text(condition)}"
        case nodes.Switch() | nodes.WaitUntil() | nodes.WaitClock() | nodes.ChangeMembership():
            words = " ".join(word for word in phrase(step) if word)
            return words[:1].upper() + words[1:]
        case nodes.Track(event):
            return f"Track {event.value}"
        case nodes.RawStep(kind):
            return kind.value
    return type(step).__name__


def _slug(*words: str) -> str:
    plain = unicodedata.normalize("NFKD", " ".join(words)).encode("ascii", "ignore").decode()
    return "-".join(re.findall(r"[a-z0-9]+", plain.lower()))[:_LONGEST_KEY].strip("-")


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _subject(condition: nodes.Condition) -> str:  # noqa: PLR0911 - a table
    """Last key of the first name in a condition."""
    match condition:
        case nodes.AllOf(parts) | nodes.AnyOf(parts):
            return _subject(parts[0])
        case nodes.Not(part):
            return "not " + _subject(part)
        case nodes.Test(subject) | nodes.Bare(subject):
            return _last_key(subject)
        case nodes.Member(_, segment):
            return segment.value
        case nodes.Triggered(event) | nodes.Counted(event):
            return event.value
        case nodes.Mailed(activity, template):
            return f"{activity} {template.value if template else ''}"
    return ""


def _last_key(value: nodes.Operand) -> str:
    match value:
        case nodes.Name(root, path):
            return str(path[-1]) if path else root
        case nodes.Binary(_, left, _):
            return _last_key(left)
        case nodes.Call(_, (first, *_)):
            return _last_key(first)
    return ""


def prefix_of(step: Step) -> nodes.Prefix:
    """Return the written label, name and position; all empty when nothing was written."""
    return step.prefix or nodes.Prefix()


def labels_of(steps: Iterable[Step]) -> list[str | None]:
    """Return the labels written before the steps."""
    return [prefix_of(step).label for step in steps]
