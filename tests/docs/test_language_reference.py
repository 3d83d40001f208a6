"""Every example of the language reference is executed, and its tables are true."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from textwrap import indent

import pytest

import dsl
from plunk import expressions
from plunk.conditions.matches import matches
from plunk.conditions.operators.workflow import OPERATORS
from plunk.conditions.tree import from_json
from plunk.engine.core.facts import Contact, Facts

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "language.md").read_text(encoding="utf-8")
BLOCKS = re.findall(
    r"^(?:<!-- (\w+) -->\n)?```flow(?:-error (\S+))?\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE
)
RIGHT = [(kind, text) for kind, code, text in BLOCKS if not code]
WRONG = [(kind, code, text) for kind, code, text in BLOCKS if code]
BUNDLES = sorted(path for path in (ROOT / "examples").iterdir() if path.is_dir())
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("bench/*.md")])

NINE = datetime(2026, 3, 1, 9, tzinfo=UTC)
KIM = Contact("1", "kim@example.org", subscribed=True, data={}, created_at=NINE, updated_at=NINE)


def around(statements: str, headers: str = "on manual\n") -> str:
    body = indent(f"{headers}\n{statements}", "  ")
    return f'workflow "Example" {{\n{body}}}\n'


def around_conditions(lines: str) -> str:
    return around("".join(f"if {line} {{\n  exit\n}}\n" for line in lines.splitlines()))


# What the comment above a block calls it → the whole file that it is a part of.
WHOLE: dict[str, Callable[[str], str]] = {
    "": str,
    "statements": around,
    "headers": lambda headers: around("exit\n", headers),
    "conditions": around_conditions,
}


def table(heading: str) -> list[list[str]]:
    """Return the cells of the table whose heading begins like this."""
    _, _, rest = TEXT.partition(f"\n{heading}")
    rows = re.match(r"[^\n]*\n\|[-|]+\n((?:\|.*\n)+)", rest)
    assert rows, heading
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in rows[1].splitlines()]


def code(cell: str) -> str:
    return cell.removeprefix("`").removesuffix("`")


def bundle(text: str) -> dsl.Bundle:
    return dsl.read_bundle({"example.flow": text})


def codes(text: str) -> list[str]:
    return [one.code for one in dsl.check(bundle(text))]


def compiled(text: str) -> dsl.WorkflowGraph:
    (workflow,) = dsl.compile(bundle(text)).workflows
    return workflow


def test_all_blocks_are_found() -> None:
    assert len(BLOCKS) == len(re.findall(r"^```flow", TEXT, re.MULTILINE))


@pytest.mark.parametrize(("kind", "text"), RIGHT)
def test_a_right_example_is_clean_and_formatted(kind: str, text: str) -> None:
    whole = WHOLE[kind](text)
    assert codes(whole) == []
    found = dsl.compile(bundle(whole))
    assert found.workflows or found.templates or found.segments
    assert dsl.format(whole) == whole


@pytest.mark.parametrize(("kind", "expected", "text"), WRONG)
def test_a_wrong_example_gives_its_code(kind: str, expected: str, text: str) -> None:
    assert codes(WHOLE[kind](text)) == [expected]


def test_the_table_lists_every_code() -> None:
    listed = {name: title for name, title, _ in table("| code |")}
    assert listed == {
        f"[{one.name}](../dsl/pages/{one.name}.md)": one.title for one in dsl.CODES.values()
    }


@pytest.mark.parametrize(("condition", "answers"), [(c, a) for c, *a in table("| `event.x` |")])
def test_comparisons_answer_as_listed(condition: str, answers: list[str]) -> None:
    (trigger,) = compiled(
        around("exit\n", f'on event "e" where {code(condition)}\n')
    ).headers.triggers
    tree = from_json(trigger["where"], OPERATORS)
    heading = re.search(r"^\| `event\.x` \| (.*) \|$", TEXT, re.MULTILINE)
    assert heading
    columns = heading[1].split(" | ")
    events = [{} if one == "missing" else {"x": json.loads(code(one))} for one in columns]
    known = [Facts(KIM, event=event, now=NINE) for event in events]
    assert ["yes" if matches(tree, one, OPERATORS) else "no" for one in known] == answers


@pytest.mark.parametrize(("written", "given", "result"), table("| expression |"))
def test_expressions_give_what_is_listed(written: str, given: str, result: str) -> None:
    step = compiled(around(f"update contact {{ it: {code(written)} }}\n")).steps[1]
    updates = step.config["updates"]
    assert isinstance(updates, dict)
    known = Facts(KIM, event=json.loads(code(given) or "{}"), now=NINE)
    assert expressions.compute(updates["it"], known) == json.loads(code(result))


def test_every_function_is_listed() -> None:
    (wrong,) = dsl.check(bundle(around("update contact { a: x() }\n")))
    known = wrong.message.partition("known are ")[2].split(", ")
    assert [name for name in known if f"{name}(" not in TEXT] == []


@pytest.mark.parametrize("folder", BUNDLES, ids=lambda folder: folder.name)
def test_the_examples_are_clean_and_formatted(folder: Path) -> None:
    files = dsl.load_folder(folder)
    found = dsl.read_bundle(files)
    assert dsl.check(found, frozenset()) == []
    assert dsl.compile(found).workflows
    for name, content in files.items():
        if name.endswith(".flow"):
            assert dsl.format(content) == content.decode(), name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (page.parent / target).exists(), target
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", one).replace(" ", "-").lower() for one in headings}
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= anchors
