"""Guarded HTTP for web hooks: no private addresses, bounded time, redirects and answers."""

from plunk.outbound.calls import call
from plunk.outbound.values import (
    AddressBlocked,
    Answer,
    Connect,
    InvalidRequest,
    InvalidUrl,
    NetworkFailed,
    OutboundError,
    OutgoingRequest,
    Resolver,
    TooManyRedirects,
)

__all__ = [
    "AddressBlocked",
    "Answer",
    "Connect",
    "InvalidRequest",
    "InvalidUrl",
    "NetworkFailed",
    "OutboundError",
    "OutgoingRequest",
    "Resolver",
    "TooManyRedirects",
    "call",
]
