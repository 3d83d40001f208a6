"""URLs taken apart once, so that what is checked is what is called."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass
from ipaddress import IPv6Address
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

import idna

from plunk.outbound.values import InvalidUrl

_FORBIDDEN = re.compile(r"[\x00-\x20\x7f\\]")
_HOST = re.compile(r"[a-z0-9_](?:[a-z0-9._-]{0,252})")
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Target:
    """One place to send a request to; `url` is normalised and holds no credentials."""

    scheme: str
    host: str
    port: int
    resource: str
    authorization: str | None = None

    @property
    def origin(self) -> tuple[str, str, int]:
        """Return what has to stay the same for secrets to be sent along."""
        return self.scheme, self.host, self.port

    @property
    def url(self) -> str:
        """Return the address as text."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.resource}"


def parse_target(url: str) -> Target:
    """Take a URL apart, or raise InvalidUrl."""
    if _FORBIDDEN.search(url):
        raise InvalidUrl("the URL contains a space, a backslash or a control character")
    try:
        return _target(urlsplit(url))
    except ValueError as error:
        raise InvalidUrl(f"the URL cannot be read: {error}") from error


def follow(target: Target, location: str) -> Target:
    """Return where a redirect leads."""
    try:
        return parse_target(urljoin(target.url, location))
    except ValueError as error:
        raise InvalidUrl("the redirect leads to something that is no URL") from error


def _target(parts: SplitResult) -> Target:
    scheme = parts.scheme.lower()
    if scheme not in _DEFAULT_PORTS:
        raise InvalidUrl("the URL must start with http:// or https://")
    port = parts.port if parts.port is not None else _DEFAULT_PORTS[scheme]
    if port == 0:
        raise InvalidUrl("port 0 cannot be called")
    query = f"?{parts.query}" if parts.query else ""
    resource = f"{parts.path or '/'}{query}"
    return Target(scheme, _host(parts.hostname or ""), port, resource, _authorization(parts))


def _host(name: str) -> str:
    """Return the host as ASCII, the only form that resolvers and certificates know."""
    if "%" in name:  # a zone, which only means something on one machine
        raise InvalidUrl("the URL names no host that could be called")
    if ":" in name:
        return str(IPv6Address(name))
    try:
        host = name if name.isascii() else idna.encode(name, uts46=True).decode()
    except idna.IDNAError as error:
        raise InvalidUrl(f"{name!r} is no host name") from error
    if not _HOST.fullmatch(host):
        raise InvalidUrl(f"{name!r} is no host name" if name else "the URL names no host")
    return host


def _authorization(parts: SplitResult) -> str | None:
    """Return `user:password@` as a header, which is what it means."""
    if parts.username is None:
        return None
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return f"Basic {b64encode(pair.encode()).decode()}"
