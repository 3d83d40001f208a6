"""A mail server of the worst kind: it refuses, defers, delays, hangs up and forgets to answer."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from email.parser import BytesHeaderParser

from aiosmtpd.smtp import SMTP, Envelope, Session

from plunk.cli.smtp_sink import SmtpSink

# What becomes of a message, of a hundred; the rest is taken at once.
REFUSED, CLOSING, BUSY, HUNG_UP, SWALLOWED, SLOW = 5, 4, 4, 3, 1, 3
REFUSAL = "550 no such mailbox here"
SLOW_SECONDS = 0.3
NEVER_SEEN = "250 the connection is gone"


class RoughSink(SmtpSink):
    """Decides by the subject, so that one seed makes the same trouble for the same messages.

    It refuses for ever (550); everything else happens to a message once.
    """

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._seed = seed
        self._troubled: set[str] = set()
        self.troubles: Counter[str] = Counter()
        self.swallowed: set[str] = set()  # Message-IDs that were kept without an answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Answer as the message's fate has it."""
        headers = BytesHeaderParser().parsebytes(envelope.original_content or b"")
        subject, message_id = str(headers["Subject"]), str(headers["Message-ID"])
        fate = fate_of(subject, self._seed)
        if fate != "refused" and subject in self._troubled:
            fate = "taken"
        self._troubled.add(subject)
        self.troubles[fate] += 1
        match fate:
            case "refused":
                return REFUSAL
            case "closing":
                return "421 too busy, closing"
            case "busy":
                return "454 try again later"
            case "hung up":
                return _hang_up(server)
            case "swallowed":
                self.swallowed.add(message_id)
                await super().handle_DATA(server, session, envelope)
                return _hang_up(server)
            case "slow":
                await asyncio.sleep(SLOW_SECONDS)
        return await super().handle_DATA(server, session, envelope)


def fate_of(subject: str, seed: int) -> str:
    """Return what is to become of the message with this subject."""
    fates = ("refused", "closing", "busy", "hung up", "swallowed", "slow")
    weights = (REFUSED, CLOSING, BUSY, HUNG_UP, SWALLOWED, SLOW)
    rest = 100 - sum(weights)
    chance = random.Random(f"{seed} {subject}")
    return chance.choices((*fates, "taken"), (*weights, rest))[0]


def _hang_up(server: SMTP) -> str:
    if server.transport is not None:
        server.transport.close()
    return NEVER_SEEN
