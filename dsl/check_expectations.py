"""What a test expects, against what the workflows of the bundle can do."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from dsl import nodes
from dsl.check_keys import unknown_keys
from dsl.check_labels import labels_of, unknown_label
from dsl.check_names import ROOTS, Names
from dsl.check_values import check_event, check_values
from dsl.diagnostics import Diagnostic, fix, report
from dsl.step_configs import has_rest, share_ids
from dsl.strings import encode
from dsl.suggestions import advice, nearest
from dsl.walking import every_item

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from collections.abc import Set as AbstractSet

    from dsl.bundle import Bundle
    from dsl.spans import Source

_OPTIONS = ("body", "headers", "method")
_REST = frozenset({"else", "default", "otherwise", "rest"})


@dataclass(frozen=True, slots=True)
class Expected:
    """What can happen: in the workflow under test, None when it is not known, and in all."""

    source: Source
    home: Source | None
    workflow: nodes.Workflow | None
    items: tuple[nodes.Item, ...]
    every: tuple[nodes.Item, ...]

    @classmethod
    def of(cls, bundle: Bundle, source: Source, test: nodes.TestBlock) -> Expected:
        """Look the workflow of a test up."""
        names = [item.workflow.value for item in test.items if isinstance(item, nodes.UnderTest)]
        home: Source | None = None
        workflow: nodes.Workflow | None = None
        every: list[nodes.Item] = []
        for file, found in bundle.workflows():
            every += every_item(found.body.items)
            if found.name.value in names:
                home, workflow = file.source, found
        items = tuple(every_item(workflow.body.items)) if workflow else ()
        return cls(source, home, workflow, items, tuple(every))

    def may_do(self, items: Iterable[nodes.Item]) -> bool:
        """Tell whether some of the items could do anything, as far as the text shows."""
        return any(isinstance(item, nodes.Broken | nodes.RawStep) for item in items)


def check_expectation(known: Expected, item: nodes.TestItem) -> Iterator[Diagnostic]:
    """Report an expectation that cannot come true, and a branch that does not exist."""
    source = known.source
    match item:
        case nodes.ExpectEmail(template) | nodes.ExpectNoEmail(template) if template:
            yield from _email(known, template, is_wanted=isinstance(item, nodes.ExpectEmail))
        case nodes.ExpectWebhook(url, options):
            yield from _webhook(known, url)
            if options:
                yield from unknown_keys(source, options.pairs, _OPTIONS, "a call")
                yield from check_values(source, [options])
                yield from Names(source, frozenset({"now"})).inside(options)
        case nodes.ExpectEvent(event):
            yield from _event(known, event)
        case nodes.ExpectWaiting(label) if label and known.workflow and known.home:
            yield from unknown_label(source, label, _own_labels(known))
        case nodes.ExpectGoal(goal):
            yield from _goal(known, goal)
        case nodes.ExpectEnded("completed", reason) if reason:
            yield from _reason(known, reason)
        case nodes.ExpectCondition(condition):
            yield from check_values(source, (), [condition])
            yield from Names(source, ROOTS | _bound(known)).inside(condition)
        case nodes.MockRandom():
            yield from _random(known, item)


def _own_labels(known: Expected) -> dict[str, nodes.Prefix | None]:
    """Return the workflow's labels, with their places where these are in the same file."""
    if known.workflow is None or known.home is None:
        return {}
    labels = labels_of(known.home, known.workflow)
    return labels if known.home is known.source else dict.fromkeys(labels)


def _bound(known: Expected) -> AbstractSet[str]:
    return {
        item.binding.value
        for item in known.items
        if isinstance(item, nodes.Webhook) and item.binding
    }


def _email(known: Expected, template: nodes.Text, *, is_wanted: bool) -> Iterator[Diagnostic]:
    sent = [item.template for item in known.every if isinstance(item, nodes.SendEmail)]
    names = {reference.value for reference in sent if not reference.is_id}
    if any(reference.is_id for reference in sent) or known.may_do(known.every):
        return
    if template.value not in names and known.workflow:
        hint, edits = advice(known.source, template.span, template.value, names, encode)
        if is_wanted or hint or edits:
            message = f"no workflow here sends {template.value!r}"
            yield report(known.source, "FLOW-E217", template.span, message, hint=hint, fixes=edits)


