"""The development outbox in the browser: mail that was written to files instead of being sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from email.message import EmailMessage
from typing import Protocol

from flask import Blueprint, render_template

from plunk.errors import UnknownRoute

SHOWN_HEADERS = ("From", "To", "Reply-To", "Subject", "Date", "Message-ID", "List-Unsubscribe")


class Entry(Protocol):
    """One line of the list."""

    @property
    def name(self) -> str:
        """What the message is found by."""
        ...

    @property
    def written_at(self) -> datetime:
        """When it was sent."""
        ...

    @property
    def to(self) -> str:
        """Whom it is for."""
        ...

    @property
    def subject(self) -> str:
        """What it is about."""
        ...


class Outbox(Protocol):
    """Where the messages are kept."""

    def list_entries(self, limit: int = 100) -> Sequence[Entry]:
        """Return the latest messages, newest first."""
        ...

    def find_message(self, name: str) -> EmailMessage | None:
        """Return the message of this name."""
        ...


def outbox_pages(outbox: Outbox) -> Blueprint:
    """Return the pages over an outbox; they ask for no key, so they are for development only."""
    pages = Blueprint("outbox", __name__, template_folder="templates")

    @pages.get("/outbox")
    def list_messages() -> str:
        """Show the latest messages."""
        return render_template("outbox/list.html", entries=outbox.list_entries())

    @pages.get("/outbox/<name>")
    def show_message(name: str) -> str:
        """Show one message as its reader sees it."""
        message = outbox.find_message(name)
        if message is None:
            raise UnknownRoute("There is no such message in the outbox.")
        headers = [(header, message[header]) for header in SHOWN_HEADERS if message[header]]
        return render_template(
            "outbox/message.html",
            headers=headers,
            html=_part(message, "html"),
            text=_part(message, "plain"),
            attachments=[part.get_filename() for part in message.iter_attachments()],
        )

    return pages


def _part(message: EmailMessage, kind: str) -> str | None:
    part = message.get_body((kind,))
    return None if part is None else str(part.get_content())
