"""Tokens in words that people know."""

from __future__ import annotations

from dsl.vocabulary import ACTIVITIES, SHOWN, STATEMENT_STARTS

_LONGEST_SHOWN = 40
_MOST_EXPECTED = 6
_VALUE_STARTS = frozenset(
    {
        *("STRING", "TRIPLE", "NUMBER", "NAME", "EVENT", "CONTACT", "TRUE", "FALSE", "NULL"),
        *("LBRACE", "LSQB", "LPAR", "MINUS", "NOT", "TRIGGERED", "COUNT", "JSON"),
        *(word.upper() for word in ACTIVITIES),
    }
)


def expected(accepted: frozenset[str]) -> str:
    """Name what would have fitted."""
    names = set(accepted)
    names.discard("ERROR")
    if "UNIT" in names:
        names.discard("NAME")  # taken for a unit, to be told which there are
    if "SEND" in names:
        names = {*(names - STATEMENT_STARTS), "a statement"}
    if {"STRING", "NUMBER", "NAME"} <= names:
        names = {*(names - _VALUE_STARTS), "a value"}
    words = sorted({SHOWN.get(name, name) for name in names})
    if len(words) > _MOST_EXPECTED:
        words = [*words[:_MOST_EXPECTED], "…"]
    return ", ".join(words[:-1]) + " or " + words[-1] if len(words) > 1 else "".join(words)


def shown(written: str) -> str:
    """Return a token as it can be shown in a message: short, and printable."""
    text = written.replace("\n", " ")
    short = text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "…"
    return "".join(char if char.isprintable() else f"U+{ord(char):04X}" for char in short)
