"""`plunk fmt`: files in their one layout, and nothing lost on the way."""

from __future__ import annotations

from pathlib import Path

FLOW = 'workflow "W" {\n  on event "e"\n\n  exit\n}\n'
LOOSE = 'workflow   "W" { on event "e"\nexit }\n'
BROKEN = 'workflow "W" {\n  on event "e"\n  send mail "x"\n}\n'


def test_files_get_their_one_layout(shell, tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "a.flow").write_text(FLOW)
    (tmp_path / "deep" / "größe b.flow").write_text("# kept\n" + LOOSE)
    (tmp_path / "deep" / "größe b.flow").chmod(0o640)
    assert shell("fmt", "--check") == (
        1,
        "deep/größe b.flow\n",
        "1 file would be formatted, 1 file unchanged.\n",
    )
    assert (tmp_path / "deep" / "größe b.flow").read_text() == "# kept\n" + LOOSE
    assert shell("fmt").err == "1 file formatted, 1 file unchanged.\n"
    assert (tmp_path / "deep" / "größe b.flow").read_text() == "# kept\n" + FLOW
    assert (tmp_path / "deep" / "größe b.flow").stat().st_mode & 0o777 == 0o640
    assert shell("fmt") == (0, "", "0 files formatted, 2 files unchanged.\n")
    assert shell("fmt", "--check").status == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.flow", "deep"]


def test_what_cannot_be_read_is_left_alone(shell, tmp_path: Path) -> None:
    (tmp_path / "broken.flow").write_text(BROKEN)
    (tmp_path / "bytes.flow").write_bytes(b"\xff")
    (tmp_path / "loose.flow").write_text(LOOSE)
    done = shell("fmt", "broken.flow", "bytes.flow", "loose.flow")
    assert done.status == 1
    assert "broken.flow:3:8" in done.out
    assert "FLOW-E108" in done.out
    assert done.err == "1 file formatted, 0 files unchanged, 2 files unreadable.\n"
    assert (tmp_path / "broken.flow").read_text() == BROKEN
    assert (tmp_path / "bytes.flow").read_bytes() == b"\xff"
    assert (tmp_path / "loose.flow").read_text() == FLOW


def test_a_link_stays_a_link(shell, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.txt").write_text(LOOSE)
    (tmp_path / "a.flow").symlink_to("real/a.txt")
    assert shell("fmt").out == "a.flow\n"
    assert (tmp_path / "a.flow").is_symlink()
    assert (tmp_path / "real" / "a.txt").read_text() == FLOW


def test_a_folder_without_flows_is_refused(shell) -> None:
    assert shell("fmt") == (1, "", "plunk: There is no .flow file in ..\n")
