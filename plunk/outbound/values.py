"""What goes out, what comes back, and what may go wrong in between."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from plunk.errors import PlunkError

Resolver = Callable[[str, int], Sequence[str]]
"""Host name and port → all its addresses; raises OSError when there are none."""

Connect = Callable[[tuple[str, int], float], socket.socket]
"""Address and port, seconds → a connection; raises OSError when there is none."""


class OutboundError(PlunkError):
    """An outgoing request got no answer; `retriable` tells whether another try may help."""

    retriable = False


class InvalidRequest(OutboundError):
    """The method or a header cannot be sent."""


class InvalidUrl(InvalidRequest):
    """The URL leads nowhere that could be called."""


class AddressBlocked(OutboundError):
    """The name leads to an address that customers may not reach."""


class TooManyRedirects(OutboundError):
    """The server keeps sending the request somewhere else."""


class NetworkFailed(OutboundError):
    """No name, no connection, no valid certificate, or no answer in time."""

    retriable = True


@dataclass(frozen=True, slots=True)
class OutgoingRequest:
    """What to send where; `timeout_seconds` bounds each hop, the answer's body included."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    timeout_seconds: float = 10


@dataclass(frozen=True, slots=True)
class Answer:
    """What the last hop said; `body` keeps at most 64 KiB, `truncated` says there was more."""

    status: int
    body: str
    content_type: str
    url: str
    truncated: bool = False
