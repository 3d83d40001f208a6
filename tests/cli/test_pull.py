"""`plunk pull`: what it writes, and what it refuses to lose."""

from __future__ import annotations

from pathlib import Path

from tests.factories import template, workflow

FILES = ["templates/hello.flow", "templates/hello.html", "workflows/flow.flow"]


def store(api) -> None:
    workflow(api, ("SEND_EMAIL", {"templateId": template(api, "Hello")}))


def written(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_a_project_is_written_checked_and_deployed_back(online, api, tmp_path: Path) -> None:
    store(api)
    done = online("pull")
    assert done == (0, "".join(f"{path}\n" for path in FILES), "3 files written, 0 unchanged.\n")
    before = written(tmp_path)
    assert sorted(before) == FILES
    assert online("check").out == "2 files, 0 errors, 0 warnings.\n"
    assert online("fmt", "--check").status == 0
    assert online("deploy").out == "template Hello: unchanged\nworkflow Flow: unchanged\n"
    assert online("pull") == (0, "", "0 files written, 3 unchanged.\n")
    assert written(tmp_path) == before


def test_it_goes_into_a_new_folder(online, api, tmp_path: Path) -> None:
    store(api)
    workflow(api, name="Other")
    assert online("pull", "--into", "deep/flows", "Other").status == 0
    assert list(written(tmp_path)) == ["deep/flows/workflows/other.flow"]
    unknown = online("pull", "--into", "deep/flows", "Nobody")
    assert unknown.err == "plunk: The project has no workflow 'Nobody'.\n"


def test_what_was_written_here_is_not_lost(online, api, tmp_path: Path) -> None:
    store(api)
    online("pull")
    (tmp_path / FILES[1]).write_text("<p>mine</p>")
    (tmp_path / FILES[2]).unlink()
    before = written(tmp_path)
    done = online("pull")
    assert (done.status, done.out) == (1, "")
    assert done.err == (
        "plunk: templates/hello.html in . would be lost; commit or move them, then --overwrite.\n"
    )
    assert written(tmp_path) == before
    assert online("pull", "--overwrite").out == f"{FILES[1]}\n{FILES[2]}\n"
    assert b"mine" not in (tmp_path / FILES[1]).read_bytes()


def test_nothing_is_declared_twice(online, api, tmp_path: Path) -> None:
    store(api)
    (tmp_path / "mine.flow").write_text('workflow "Flow" {\n  on event "e"\n}\n')
    done = online("pull")
    assert (done.status, done.out) == (1, "")
    assert done.err.startswith("plunk: mine.flow declares workflow 'Flow' as well; remove it")
    assert list(written(tmp_path)) == ["mine.flow"]
    (tmp_path / "mine.flow").write_text('workflow "Mine" {\n  on event "e"\n}\n')
    assert online("pull").status == 0


def test_a_link_leads_nothing_astray(online, api, tmp_path: Path) -> None:
    store(api)
    (tmp_path / "outside").mkdir()
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "templates").symlink_to("../outside")
    done = online("pull", "--into", "in")
    assert (done.status, done.err) == (
        1,
        "plunk: templates/hello.flow would be written outside of in; nothing was.\n",
    )
    assert written(tmp_path / "outside") == {}
    assert written(tmp_path / "in") == {}


def test_what_is_left_out_is_told(online, api) -> None:
    workflow(api, name="Twice")
    workflow(api, name="Twice")
    lines = online("pull").err.splitlines()
    assert [line.partition(" (")[0] for line in lines] == [
        "left out: workflow Twice",
        "left out: workflow Twice",
        "0 files written, 0 unchanged.",
    ]
