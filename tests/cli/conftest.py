"""A server that the commands talk to, and the commands as a shell would run them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from plunk.cli import main
from plunk.client import Client


class Done(NamedTuple):
    """What one command came to."""

    status: int
    out: str
    err: str


Shell = Callable[..., Done]


class Quiet(WSGIRequestHandler):
    """Logs nothing."""

    def log(self, *_: object) -> None:
        pass


@pytest.fixture
def url(app: Flask) -> Iterator[str]:
    """Return the address at which the application is served."""
    server = make_server("127.0.0.1", 0, app, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def client(url, project) -> Iterator[Client]:
    """Return a client with the project's secret key."""
    with Client(url, project.secret) as client:
        yield client


@pytest.fixture
def shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Shell:
    """Return a function that runs a command in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Done:
        return Done(main(arguments), *capsys.readouterr())

    return run


@pytest.fixture
def online(shell: Shell, url, project, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Return the same, with a server and the project's key in the environment."""
    monkeypatch.setenv("PLUNK_API_URL", url)
    monkeypatch.setenv("PLUNK_API_KEY", project.secret)
    return shell
