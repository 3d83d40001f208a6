"""What goes wrong on the command line is one line on stderr and an exit status."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import structlog

from plunk.cli import main

SECRET = "0123456789abcdef"
NOWHERE = "http://127.0.0.1:1"
BROKEN = 'workflow "W" {\n  on event "e"\n  send mail "x"\n}\n'


class Done(NamedTuple):
    """What one command came to."""

    status: int
    out: str
    err: str


Plunk = Callable[..., Done]


@pytest.fixture
def plunk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Plunk]:
    """Return a function that runs a command in an empty folder, told nothing but what is given."""
    monkeypatch.chdir(tmp_path)
    before = signal.getsignal(signal.SIGTERM)

    def run(*arguments: str, **env: str) -> Done:
        for name in os.environ:
            monkeypatch.delenv(name)
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        status = main(arguments)
        return Done(status, *capsys.readouterr())

    yield run
    signal.signal(signal.SIGTERM, before)
    structlog.reset_defaults()


CASES = [
    ("unknown command", ("fly",), {}, 2, "No such command 'fly'"),
    ("unknown option", ("serve", "--fast"), {}, 2, "No such option"),
    ("no name", ("project", "create"), {}, 2, "Missing argument 'NAME'"),
    ("workers", ("serve", "--workers", "0"), {}, 2, "not in the range"),
    ("no secret", ("serve",), {}, 1, "SECRET_KEY is not set"),
    ("short secret", ("serve",), {"SECRET_KEY": "short"}, 1, "at least 16 characters"),
    ("bad port", ("serve",), {"PORT": "http"}, 1, "PORT must be a number"),
    ("bad database", ("migrate",), {"DATABASE_URL": "mysql://x/y"}, 1, "has the scheme 'mysql'"),
    ("no URL", ("worker",), {"DATABASE_URL": "plunk.db"}, 1, "DATABASE_URL is not a URL"),
    (
        "no such folder",
        ("migrate",),
        {"DATABASE_URL": "sqlite:////nowhere/at/all.db"},
        1,
        "cannot be reached: unable to open database file",
    ),
    (
        "no such server",
        ("project", "create", "A"),
        {"DATABASE_URL": "postgres://u:password@127.0.0.1:1/x", "SECRET_KEY": SECRET},
        1,
        "cannot be reached",
    ),
    ("bad mail", ("worker",), {"MAIL_URL": "pigeon://"}, 1, "MAIL_URL cannot be used"),
    ("no tables", ("worker",), {}, 1, "run `plunk migrate`"),
    ("no tables either", ("project", "create", "A"), {"SECRET_KEY": SECRET}, 1, "plunk migrate"),
    ("no such path", ("check", "nothing.flow"), {}, 2, "does not exist"),
    ("no flows", ("check", "empty"), {}, 1, "There is no .flow file in empty."),
    ("no key", ("deploy", "flows"), {}, 1, "PLUNK_API_KEY is not set"),
    (
        "no server",
        ("deploy", "flows"),
        {"PLUNK_API_KEY": "sk_x", "PLUNK_API_URL": NOWHERE},
        1,
        f"{NOWHERE} does not answer",
    ),
    (
        "no scheme",
        ("deploy", "flows"),
        {"PLUNK_API_KEY": "sk_x", "PLUNK_API_URL": "localhost:8000"},
        1,
        "PLUNK_API_URL must start with http",
    ),
    *(
        (
            f"no host in {url}",
            ("deploy", "flows"),
            {"PLUNK_API_KEY": "sk_x", "PLUNK_API_URL": url},
            1,
            "PLUNK_API_URL is no address of a server",
        )
        for url in ("http://", "http://[", "http://a:b")
    ),
    (
        "bad database for the demo",
        ("demo", "--database-url", "x"),
        {},
        1,
        "DATABASE_URL is not a URL",
    ),
]


@pytest.fixture
def folders(tmp_path: Path) -> None:
    """Make the folders `flows`, with a small bundle in it, and `empty`."""
    for name in ("flows", "empty"):
        (tmp_path / name).mkdir()
    (tmp_path / "flows" / "a.flow").write_text('workflow "W" {\n  on event "e"\n  exit\n}\n')


@pytest.mark.usefixtures("folders")
@pytest.mark.parametrize(
    ("arguments", "env", "status", "message"),
    [case[1:] for case in CASES],
    ids=[case[0] for case in CASES],
)
def test_a_failure_is_one_line_and_a_status(
    plunk: Plunk,
    arguments: tuple[str, ...],
    env: dict[str, str],
    status: int,
    message: str,
) -> None:
    done = plunk(*arguments, **env)
    assert (done.status, done.out) == (status, "")
    assert done.err.startswith("plunk: ")
    assert message in done.err
    assert done.err.count("\n") == 1
    assert "password" not in done.err


def test_a_taken_port_is_refused_before_anything_is_served(plunk: Plunk, tmp_path: Path) -> None:
    plunk("migrate")
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = plunk("serve", SECRET_KEY=SECRET, PORT=port)
    assert (done.status, done.err) == (
        1,
        f"plunk: Port {port} is taken; set PORT to another one.\n",
    )


def test_the_ports_of_all_workers_have_to_be_there(plunk: Plunk) -> None:
    plunk("migrate")
    done = plunk("worker", "--processes", "2", METRICS_PORT="65535")
    assert (done.status, done.err) == (
        1,
        "plunk: METRICS_PORT is too high: there is no port 65536.\n",
    )
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = plunk("worker", "--processes", "2", METRICS_PORT=str(port - 1))
    assert done.status == 1
    assert f"Port {port} is taken; set METRICS_PORT to another one." in done.err


def test_check_shows_every_mistake_and_fails(plunk: Plunk, tmp_path: Path) -> None:
    (tmp_path / "broken.flow").write_text(BROKEN)
    done = plunk("check")
    assert done.status == 1
    assert "broken.flow:3:8" in done.out
    assert "^^^^" in done.out
    assert "\n1 file, 1 error, 0 warnings.\n" in done.out
    listed = json.loads(plunk("check", "--json").out)["diagnostics"]
    assert [(item["severity"], item["range"]["start"]["line"]) for item in listed] == [("error", 3)]


def test_check_is_content_with_the_examples(plunk: Plunk) -> None:
    examples = Path(__file__).resolve().parent.parent.parent / "examples"
    for bundle in sorted(path for path in examples.iterdir() if path.is_dir()):
        done = plunk("check", str(bundle))
        assert (done.status, done.out.partition(", ")[2]) == (0, "0 errors, 0 warnings.\n")


def test_deploy_refuses_a_broken_bundle_before_it_is_sent(plunk: Plunk, tmp_path: Path) -> None:
    (tmp_path / "broken.flow").write_text(BROKEN)
    done = plunk("deploy", PLUNK_API_KEY="sk_x", PLUNK_API_URL=NOWHERE)
    assert done.status == 1
    assert "broken.flow:3:8" in done.out
    assert done.err == "Nothing was deployed: 1 file, 1 error, 0 warnings.\n"


def test_a_project_can_be_created_and_its_keys_printed(plunk: Plunk, tmp_path: Path) -> None:
    plunk("migrate")
    done = plunk("project", "create", "Acme", "--json", SECRET_KEY=SECRET)
    made = json.loads(done.out)
    assert list(made) == ["id", "name", "public", "secret"]
    assert made["public"].startswith("pk_")
    assert made["secret"].startswith("sk_")


def test_doctor_names_what_is_wrong_and_hides_secrets(plunk: Plunk, tmp_path: Path) -> None:
    done = plunk("doctor", DATABASE_URL="postgres://u:hidden@127.0.0.1:1/x")
    assert done.status == 1
    assert "postgresql+psycopg://u:***@127.0.0.1:1/x" in done.out
    assert "wrong  SECRET_KEY is not set" in done.out
    assert "wrong  The database cannot be reached" in done.out
    assert "hidden" not in done.out + done.err


def test_doctor_is_content_with_a_working_installation(plunk: Plunk, tmp_path: Path) -> None:
    plunk("migrate")
    done = plunk("doctor", SECRET_KEY=SECRET)
    assert done.status == 0
    assert "Nothing is wrong." in done.out


def test_the_way_in_loads_nothing_heavy(tmp_path: Path) -> None:
    probe = """
import sys
from plunk.cli import main
for arguments in [], ["--help"], ["check", "--help"], ["--version"], ["fly"]:
    main(arguments)
print({"sqlalchemy", "flask", "dsl", "lark", "requests", "granian"} & set(sys.modules))
"""
    done = subprocess.run(
        (sys.executable, "-c", probe), capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert done.stdout.endswith("set()\n")
