"""The development outbox: mail in the browser, and only in development."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from plunk.application import create_app
from plunk.clock import SystemClock
from plunk.config import Settings
from plunk.delivery.message import Message
from plunk.delivery.outbox import OutboxProvider

HOSTILE = '<p>Hi</p><script>alert(1)</script>"><img src=x>'


def client(folder: Path, **settings: str) -> FlaskClient:
    """Return a browser on an application whose mail goes to this folder."""
    chosen = Settings(
        database_url="sqlite://", secret_key="0123456789abcdef", instance_path=folder, **settings
    )
    return create_app(chosen).test_client()


@pytest.fixture
def browser(tmp_path: Path) -> FlaskClient:
    """Return a browser on a development installation."""
    return client(tmp_path, environment="development")


def put(folder: Path, subject: str, html: str = "<p>Hello</p>") -> None:
    """Write one message to the outbox."""
    message = Message(
        message_id="<1@example.com>",
        from_address="ada@example.com",
        from_name="Ada",
        to_address="kim@example.com",
        subject=subject,
        html=html,
        text="Hello in text",
    )
    OutboxProvider(folder / "outbox", clock=SystemClock()).deliver([message])


def test_an_empty_outbox_says_so(browser):
    assert "Nothing has been sent yet" in browser.get("/outbox").text


def test_the_list_leads_to_the_message(browser, tmp_path):
    put(tmp_path, "Welcome")
    listed = browser.get("/outbox").text
    assert "kim@example.com" in listed
    link = listed.partition('href="/outbox/')[2].partition('"')[0]
    shown = browser.get(f"/outbox/{link}").text
    assert "Ada &lt;ada@example.com&gt;" in shown
    assert "Hello in text" in shown


def test_what_a_message_holds_stays_in_its_frame(browser, tmp_path):
    put(tmp_path, "<script>", HOSTILE)
    pages = browser.get("/outbox")
    link = pages.text.partition('href="/outbox/')[2].partition('"')[0]
    shown = browser.get(f"/outbox/{link}").text
    assert "<script>" not in pages.text + shown
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in shown


@pytest.mark.parametrize("name", ["nothing", "..", "%2e%2e%2fsecret_key", "a/b"])
def test_other_names_are_not_found(browser, tmp_path, name):
    (tmp_path / "secret_key").write_text("hidden")
    assert browser.get(f"/outbox/{name}").status_code == 404


@pytest.mark.parametrize(
    "settings",
    [
        {"environment": "production"},
        {"environment": "development", "mail_url": "null://"},
    ],
)
def test_there_are_no_pages_elsewhere(tmp_path, settings):
    assert client(tmp_path, **settings).get("/outbox").status_code == 404
