"""plunk explain, and what plunk check says about it."""

from __future__ import annotations

from pathlib import Path

import pytest

import dsl
from plunk.cli import main

BROKEN = 'workflow "W" {\n  on event "e"\n  wait 0 days\n}\n'
DOUBTFUL = 'workflow "W" {\n  on event "e"\n}\n'


@pytest.mark.parametrize("written", ["FLOW-E204", "e204"])
def test_a_page_is_shown(written: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", written]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("FLOW-E204: Unknown template\n\n")
    assert '\nWrong:\n\n    # In the project: template "welcome"\n' in shown
    assert "\nRight:\n\n" in shown
    assert "```" not in shown


def test_an_unknown_code_is_answered_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "FLOW-W204"]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("plunk: there is no code 'FLOW-W204'; nearest are FLOW-")
    assert "FLOW-E204" in shown.err
    assert shown.err.count("\n") == 1


@pytest.mark.parametrize("written", ["foo", "e999", "x"])
def test_nothing_far_fetched_is_suggested(written: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", written]) == 2
    told = f"plunk: there is no code {written!r}; plunk explain lists all\n"
    assert capsys.readouterr().err == told


def test_a_word_finds_the_codes_about_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "time zone"]) == 2
    assert "FLOW-E317" in capsys.readouterr().err


def test_without_a_code_all_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("The text itself\n\n  FLOW-E101  Something else was expected here\n")
    assert [line for line in shown.splitlines() if line and not line.startswith("  ")] == [
        *dict.fromkeys(one.group for one in dsl.CODES.values()),
        "plunk explain CODE says more about one of them.",
    ]
    assert all(f"  {one.name}  {one.title}\n" in shown for one in dsl.CODES.values())


@pytest.mark.parametrize(
    ("text", "last"),
    [
        (BROKEN, "plunk explain FLOW-E307 says more."),
        (DOUBTFUL, "1 file, 0 errors, 1 warning."),
    ],
)
def test_check_ends_with_where_to_read_on(
    text: str, last: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.flow"
    path.write_text(text)
    main(["check", str(path)])
    assert capsys.readouterr().out.splitlines()[-1] == last
    main(["check", str(path), "--json"])
    assert "plunk explain" not in capsys.readouterr().out