def _webhook(known: Expected, pattern: nodes.Text) -> Iterator[Diagnostic]:
    urls = [item.url.value for item in known.every if isinstance(item, nodes.Webhook)]
    is_open = known.may_do(known.every) or any("{{" in url for url in urls)
    if not is_open and known.workflow and not any(fnmatchcase(u, pattern.value) for u in urls):
        hint, edits = advice(known.source, pattern.span, pattern.value, urls, encode)
        message = f"no workflow here calls {pattern.value!r}"
        yield report(known.source, "FLOW-E217", pattern.span, message, hint=hint, fixes=edits)


def _event(known: Expected, event: nodes.Text) -> Iterator[Diagnostic]:
    yield from check_event(known.source, event)
    tracked = {item.event.value for item in known.every if isinstance(item, nodes.Track)}
    is_system = event.value.startswith(("email.", "contact.", "segment."))
    if event.value in tracked or is_system or not known.workflow or known.may_do(known.every):
        return
    message = f"no workflow here tracks {event.value!r}"
    hint, edits = advice(known.source, event.span, event.value, tracked, encode)
    yield report(known.source, "FLOW-E217", event.span, message, hint=hint, fixes=edits)


def _goal(known: Expected, goal: nodes.Text) -> Iterator[Diagnostic]:
    if known.workflow is None or any(isinstance(item, nodes.Broken) for item in known.items):
        return
    goals = {item.name.value for item in known.items if isinstance(item, nodes.Goal)}
    if goal.value not in goals:
        message = f"workflow {known.workflow.name.value!r} has no goal {goal.value!r}"
        hint, edits = advice(known.source, goal.span, goal.value, goals, encode)
        yield report(known.source, "FLOW-E217", goal.span, message, hint=hint, fixes=edits)


def _reason(known: Expected, reason: nodes.Text) -> Iterator[Diagnostic]:
    """Report a reason that is nearly one of the workflow's; runs end for others, too."""
    reasons = {
        item.reason.value for item in known.items if isinstance(item, nodes.Exit) and item.reason
    }
    meant = nearest(reason.value, reasons) if reason.value not in reasons else None
    if meant:
        hint, edits = advice(known.source, reason.span, reason.value, [meant], encode)
        message = f"no exit gives the reason {reason.value!r}"
        yield report(known.source, "FLOW-E217", reason.span, message, hint=hint, fixes=edits)


def _random(known: Expected, item: nodes.MockRandom) -> Iterator[Diagnostic]:
    if known.workflow is None or known.may_do(known.items):
        return
    if item.label:
        yield from unknown_label(known.source, item.label, _own_labels(known))
    splits = [one for one in known.items if isinstance(one, nodes.Split)]
    if item.label:
        label = item.label.value
        splits = [one for one in splits if one.prefix and one.prefix.label == label]
    names = {name for split in splits for name in share_ids(split)}
    if not splits:
        if item.label and item.label.value not in _own_labels(known):
            return
        where = f"@{item.label.value} is no split" if item.label else "there is no split"
        message = f"{where} in workflow {known.workflow.name.value!r}"
        yield report(known.source, "FLOW-E217", item.span, message)
    elif item.branch and item.branch.value not in names:
        yield _unknown_share(known.source, item.branch, splits)
    elif item.branch is None and not any(has_rest(split) for split in splits):
        message = "the shares are 100% together; nobody takes the way else"
        yield report(known.source, "FLOW-E217", item.span, message)


def _unknown_share(source: Source, branch: nodes.Text, splits: Iterable[nodes.Split]) -> Diagnostic:
    """Say which ways there are; the rest has no name, only a word."""
    names = {name for split in splits for name in share_ids(split)}
    shown = ", ".join(repr(name) for name in sorted(names))
    hint, edits = advice(source, branch.span, branch.value, names, encode)
    has_else = any(has_rest(split) for split in splits)
    if has_else:
        shown += ", and else (without quotes) for the rest"
    if has_else and branch.value.lower() in _REST:
        hint, edits = None, (fix(source, branch.span, "else"),)
    message = f"no split has a share {branch.value!r}; known are {shown}"
    return report(source, "FLOW-E217", branch.span, message, hint=hint, fixes=edits)
