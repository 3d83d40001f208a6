"""Variables of templates that nothing sets."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dsl import nodes
from dsl.bundle import file_reference
from dsl.compile_templates import text_of
from dsl.diagnostics import Diagnostic, fix, report
from dsl.known_keys import keys_of, tested_workflows
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
    tested = _tested_templates(bundle)
    for file, template in bundle.templates():
        is_tested = template.name.value in tested
        for pair in template.fields.pairs:
            if pair.key.value in _TEXTS:
                yield from _text(bundle, file, pair, known, is_tested=is_tested)


def _text(
    bundle: Bundle, file: Parsed, pair: nodes.Pair, known: AbstractSet[str], *, is_tested: bool
) -> Iterator[Diagnostic]:
    told: set[str] = set()
    for variable in _variables(text_of(bundle, file.source.path, pair.value)):
        key = variable.key
        if key in known or key in told:
            continue
        told.add(key)
        meant = next((one for one in sorted(known) if is_slip(key.lower(), one.lower())), None)
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


def _slip(source: Source, value: nodes.Operand, variable: _Variable, meant: str) -> Diagnostic:
    place = _place(source, value, variable)
    message = f"nothing here sets {variable.key!r}, only {meant!r}"
    if place is None:
        where = "" if file_reference(value) is None else " (in this file)"
        return report(source, "FLOW-W411", value.span, message + where)
    keys = [meant if key == variable.key else key for key in variable.path]
    edits = (fix(source, place, ".".join(keys)),)
    return report(source, "FLOW-W411", place, message, fixes=edits)


def _place(source: Source, value: nodes.Operand, variable: _Variable) -> Span | None:
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
