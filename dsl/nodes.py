"""The syntax tree: frozen values, each knowing where it was written.

Spans do not take part in equality, so two trees are equal when they mean the same text.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from dsl.spans import NOWHERE, Span

Scalar: TypeAlias = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Text:
    """A quoted text or a bare word that names something."""

    value: str
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Literal:
    """A text, number, true, false or null."""

    value: Scalar
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Name:
    """A value by its path: contact.data.plan, event.items[0]."""

    root: str
    path: tuple[str | int, ...] = ()
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ListOf:
    """[a, b]."""

    items: tuple[Operand, ...]
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Pair:
    """key: value."""

    key: Text
    value: Operand
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Object:
    """{ key: value … }; damaged when some of it could not be read."""

    pairs: tuple[Pair, ...]
    is_damaged: bool = field(default=False, compare=False, repr=False)
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Binary:
    """left operator right, for + - * / ??."""

    operator: str
    left: Operand
    right: Operand
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Negate:
    """-operand."""

    operand: Operand
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Call:
    """function(arguments)."""

    function: Text
    arguments: tuple[Operand, ...]
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Bare:
    """A value standing alone as a condition: it must be true."""

    subject: Operand
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Test:
    """subject operator value; the operator by its JSON name."""

    subject: Operand
    operator: str
    value: Operand | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Not:
    """not part."""

    part: Condition
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class AllOf:
    """part and part …, never directly inside another AllOf."""

    parts: tuple[Condition, ...]
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class AnyOf:
    """part or part …, never directly inside another AnyOf."""

    parts: tuple[Condition, ...]
    span: Span = field(default=NOWHERE, compare=False, repr=False)


Expression: TypeAlias = Literal | Name | ListOf | Object | Binary | Negate | Call
Condition: TypeAlias = Bare | Test | Not | AllOf | AnyOf
# A condition where a value belongs parses, and is reported by the checker.
Operand: TypeAlias = Expression | Condition


@dataclass(frozen=True, slots=True)
class Duration:
    """An amount of time as it was written: 3 days."""

    amount: int | float
    unit: str
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Prefix:
    """@label "Display name" (x, y), each part optional."""

    label: str | None = None
    name: str | None = None
    position: tuple[int | float, int | float] | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Reference:
    """A template by name, or by id."""

    value: str
    is_id: bool = False
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Block:
    """{ items }, the span reaching from brace to brace."""

    items: tuple[Item, ...]
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class SendEmail:
    """send email "template" [to value] [{ overrides }]."""

    template: Reference
    to: Operand | None = None
    overrides: Object | None = None
    prefix: Prefix | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Wait:
    """wait 3 days."""

    duration: Duration
    prefix: Prefix | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class WaitForEvent:
    """wait for event "x" [where c] [up to d] [{…} [timeout {…}]]."""

    event: Text
    where: Condition | None = None
    limit: Duration | None = None
    body: Block | None = None
    timeout: Block | None = None
    prefix: Prefix | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Branch:
    """condition { … }, one arm of an if; the prefix stands after its else."""

    condition: Condition
    body: Block
    prefix: Prefix | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class If:
    """if c {…} else if c {…} else {…}."""

    branches: tuple[Branch, ...]
    otherwise: Block | None = None
    prefix: Prefix | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Webhook:
    """webhook METHOD "url" [{ options }] [as name]."""

    method: Text
    url: Text
    options: Object | None = None
    binding: Text | None = None
    prefix: Prefix | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class UpdateContact:
    """update contact { key: value … }."""

    updates: Object
    prefix: Prefix | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Subscribe:
    """subscribe."""

    prefix: Prefix | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """unsubscribe."""

    prefix: Prefix | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Exit:
    """exit ["reason"]."""

    reason: Text | None = None
    prefix: Prefix | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Broken:
    """Something that could not be read, and the statements that could be saved from it."""

    items: tuple[Item, ...] = ()
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Description:
    """description "…"."""

    text: Text
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class OnEvent:
    """on event "x" [where c]."""

    event: Text
    where: Condition | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class OnManual:
    """on manual."""

    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Reentry:
    """reentry never | always | after <duration>."""

    policy: str
    after: Duration | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Disabled:
    """disabled."""

    span: Span = field(default=NOWHERE, compare=False, repr=False)


Header: TypeAlias = Description | OnEvent | OnManual | Reentry | Disabled
Action: TypeAlias = (
    SendEmail | Wait | WaitForEvent | If | Webhook | UpdateContact | Subscribe | Unsubscribe | Exit
)
Statement: TypeAlias = Action | Broken
Item: TypeAlias = Header | Statement
HEADERS = (Description, OnEvent, OnManual, Reentry, Disabled)


@dataclass(frozen=True, slots=True)
class Workflow:
    """workflow "name" { headers and statements }."""

    name: Text
    body: Block
    span: Span = field(default=NOWHERE, compare=False, repr=False)

    @property
    def headers(self) -> tuple[Header, ...]:
        """The headers, in the order written."""
        return tuple(item for item in self.body.items if isinstance(item, HEADERS))

    @property
    def statements(self) -> tuple[Statement, ...]:
        """The statements, in the order written."""
        return tuple(item for item in self.body.items if not isinstance(item, HEADERS))


@dataclass(frozen=True, slots=True)
class Template:
    """template "name" { key: value … }."""

    name: Text
    fields: Object
    span: Span = field(default=NOWHERE, compare=False, repr=False)


Declaration: TypeAlias = Workflow | Template | Broken


@dataclass(frozen=True, slots=True)
class File:
    """All declarations of one file."""

    declarations: tuple[Declaration, ...] = ()
    span: Span = field(default=NOWHERE, compare=False, repr=False)
