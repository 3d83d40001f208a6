"""Every example of the language reference is executed, and its tables are true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import dsl

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "language.md").read_text(encoding="utf-8")
RIGHT = re.findall(r"```flow\n(.*?)```", TEXT, re.DOTALL)
WRONG = re.findall(r"```flow-error (\S+)\n(.*?)```", TEXT, re.DOTALL)
BUNDLES = sorted(path for path in (ROOT / "examples").iterdir() if path.is_dir())
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("bench/*.md")])


@pytest.mark.parametrize("text", RIGHT)
def test_a_right_example_is_valid_and_formatted(text: str) -> None:
    bundle = dsl.read_bundle({"example.flow": text})
    assert [one for one in dsl.check(bundle) if one.is_error] == []
    assert dsl.compile(bundle).to_json()["workflows"]
    assert dsl.format(text) == text


@pytest.mark.parametrize(("code", "text"), WRONG)
def test_a_wrong_example_gives_its_code(code: str, text: str) -> None:
    found = dsl.check(dsl.read_bundle({"example.flow": text}))
    assert [one.code for one in found if one.is_error] == [code]


def test_the_table_lists_every_code() -> None:
    listed = dict(re.findall(r"^\| (FLOW-[EW]\d+) \| (.*) \|$", TEXT, re.MULTILINE))
    assert listed == {code.name: code.title for code in dsl.CODES.values()}


@pytest.mark.parametrize("folder", BUNDLES, ids=lambda folder: folder.name)
def test_the_examples_are_valid_and_formatted(folder: Path) -> None:
    files = dsl.load_folder(folder)
    bundle = dsl.read_bundle(files)
    assert [one for one in dsl.check(bundle) if one.is_error] == []
    assert dsl.compile(bundle).to_json()["workflows"]
    for name, content in files.items():
        if name.endswith(".flow"):
            assert dsl.format(content) == content.decode(), name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target
