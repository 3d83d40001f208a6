"""A server that the commands talk to, and the commands as a shell would run them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from plunk.cli import main
from plunk.client import Client


class Done(NamedTuple):
    """What one command came to."""

    status: int
    out: str
    err: str


Shell = Callable[..., Done]


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
