"""Mail delivery: a message as data, its MIME form, and the providers that take it."""

from plunk.delivery.headers import (
    HeaderInjection,
    ReservedHeader,
    UnsendableMessage,
    bulk_headers,
    check_headers,
    merge_headers,
    unsubscribe_headers,
)
from plunk.delivery.memory import MemoryProvider
from plunk.delivery.message import Attachment, Disposition, Message
from plunk.delivery.outcomes import Accepted, Deferred, Outcome, Refused, Unknown
from plunk.delivery.provider import Provider, open_provider

__all__ = [
    "Accepted",
    "Attachment",
    "Deferred",
    "Disposition",
    "HeaderInjection",
    "MemoryProvider",
    "Message",
    "Outcome",
    "Provider",
    "Refused",
    "ReservedHeader",
    "Unknown",
    "UnsendableMessage",
    "bulk_headers",
    "check_headers",
    "merge_headers",
    "open_provider",
    "unsubscribe_headers",
]
