"""A request from its first hop to the answer.

A name is resolved once per hop, every address it has is checked, and the connection goes to an
address that was checked, with SNI, Host header and certificate check on the name. So neither
DNS rebinding nor a redirect leads inside.
"""

from __future__ import annotations

import re
import socket
import ssl
import zlib
from collections.abc import Mapping

from requests import PreparedRequest, Request, RequestException

from plunk.outbound.addresses import is_public, resolve
from plunk.outbound.targets import Target, follow, parse_target
from plunk.outbound.values import (
    AddressBlocked,
    Answer,
    Connect,
    InvalidRequest,
    InvalidUrl,
    NetworkFailed,
    OutgoingRequest,
    Resolver,
    TooManyRedirects,
)
from plunk.outbound.wire import MAX_BODY, Reply, Wire, default_tls, exchange

_MAX_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]")
_CONNECTION_HEADERS = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer"}
)
# What may follow a redirect to another origin; anything else might be somebody's secret.
_HARMLESS = frozenset(
    {"accept", "accept-language", "content-type", "idempotency-key", "user-agent"}
)
_DEFAULTS = {"User-Agent": "Plunk-Webhooks", "Accept": "*/*"}
_CHARSET = re.compile(
    r"charset\s*=\s*\"?(utf-8|us-ascii|iso-8859-1|windows-1252|utf-16)", re.IGNORECASE
)


def call(
    request: OutgoingRequest,
    *,
    allow_private: bool,
    resolver: Resolver = resolve,
    connect: Connect = socket.create_connection,
    tls: ssl.SSLContext | None = None,
) -> Answer:
    """Send the request, follow up to five redirects, and return the answer whatever its status.

    Raises OutboundError. `tls` replaces the public certificate authorities.
    """
    _check(request)
    target, headers = parse_target(request.url), _DEFAULTS | dict(request.headers)
    for _ in range(_MAX_REDIRECTS + 1):
        addresses = _addresses(target, resolver, allow_private=allow_private)
        wire = Wire(addresses, target.port, request.timeout_seconds, connect)
        reply = exchange(_prepare(request, target, headers), wire, tls or default_tls())
        if (location := _location(reply)) is None:
            return _answer(reply, target)
        previous, target = target, follow(target, location)
        headers = _headers_for(target, previous, headers)
    raise TooManyRedirects(f"more than {_MAX_REDIRECTS} redirects")


def _check(request: OutgoingRequest) -> None:
    if request.method.upper() not in _METHODS:
        raise InvalidRequest(f"{request.method!r} is no method that can be sent")
    for name, value in request.headers.items():
        if not _NAME.fullmatch(name) or name.lower() in _CONNECTION_HEADERS:
            raise InvalidRequest(f"the header {name!r} cannot be set")
        if _CONTROL.search(value):
            raise InvalidRequest(f"the header {name} contains a control character")


def _addresses(target: Target, resolver: Resolver, *, allow_private: bool) -> list[str]:
    """Resolve once and check everything: one bad address spoils the name."""
    try:
        addresses = list(resolver(target.host, target.port))
    except (OSError, UnicodeError) as error:
        raise NetworkFailed(f"{target.host} cannot be found") from error
    if not addresses:
        raise NetworkFailed(f"{target.host} has no address")
    if not allow_private and not all(map(is_public, addresses)):
        raise AddressBlocked(f"{target.host} leads to an address that is not public")
    return addresses


def _prepare(
    request: OutgoingRequest, target: Target, headers: Mapping[str, str]
) -> PreparedRequest:
    names = {name.lower() for name in headers}
    encoded = {name: value.strip().encode() for name, value in headers.items()}
    if target.authorization and "authorization" not in names:
        encoded["Authorization"] = target.authorization.encode()
    # Compressed answers could be bombs; who sends one all the same is unpacked with a limit.
    encoded |= {"Accept-Encoding": b"identity", "Connection": b"close"}
    try:
        body = None if request.method.upper() == "GET" else request.body
        return Request(request.method.upper(), target.url, encoded, data=body).prepare()
    except (RequestException, ValueError) as error:
        raise InvalidUrl("the URL cannot be called") from error


def _headers_for(target: Target, previous: Target, headers: dict[str, str]) -> dict[str, str]:
    if target.origin != previous.origin:
        return {name: value for name, value in headers.items() if name.lower() in _HARMLESS}
    if previous.authorization and not target.authorization:
        return {"Authorization": previous.authorization} | headers
    return headers


def _location(reply: Reply) -> str | None:
    if reply.status not in _REDIRECTS or not reply.headers.get("Location"):
        return None
    location = reply.headers["Location"].strip()
    try:  # header bytes arrive as Latin-1, but are UTF-8 where they are not ASCII
        return location.encode("latin-1").decode()
    except UnicodeError:
        return location


def _answer(reply: Reply, target: Target) -> Answer:
    content_type = reply.headers.get("Content-Type", "")
    content, cut = _unpack(reply)
    charset = _CHARSET.search(content_type)
    text = content[:MAX_BODY].decode(charset[1] if charset else "utf-8", errors="replace")
    # Databases do not store NUL in text.
    body = text.replace("\x00", "\ufffd")
    truncated = cut or len(content) > MAX_BODY
    return Answer(reply.status, body, content_type, target.url, truncated)


def _unpack(reply: Reply) -> tuple[bytes, bool]:
    """Return the body decompressed, never beyond the limit, and whether input was cut off."""
    cut = len(reply.content) > MAX_BODY
    if reply.headers.get("Content-Encoding", "").lower() not in {"gzip", "deflate"}:
        return reply.content, cut
    try:
        return zlib.decompressobj(wbits=47).decompress(reply.content, MAX_BODY + 1), cut
    except zlib.error:
        return reply.content, cut
