"""Variables of templates that nothing sets."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dsl import nodes
from dsl.bundle import file_reference
from dsl.compile_templates import text_of
from dsl.diagnostics import Diagnostic, Fix, fix, report
from dsl.known_keys import keys_of, tested_workflows
from dsl.placeholders import placeholders
from dsl.spans import Span
from dsl.suggestions import is_slip
from dsl.walking import every_item

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

    from dsl.bundle import Bundle
    from dsl.parser import Parsed
    from dsl.spans import Source

_STANDARD = frozenset(
    {
        *("id", "email", "plunk_id", "plunk_email", "subscribed", "locale", "createdAt"),
        *("updatedAt", "unsubscribeUrl", "subscribeUrl", "manageUrl", "contact", "data", "event"),
        *("segmentId", "segmentName", "forloop", "tablerowloop", "run", "now", "body", "content"),
    }
)
_ROOTS = frozenset({"contact", "data", "event"})
_OWN = frozenset({"id", "email", "subscribed", "createdAt", "updatedAt"})
_WITH_VALUES = (nodes.UpdateContact, nodes.Track, nodes.SendEmail, nodes.Webhook)
_PLACEHOLDER = re.compile(r"\{\{-?\s*([^{}]*?)\s*-?\}\}")
_PATH = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
_TAG = re.compile(r"\{%-?\s*(.*?)\s*-?%\}", re.DOTALL)
_WORD = re.compile(r"[^\W\d]\w*")
_SILENT = re.compile(r"\{%-?\s*(raw|comment)\s*-?%\}.*?\{%-?\s*end\1\s*-?%\}", re.DOTALL)
_TEXTS = ("subject", "body")


@dataclass(frozen=True, slots=True)
class _Variable:
    """A placeholder: its path, and the piece of the template that it is written with."""

    path: tuple[str, ...]
    written: str

    @property
    def key(self) -> str:
        """The key of the data that is asked for."""
        return self.path[1] if self.path[0] in _ROOTS and len(self.path) > 1 else self.path[0]


def check_variables(bundle: Bundle) -> Iterator[Diagnostic]:
    """Report variables that are nearly something known, or that no test ever gives a value."""
    known = keys_of(bundle) | _STANDARD
    for file, workflow in bundle.workflows():
        for item in every_item(workflow.body.items):
            for written, is_filled in placeholders(item):
                if is_filled:
                    yield from _in_workflow(file.source, written, known)
                else:
                    yield _kept(file.source, item, written)
    tested = _tested_templates(bundle)
    for file, template in bundle.templates():
        is_tested = template.name.value in tested
        for pair in template.fields.pairs:
            if pair.key.value in _TEXTS:
                yield from _text(bundle, file, pair, known, is_tested=is_tested)


def _in_workflow(
    source: Source, written: nodes.Literal | nodes.Text, known: AbstractSet[str]
) -> Iterator[Diagnostic]:
    """Report variables in a statement that are nearly something known."""
    for variable in _variables(str(written.value)):
        meant = _meant(variable.key, known)
        if meant:
            yield _slip(source, written, variable, meant)


def _kept(source: Source, item: nodes.Item, written: nodes.Literal | nodes.Text) -> Diagnostic:
    """Diagnostic about placeholders that nobody fills in; where a value stands, render does it."""
    advice = "a reason is a plain text"
    edits: tuple[Fix, ...] = ()
    if isinstance(written, nodes.Literal):
        variable = next(_variables(str(written.value)), None)
        advice = f"write the value itself: {_value_of(variable.path if variable else ())}"
        now = source.text[written.span.start : written.span.end]
        if isinstance(item, _WITH_VALUES):
            edits = (fix(source, written.span, f"render({now})"),)
    message = "{{ … }} is not filled in here, and stays as it is; " + advice
    return report(source, "FLOW-W416", written.span, message, fixes=edits)


def _value_of(path: tuple[str, ...]) -> str:
    """Return how a variable of templates is called in a workflow."""
    first, *_ = path or ("firstName",)
    if first in _ROOTS:
        return ".".join(path)
    return ".".join(("contact" if first in _OWN else "contact.data", *(path or (first,))))


def _meant(key: str, known: AbstractSet[str]) -> str | None:
    """Return the known key that a slip of the pen made another of."""
    if key in known:
        return None
    return next((one for one in sorted(known) if is_slip(key.lower(), one.lower())), None)


def _text(
    bundle: Bundle, file: Parsed, pair: nodes.Pair, known: AbstractSet[str], *, is_tested: bool
) -> Iterator[Diagnostic]:
    told: set[str] = set()
    for variable in _variables(text_of(bundle, file.source.path, pair.value)):
        key = variable.key
        if key in known or key in told:
            continue
        told.add(key)
        meant = _meant(key, known)
        if meant:
            yield _slip(file.source, pair.value, variable, meant)
        elif is_tested:
            shown = ".".join(variable.path)
            message = (
                f"no workflow and no test here sets {key!r}; mend the name, "
                f"or say what to write without it: {{{{ {shown} ?? '…' }}}}"
            )
            span = _place(file.source, pair.value, variable) or pair.value.span
            yield report(file.source, "FLOW-W411", span, message)


def _slip(
    source: Source, value: nodes.Operand | nodes.Text, variable: _Variable, meant: str
) -> Diagnostic:
    place = _place(source, value, variable)
    message = f"nothing here sets {variable.key!r}, only {meant!r}"
    if place is None:
        is_file = not isinstance(value, nodes.Text) and file_reference(value) is not None
        where = " (in this file)" if is_file else ""
        return report(source, "FLOW-W411", value.span, message + where)
    keys = [meant if key == variable.key else key for key in variable.path]
    edits = (fix(source, place, ".".join(keys)),)
    return report(source, "FLOW-W411", place, message, fixes=edits)


def _place(source: Source, value: nodes.Operand | nodes.Text, variable: _Variable) -> Span | None:
    """Return where the path of a placeholder stands, when it is written in this very text."""
    at = source.text.find(variable.written, value.span.start, value.span.end)
    if at < 0:
        return None
    start = source.text.find(".".join(variable.path), at)
    return Span(start, start + len(".".join(variable.path)))


def _variables(text: str) -> Iterator[_Variable]:
    """Yield the placeholders without a fallback whose name is not made or asked for in tags."""
    spoken = _SILENT.sub("", text)
    in_tags = {word for tag in _TAG.findall(spoken) for word in _WORD.findall(tag)}
    for found in _PLACEHOLDER.finditer(spoken):
        inner = found[1]
        head = inner.partition("|")[0].strip()
        if "??" in inner or "default" in inner or not _PATH.fullmatch(head):
            continue
        variable = _Variable(tuple(head.split(".")), found[0])
        if not in_tags & {variable.key, variable.path[0]}:
            yield variable


def _tested_templates(bundle: Bundle) -> AbstractSet[str]:
    """Return the templates that workflows under test send."""
    tested = tested_workflows(bundle)
    return {
        item.template.value
        for _, workflow in bundle.workflows()
        if workflow.name.value in tested
        for item in every_item(workflow.body.items)
        if isinstance(item, nodes.SendEmail) and not item.template.is_id
    }
