"""Every folder in diagnostics: source.flow → diagnostics.txt; and every fix mends its mistake.

DSL_UPDATE_CASES=1 writes the expectations anew; read the difference before keeping it.
"""

import os
from pathlib import Path

import pytest

import dsl

FOLDER = Path(__file__).parent / "diagnostics"
CASES = sorted(FOLDER.iterdir())
EVERY = sorted([*CASES, *(Path(__file__).parent / "cases").iterdir()])
UPDATES = bool(os.environ.get("DSL_UPDATE_CASES"))
TEMPLATES, SEGMENTS = frozenset({"a", "b", "welcome"}), frozenset({"VIP", "s"})


def files_of(case: Path) -> dict[str, str]:
    found = {path: content.decode() for path, content in dsl.load_folder(case).items()}
    return {path: text for path, text in found.items() if path != "formatted.flow"}


def check(case: Path, files: dict[str, str]) -> list[dsl.Diagnostic]:
    """Cases called offline-… are checked alone, the others against a project."""
    bundle = dsl.read_bundle(files)
    if case.name.startswith("offline-"):
        return dsl.check(bundle)
    return dsl.check(bundle, TEMPLATES, SEGMENTS)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_person_is_told_this(case: Path) -> None:
    files = files_of(case)
    found = check(case, files)
    shown = "\n".join(dsl.render(one, files[one.file]) for one in found)
    path = case / "diagnostics.txt"
    if UPDATES:
        path.write_text(shown, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == shown


def offset(text: str, place: dsl.Position) -> int:
    lines = text.split("\n")
    return sum(len(line) + 1 for line in lines[: place.line - 1]) + place.column - 1


def mended(text: str, fix: dsl.Fix) -> str:
    start, end = offset(text, fix.range.start), offset(text, fix.range.end)
    return text[:start] + fix.text + text[end:]


def same(found: list[dsl.Diagnostic], one: dsl.Diagnostic) -> int:
    return sum((other.code, other.message) == (one.code, one.message) for other in found)


@pytest.mark.parametrize("case", EVERY, ids=lambda case: case.name)
def test_every_fix_mends_its_mistake(case: Path) -> None:
    files = files_of(case)
    found = check(case, files)
    for one in found:
        for fix in one.fixes:
            after = check(case, {**files, one.file: mended(files[one.file], fix)})
            assert same(after, one) < same(found, one), (one.code, fix)


def test_every_code_has_a_case() -> None:
    shown = "".join(path.read_text("utf-8") for path in FOLDER.parent.rglob("diagnostics.txt"))
    limits = {"FLOW-E106", "FLOW-E107", "FLOW-E108", "FLOW-E112"}
    assert {code for code in dsl.CODES if code not in shown} == limits
