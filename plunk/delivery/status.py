"""The status of an e-mail, and what moves it: notices come late, twice and out of order."""

from __future__ import annotations

from enum import StrEnum


class EmailStatus(StrEnum):
    """Where an outgoing e-mail stands."""

    PENDING = "PENDING"
    SENDING = "SENDING"
    SENT = "SENT"
    DELIVERED = "DELIVERED"
    OPENED = "OPENED"
    CLICKED = "CLICKED"
    BOUNCED = "BOUNCED"
    COMPLAINED = "COMPLAINED"
    FAILED = "FAILED"


class Notice(StrEnum):
    """What is learned about an e-mail; a soft bounce is a fact that moves nothing."""

    CLAIMED = "claimed"
    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    REFUSED = "refused"
    DELIVERY = "delivery"
    OPEN = "open"
    CLICK = "click"
    HARD_BOUNCE = "hard_bounce"
    SOFT_BOUNCE = "soft_bounce"
    COMPLAINT = "complaint"


RANK: dict[EmailStatus, int] = {
    EmailStatus.PENDING: 0,
    EmailStatus.SENDING: 0,
    EmailStatus.FAILED: 0,
    EmailStatus.SENT: 1,
    EmailStatus.DELIVERED: 2,
    EmailStatus.OPENED: 3,
    EmailStatus.CLICKED: 4,
    EmailStatus.BOUNCED: 5,
    EmailStatus.COMPLAINED: 6,
}

_REPORTED: dict[Notice, EmailStatus] = {
    Notice.ACCEPTED: EmailStatus.SENT,
    Notice.DELIVERY: EmailStatus.DELIVERED,
    Notice.OPEN: EmailStatus.OPENED,
    Notice.CLICK: EmailStatus.CLICKED,
    Notice.HARD_BOUNCE: EmailStatus.BOUNCED,
    Notice.COMPLAINT: EmailStatus.COMPLAINED,
}

TRANSITIONS: dict[tuple[EmailStatus, Notice], EmailStatus] = {
    (EmailStatus.PENDING, Notice.CLAIMED): EmailStatus.SENDING,
    (EmailStatus.SENDING, Notice.DEFERRED): EmailStatus.PENDING,
    (EmailStatus.SENDING, Notice.REFUSED): EmailStatus.FAILED,
    (EmailStatus.PENDING, Notice.REFUSED): EmailStatus.FAILED,
    **{
        (status, notice): reported
        for notice, reported in _REPORTED.items()
        for status in EmailStatus
        if RANK[reported] >= RANK[status]
    },
}


def next_status(status: EmailStatus, notice: Notice) -> EmailStatus | None:
    """Return what to write, or None when the notice comes too late to change anything."""
    return TRANSITIONS.get((status, notice))
