"""Every table of the documentation has a head, and all its rows have as many columns."""

from __future__ import annotations

import re
from itertools import groupby
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")])
FENCE = re.compile(r"^( *)```.*?^\1```$", re.DOTALL | re.MULTILINE)
RULE = re.compile(r"\|( *:?-+:? *\|)+")
BETWEEN = re.compile(r"(?<!\\)\|")


def tables(page: Path) -> list[list[str]]:
    """Return the lines of each table: lines that follow each other and begin with a stroke."""
    text = FENCE.sub("", page.read_text("utf-8"))
    lines = [line.strip() for line in text.splitlines()]
    blocks = groupby(lines, key=lambda line: line.startswith("|"))
    return [list(block) for is_table, block in blocks if is_table]


def columns(row: str) -> int:
    return len(BETWEEN.findall(row)) - 1


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_tables_are_whole(page: Path) -> None:
    for rows in tables(page):
        assert len(rows) > 2, rows
        assert RULE.fullmatch(rows[1]), rows[:2]
        assert [row for row in rows if columns(row) != columns(rows[0])] == []


def test_tables_are_found() -> None:
    assert sum(len(tables(page)) for page in PAGES) > 10
