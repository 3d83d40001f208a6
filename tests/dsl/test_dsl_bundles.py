"""Bundles: one namespace, files beside the texts, nothing from outside."""

from pathlib import Path

import pytest

import dsl
from dsl.__main__ import main

TEMPLATE = 'template "t" {{ type: marketing subject: "s" from: "a@b.c" body: file("{}") }}'
SENDS = 'workflow "w" { on manual send email "t" }'


def codes(files: dict[str, str | bytes], known: frozenset[str] | None = frozenset()) -> list[str]:
    return [found.code for found in dsl.check(dsl.read_bundle(files), known)]


def test_files_share_one_namespace() -> None:
    files = {"a.flow": SENDS, "b/t.flow": TEMPLATE.format("t.html"), "b/t.html": "<p>"}
    assert codes(files) == []
    assert dsl.compile(dsl.read_bundle(files)).templates[0].body == "<p>"


def test_the_second_of_two_names_points_to_the_first() -> None:
    found = dsl.check(dsl.read_bundle({"a.flow": SENDS, "b.flow": SENDS}), {"t"})
    assert [(one.code, one.file, one.notes[0].file) for one in found] == [
        ("FLOW-E201", "b.flow", "a.flow")
    ]


@pytest.mark.parametrize(
    ("known", "expected"),
    [(None, []), (frozenset(), ["FLOW-E204"]), (frozenset({"t"}), [])],
)
def test_templates_may_live_in_the_project(
    known: frozenset[str] | None, expected: list[str]
) -> None:
    assert codes({"a.flow": SENDS}, known) == expected


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("../b/t.html", []),
        ("t.html", ["FLOW-E210"]),
        ("../../t.html", ["FLOW-E211"]),
        ("/t.html", ["FLOW-E211"]),
        ("../b/latin.html", ["FLOW-E210"]),
    ],
)
def test_files_are_found_inside_the_bundle(reference: str, expected: list[str]) -> None:
    text = TEMPLATE.format(reference)
    files: dict[str, str | bytes] = {"a/t.flow": text, "b/t.html": "x", "b/latin.html": b"\xe9"}
    assert codes(files) == expected


def test_a_folder_is_read_with_what_it_refers_to(tmp_path: Path) -> None:
    root = tmp_path / "bundle"
    (root / "mails").mkdir(parents=True)
    (tmp_path / "secret.html").write_text("secret")
    (root / "mails" / "a.html").write_text("<p>")
    (root / "unused.html").write_text("unused")
    (root / "link.html").symlink_to(tmp_path / "secret.html")
    (root / "a.flow").write_text(TEMPLATE.format("mails/a.html"))
    (root / "b.flow").write_text(TEMPLATE.format("../secret.html"))
    (root / "c.flow").write_text(TEMPLATE.format("link.html"))
    assert set(dsl.load_folder(root)) == {"a.flow", "b.flow", "c.flow", "mails/a.html"}
    assert len(dsl.load_paths([root, root / "a.flow"])) == 4


def test_the_command_line_checks_formats_and_compiles(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.flow"
    path.write_text('workflow "w" { on manual wait 1 day }')
    assert main(["check", str(tmp_path)]) == 0
    assert main(["fmt", str(path)]) == 0
    assert path.read_text() == 'workflow "w" {\n  on manual\n\n  wait 1 day\n}\n'
    assert main(["compile", str(path)]) == 0
    assert '"type": "DELAY"' in capsys.readouterr().out
    path.write_text('workflow "w" { wait }')
    assert main(["check", "--json", str(path)]) == 1
    assert '"code": "FLOW-E301"' in capsys.readouterr().out
    assert main(["fmt", str(path)]) == 1
