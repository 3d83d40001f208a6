"""One request over one connection that goes where it was told, and ends when it must."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from http.client import HTTPException
from typing import Any, Self, cast

import certifi
from requests import PreparedRequest, RequestException, Response
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import ConnectionPool
from urllib3.exceptions import HTTPError

from plunk.outbound.values import Connect, NetworkFailed

MAX_BODY = 64 * 1024
_MAX_ADDRESSES = 3


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, the body still encoded and cut off behind MAX_BODY + 1 bytes."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class Wire:
    """Connects to checked addresses only, and cuts every connection at its deadline.

    Time-outs of sockets start anew with every byte, so a server that drips could hold a worker
    for ever; here a timer shuts the socket down from outside.
    """

    def __init__(
        self,
        addresses: Sequence[str],
        port: int,
        timeout_seconds: float,
        connect: Connect,
    ) -> None:
        # IPv4 first: a machine without an IPv6 route would spend its time on nothing.
        self._addresses = sorted(addresses, key=lambda address: ":" in address)[:_MAX_ADDRESSES]
        self._port = port
        self._open = connect
        self._deadline = time.monotonic() + timeout_seconds
        self._sockets: list[socket.socket] = []
        self._timer = threading.Timer(timeout_seconds, self._cut)
        self._timer.daemon = True
        self.expired = False

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        for duplicate in self._sockets:
            duplicate.close()

    def connect(self) -> socket.socket:
        """Return a connection to the first address that takes one."""
        failure = OSError()
        for address in self._addresses:
            try:
                return self._connect(address)
            except OSError as error:
                failure = error
        raise failure

    def remaining(self) -> float:
        """Return the seconds left, never so few that a socket would not block at all."""
        return max(0.001, self._deadline - time.monotonic())

    def _connect(self, address: str) -> socket.socket:
        connection = self._open((address, self._port), self.remaining())
        # A duplicate still reaches the connection after TLS has taken over the original.
        self._sockets.append(connection.dup())
        return connection

    def _cut(self) -> None:
        self.expired = True
        for duplicate in list(self._sockets):
            with suppress(OSError):
                duplicate.shutdown(socket.SHUT_RDWR)


class _Http(HTTPConnection):
    wire: Wire

    def _new_conn(self) -> socket.socket:
        return self.wire.connect()


class _Https(HTTPSConnection):
    wire: Wire

    def _new_conn(self) -> socket.socket:
        return self.wire.connect()


def _open_connection(kind: type[_Http | _Https], wire: Wire, **options: Any) -> _Http | _Https:  # noqa: ANN401 - urllib3 names them
    connection = kind(**options)
    connection.wire = wire
    return connection


class _Adapter(HTTPAdapter):
    """Makes `requests` use our connections and our certificates."""

    def __init__(self, wire: Wire, tls: ssl.SSLContext) -> None:
        self._wire = wire
        super().__init__()
        self.init_poolmanager(1, 1, ssl_context=tls)

    def get_connection_with_tls_context(self, *args: Any, **options: Any) -> ConnectionPool:  # noqa: ANN401 - passed on
        """Return a pool whose connections are ours."""
        pool: Any = super().get_connection_with_tls_context(*args, **options)
        kind = _Https if pool.scheme == "https" else _Http
        pool.ConnectionCls = partial(_open_connection, kind, self._wire)
        return cast("ConnectionPool", pool)

    def cert_verify(self, *_: object) -> None:
        """Leave verification to the context we hand over."""


@lru_cache(maxsize=1)
def default_tls() -> ssl.SSLContext:
    """Return the public certificate authorities, read once."""
    return ssl.create_default_context(cafile=certifi.where())


def exchange(request: PreparedRequest, wire: Wire, tls: ssl.SSLContext) -> Reply:
    """Send the request and read the reply, or raise NetworkFailed."""
    adapter = _Adapter(wire, tls)
    try:
        with wire:
            response = adapter.send(request, stream=True, timeout=wire.remaining())
            reply = _read(response)
    except (RequestException, HTTPError, HTTPException, OSError) as error:
        raise NetworkFailed(_reason(error, wire)) from error
    finally:
        adapter.close()
    if wire.expired:  # a cut connection may look like a body that simply ended
        raise NetworkFailed("no complete answer in time")
    return reply


def _read(response: Response) -> Reply:
    try:
        content = response.raw.read(MAX_BODY + 1, decode_content=False)
    finally:
        response.raw.close()
    return Reply(response.status_code, response.headers, content)


def _reason(error: Exception, wire: Wire) -> str:
    """Return one line; the library's own texts are long and full of object names."""
    if wire.expired:
        return "no complete answer in time"
    cause: BaseException = error
    while inner := _inner(cause):
        cause = inner
    if isinstance(cause, ssl.SSLError):
        return f"TLS failed: {getattr(cause, 'verify_message', '') or cause.reason}"
    if isinstance(cause, TimeoutError):
        return "no complete answer in time"
    return (isinstance(cause, OSError) and cause.strerror) or "the connection broke off"


def _inner(error: BaseException) -> BaseException | None:
    return error.__cause__ or error.__context__
