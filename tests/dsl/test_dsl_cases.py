"""Every folder in cases: source.flow → graph.json or diagnostics.txt, and formatted.flow.

DSL_UPDATE_CASES=1 writes the expectations anew; read the difference before keeping it.
"""

import json
import os
from pathlib import Path

import pytest

import dsl

CASES = sorted((Path(__file__).parent / "cases").iterdir())
UPDATES = bool(os.environ.get("DSL_UPDATE_CASES"))
KNOWN_TEMPLATES = frozenset({"a", "t", "x", "pro-tips"})
KNOWN_SEGMENTS = frozenset({"Staff"})


def expect(path: Path, actual: str) -> None:
    if UPDATES:
        path.write_text(actual, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == actual


def source_of(case: Path) -> str:
    return (case / "source.flow").read_text(encoding="utf-8")


def known_to(case: Path) -> tuple[frozenset[str] | None, frozenset[str] | None]:
    """Cases called bad-… are checked against a project, the others offline."""
    return (KNOWN_TEMPLATES, KNOWN_SEGMENTS) if case.name.startswith("bad-") else (None, None)


def without_formatted(case: Path) -> dsl.Bundle:
    files = {p: t for p, t in dsl.load_folder(case).items() if p != "formatted.flow"}
    return dsl.read_bundle(files)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_diagnostics_are_as_expected(case: Path) -> None:
    found = dsl.check(without_formatted(case), *known_to(case))
    shown = "\n".join(dsl.render(diagnostic, source_of(case)) for diagnostic in found)
    if shown or (case / "diagnostics.txt").exists():
        expect(case / "diagnostics.txt", shown)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_graph_is_as_expected(case: Path) -> None:
    bundle = without_formatted(case)
    if any(diagnostic.is_error for diagnostic in dsl.check(bundle, *known_to(case))):
        assert not (case / "graph.json").exists()
        return
    compiled = dsl.compile(bundle)
    expect(case / "graph.json", json.dumps(compiled.to_json(), indent=1, ensure_ascii=False) + "\n")
    assert dsl.Compiled.from_json(compiled.to_json()) == compiled
    again = dsl.print_file(dsl.decompile(compiled))
    assert dsl.compile(dsl.read_bundle({"again.flow": again})) == compiled


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_format_is_as_expected(case: Path) -> None:
    text = source_of(case)
    if dsl.parse(text).diagnostics:
        assert not (case / "formatted.flow").exists()
        with pytest.raises(dsl.NotFormattable):
            dsl.format(text)
        return
    formatted = dsl.format(text)
    expect(case / "formatted.flow", formatted)
    assert dsl.format(formatted) == formatted
    assert dsl.parse(formatted).file == dsl.parse(text).file


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_formatting_changes_no_graph(case: Path) -> None:
    bundle = without_formatted(case)
    if (case / "graph.json").exists():
        files = {p: t for p, t in dsl.load_folder(case).items() if p != "formatted.flow"}
        formatted = {p: dsl.format(t.decode()) for p, t in files.items() if p.endswith(".flow")}
        assert dsl.compile(dsl.read_bundle({**files, **formatted})) == dsl.compile(bundle)


def test_ten_different_mistakes_are_found_in_one_pass() -> None:
    case = next(case for case in CASES if case.name == "bad-ten-mistakes")
    found = dsl.check(without_formatted(case), KNOWN_TEMPLATES)
    assert len({diagnostic.code for diagnostic in found}) >= 10
