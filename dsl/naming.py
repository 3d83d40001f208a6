"""Keys and display names that nobody wrote, derived from the statements."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import urlsplit

from dsl import nodes
from dsl.durations import spoken
from dsl.expression_text import text
from dsl.graph import TRIGGER

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

LONGEST_NAME = 100
_LONGEST_KEY = 60
Step: TypeAlias = nodes.Action | nodes.Branch


def derived_key(step: Step) -> str:  # noqa: PLR0911 - a table
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


def _name(step: Step) -> str:  # noqa: PLR0911 - a table
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
    return type(step).__name__


def _slug(*words: str) -> str:
    plain = unicodedata.normalize("NFKD", " ".join(words)).encode("ascii", "ignore").decode()
    return "-".join(re.findall(r"[a-z0-9]+", plain.lower()))[:_LONGEST_KEY].strip("-")


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _subject(condition: nodes.Condition) -> str:
    """Last key of the first name in a condition."""
    match condition:
        case nodes.AllOf(parts) | nodes.AnyOf(parts):
            return _subject(parts[0])
        case nodes.Not(part):
            return "not " + _subject(part)
        case nodes.Test(subject) | nodes.Bare(subject):
            return _last_key(subject)


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
