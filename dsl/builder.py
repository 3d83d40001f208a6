"""One function per grammar rule: the parts of a rule → a node. Judges nothing.

A part is a token (a str with start_pos and end_pos), a node, or None for what was left out.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from dsl import nodes, strings
from dsl.spans import Span

Parts: TypeAlias = list[Any]

OPERATORS = {
    "==": "equals",
    "!=": "notEquals",
    ">": "greaterThan",
    ">=": "greaterThanOrEqual",
    "<": "lessThan",
    "<=": "lessThanOrEqual",
    "contains": "contains",
    "not contains": "notContains",
    "starts with": "startsWith",
    "ends with": "endsWith",
    "in": "in",
    "not in": "notIn",
}
PRESENCE = {"set": "exists", "not set": "notExists", "empty": "isEmpty", "not empty": "isNotEmpty"}
CONSTANTS: dict[str, nodes.Scalar] = {"true": True, "false": False, "null": None}


def number(written: str) -> int | float:
    """Value of a written number; the token check has refused what does not fit."""
    if len(written) > LONGEST_NUMBER:
        return 0
    value = float(written)
    return int(written) if written.isdecimal() else value


LONGEST_NUMBER = 40


def _start(part: Any) -> int:  # noqa: ANN401 - a token or a node
    """Return where a part begins; asking forgiveness is the fast way here."""
    try:
        start: int = part.span.start
    except AttributeError:
        start = part.start_pos
    return start


def _end(part: Any) -> int:  # noqa: ANN401 - a token or a node
    try:
        end: int = part.span.end
    except AttributeError:
        end = part.end_pos
    return end


def _span(parts: Parts) -> Span:
    """Return the piece from the first part that is there to the last."""
    first, last = 0, -1
    while parts[first] is None:
        first += 1
    while parts[last] is None:
        last -= 1
    return Span(_start(parts[first]), _end(parts[last]))


def _word(token: Any) -> nodes.Text:  # noqa: ANN401 - a token
    return nodes.Text(str(token), Span(token.start_pos, token.end_pos))


def _maybe_word(token: Any) -> nodes.Text | None:  # noqa: ANN401 - a token
    return None if token is None else _word(token)


def _conditions(parts: Parts, joined: type[nodes.AllOf | nodes.AnyOf]) -> Parts:
    """Operands of a chain of and, or of or, with the nested chains of its own kind opened."""
    found: Parts = []
    for part in parts[::2]:
        found.extend(part.parts if isinstance(part, joined) else [_as_condition(part)])
    return found


def _as_condition(operand: nodes.Operand) -> nodes.Condition:
    if isinstance(operand, nodes.Bare | nodes.Test | nodes.Not | nodes.AllOf | nodes.AnyOf):
        return operand
    return nodes.Bare(operand, operand.span)


class Builder:
    """The rules of grammar.lark by name."""

    def file(self, parts: Parts) -> nodes.File:
        """All declarations."""
        return nodes.File(tuple(parts), _span(parts) if parts else Span(0, 0))

    def workflow(self, parts: Parts) -> nodes.Workflow:
        """Build from "workflow" text block."""
        return nodes.Workflow(parts[1], parts[2], _span(parts))

    def template(self, parts: Parts) -> nodes.Template:
        """Build from "template" text object."""
        return nodes.Template(parts[1], parts[2], _span(parts))

    def block(self, parts: Parts) -> nodes.Block:
        """Build from "{" item* "}"."""
        return nodes.Block(tuple(parts[1:-1]), _span(parts))

    def description(self, parts: Parts) -> nodes.Description:
        """Return "description" text."""
        return nodes.Description(parts[1], _span(parts))

    def on_event(self, parts: Parts) -> nodes.OnEvent:
        """Build from "on" "event" text [where]."""
        return nodes.OnEvent(parts[2], parts[3], _span(parts))

    def on_manual(self, parts: Parts) -> nodes.OnManual:
        """Build from "on" "manual"."""
        return nodes.OnManual(_span(parts))

    def reentry(self, parts: Parts) -> nodes.Reentry:
        """Build from "reentry" policy [duration]."""
        after = parts[2] if len(parts) > 2 else None  # noqa: PLR2004 - only "after" has a third
        return nodes.Reentry(str(parts[1]), after, _span(parts))

    def disabled(self, parts: Parts) -> nodes.Disabled:
        """Build from "disabled"."""
        return nodes.Disabled(_span(parts))

    def labelled(self, parts: Parts) -> Any:  # noqa: ANN401 - any statement
        """Prefix action; rebuilt by hand because dataclasses.replace is four times slower."""
        prefix, action = parts
        kind = type(action)
        values = {name: getattr(action, name) for name in kind.__slots__}
        return kind(**{**values, "prefix": prefix, "span": _span(parts)})

    def prefix(self, parts: Parts) -> nodes.Prefix:
        """LABEL [text] [position]."""
        label, name, position = parts
        written = None if name is None else name.value
        place = None if position is None else (position[0].value, position[1].value)
        end = name if position is None else position[2]
        return nodes.Prefix(str(label)[1:] or None, written, place, _span([label, end]))

    def position(self, parts: Parts) -> Parts:
        """Build from "(" number "," number ")"."""
        return [parts[1], parts[3], parts[4]]

    def send(self, parts: Parts) -> nodes.SendEmail:
        """Build from "send" "email" reference ["to" value] [object]."""
        return nodes.SendEmail(parts[2], parts[4], parts[5], span=_span(parts))

    def reference(self, parts: Parts) -> nodes.Reference:
        """["id"] text."""
        return nodes.Reference(parts[1].value, parts[0] is not None, _span(parts))

    def wait(self, parts: Parts) -> nodes.Wait:
        """Build from "wait" duration."""
        return nodes.Wait(parts[1], span=_span(parts))

    def wait_for(self, parts: Parts) -> nodes.WaitForEvent:
        """Build from "wait" "for" "event" text [where] [limit] [block [timeout]]."""
        event, where, limit, body, timeout = parts[3:8]
        return nodes.WaitForEvent(event, where, limit, body, timeout, span=_span(parts))

    def limit(self, parts: Parts) -> nodes.Duration:
        """Build from "up" "to" duration."""
        duration: nodes.Duration = parts[2]
        return duration

    def timeout(self, parts: Parts) -> nodes.Block:
        """Build from "timeout" block."""
        block: nodes.Block = parts[1]
        return block

    def branching(self, parts: Parts) -> nodes.If:
        """Build from "if" condition block branch* [otherwise]."""
        keyword, condition, body, *others, otherwise = parts
        first = nodes.Branch(condition, body, None, _span([keyword, body]))
        return nodes.If((first, *others), otherwise, span=_span(parts))

    def branch(self, parts: Parts) -> nodes.Branch:
        """Build from "else" [prefix] "if" condition block."""
        return nodes.Branch(parts[3], parts[4], parts[1], _span(parts))

    def otherwise(self, parts: Parts) -> nodes.Block:
        """Build from "else" block."""
        block: nodes.Block = parts[1]
        return block

    def webhook(self, parts: Parts) -> nodes.Webhook:
        """Build from "webhook" NAME text [object] ["as" NAME]."""
        _, method, url, options, _, binding = parts
        names = _word(method), _maybe_word(binding)
        return nodes.Webhook(names[0], url, options, names[1], span=_span(parts))

    def update(self, parts: Parts) -> nodes.UpdateContact:
        """Build from "update" "contact" object."""
        return nodes.UpdateContact(parts[2], span=_span(parts))

    def subscribe(self, parts: Parts) -> nodes.Subscribe:
        """Build from "subscribe"."""
        return nodes.Subscribe(span=_span(parts))

    def unsubscribe(self, parts: Parts) -> nodes.Unsubscribe:
        """Build from "unsubscribe"."""
        return nodes.Unsubscribe(span=_span(parts))

    def exit(self, parts: Parts) -> nodes.Exit:
        """Build from "exit" [text]."""
        return nodes.Exit(parts[1], span=_span(parts))

    def broken(self, parts: Parts) -> nodes.Broken:
        """ERROR [block (branch | otherwise | timeout)*]."""
        blocks: Parts = [getattr(part, "body", part) for part in parts[1:] if part is not None]
        saved = getattr(parts[0], "saved", ())
        items = (*saved, *(item for block in blocks for item in block.items))
        return nodes.Broken(items, _span(parts))

    def where(self, parts: Parts) -> nodes.Condition:
        """Build from "where" condition."""
        condition: nodes.Condition = parts[1]
        return condition

    def duration(self, parts: Parts) -> nodes.Duration:
        """Return NUMBER NAME."""
        return nodes.Duration(number(parts[0]), str(parts[1]), _span(parts))

    def condition(self, parts: Parts) -> nodes.Condition:
        """Any value; one that is no condition must be true."""
        return _as_condition(parts[0])

    def any_of(self, parts: Parts) -> nodes.AnyOf:
        """Return a "or" b …."""
        return nodes.AnyOf(tuple(_conditions(parts, nodes.AnyOf)), _span(parts))

    def all_of(self, parts: Parts) -> nodes.AllOf:
        """Return a "and" b …."""
        return nodes.AllOf(tuple(_conditions(parts, nodes.AllOf)), _span(parts))

    def negation(self, parts: Parts) -> nodes.Not:
        """Build from "not" a."""
        return nodes.Not(_as_condition(parts[1]), _span(parts))

    def test(self, parts: Parts) -> nodes.Test:
        """Value operator value."""
        return nodes.Test(parts[0], parts[1], parts[2], _span(parts))

    def operator(self, parts: Parts) -> str:
        """Words or sign of a comparison → its JSON name."""
        return OPERATORS[" ".join(part for part in parts if part is not None)]

    def presence(self, parts: Parts) -> nodes.Test:
        """Value "is" ["not"] ("set" | "empty")."""
        words = " ".join(part for part in parts[2:] if part is not None)
        return nodes.Test(parts[0], PRESENCE[words], None, _span(parts))

    def binary(self, parts: Parts) -> nodes.Binary:
        """Left sign right."""
        return nodes.Binary(str(parts[1]), parts[0], parts[2], _span(parts))

    def negate(self, parts: Parts) -> nodes.Negate | nodes.Literal:
        """Build from "-" a; a negative number is a number."""
        operand = parts[1]
        if isinstance(operand, nodes.Literal) and type(operand.value) in (int, float):
            return nodes.Literal(-operand.value, _span(parts))  # type: ignore[operator] # a number
        return nodes.Negate(operand, _span(parts))

    def string(self, parts: Parts) -> nodes.Literal:
        """Text as a value."""
        return nodes.Literal(parts[0].value, parts[0].span)

    def number_token(self, parts: Parts) -> nodes.Literal:
        """Return NUMBER."""
        return nodes.Literal(number(parts[0]), _span(parts))

    def number(self, parts: Parts) -> nodes.Literal:
        """["-"] NUMBER."""
        value = number(parts[1])
        return nodes.Literal(value if parts[0] is None else -value, _span(parts))

    def constant(self, parts: Parts) -> nodes.Literal:
        """Return "true" | "false" | "null"."""
        return nodes.Literal(CONSTANTS[parts[0]], _span(parts))

    def group(self, parts: Parts) -> nodes.Operand:
        """Build from "(" value ")"."""
        inner: nodes.Operand = parts[1]
        return inner

    def path(self, parts: Parts) -> nodes.Name:
        """NAME step*."""
        root, *steps = parts
        path = tuple(key for key, _ in steps)
        end = steps[-1][1] if steps else root.end_pos
        return nodes.Name(str(root), path, Span(root.start_pos, end))

    def step(self, parts: Parts) -> tuple[str | int, int]:
        """Build from "." NAME | "[" (text | NUMBER) "]", with the place where it ends."""
        key = parts[1]
        if isinstance(key, nodes.Text):
            return key.value, _end(parts[-1])
        is_index = parts[0] == "["
        return int(number(key)) if is_index else str(key), _end(parts[-1])

    def call(self, parts: Parts) -> nodes.Call:
        """NAME "(" values ")"."""
        return nodes.Call(_word(parts[0]), _values(parts[2:-1]), _span(parts))

    def list(self, parts: Parts) -> nodes.ListOf:
        """Build from "[" values "]"."""
        return nodes.ListOf(_values(parts[1:-1]), _span(parts))

    def object(self, parts: Parts) -> nodes.Object:
        """Build from "{" pairs "}"."""
        pairs = tuple(part for part in parts if isinstance(part, nodes.Pair))
        is_damaged = any(isinstance(part, nodes.Broken) for part in parts)
        return nodes.Object(pairs, is_damaged, _span(parts))

    def pair(self, parts: Parts) -> nodes.Pair:
        """Key ":" value."""
        return nodes.Pair(parts[0], parts[2], _span(parts))

    def key(self, parts: Parts) -> nodes.Text:
        """NAME | STRING."""
        return self.text(parts) if parts[0].startswith('"') else _word(parts[0])

    def broken_pair(self, parts: Parts) -> nodes.Broken:
        """ERROR; nothing is left of it."""
        return nodes.Broken((), _span(parts))

    def text(self, parts: Parts) -> nodes.Text:
        """Return STRING | TRIPLE."""
        return nodes.Text(strings.decode(parts[0]), _span(parts))


def _values(parts: Parts) -> tuple[nodes.Operand, ...]:
    """Return what stands between the commas."""
    return tuple(part for part in parts if part is not None and hasattr(part, "span"))
