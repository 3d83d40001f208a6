"""One function per grammar rule: the parts of a rule → a node. Judges nothing.

A part is a token (a str with start_pos and end_pos), a node, or None for what was left out.
"""

from __future__ import annotations

from types import SimpleNamespace

from dsl.building import (
    branching,
    conditions,
    declarations,
    headers,
    parts,
    statements,
    testing,
    values,
)

_ROOMS = (declarations, headers, statements, branching, conditions, values, testing)
# What Lark looks the rules of grammar.lark up in, by name; some names would hide builtins.
RULES = SimpleNamespace(
    **{name: rule for room in _ROOMS for name, rule in vars(room).items() if callable(rule)},
)
RULES.text = parts.text
RULES.number = values.signed_number
RULES.list = values.list_of
RULES.object = values.object_of
RULES.exit = statements.leave
