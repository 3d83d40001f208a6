"""The worker's own port, where Prometheus asks it."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from socketserver import TCPServer, ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from plunk.config import Settings
from plunk.errors import Misconfigured
from plunk.metrics import CONTENT_TYPE, Meter
from plunk.security import is_bearer


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def server_bind(self) -> None:
        """Bind without asking any name server what this host is called."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]
        self.setup_environ()


class _Quiet(WSGIRequestHandler):
    timeout = 10  # who connects and says nothing does not keep a thread

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it has there
        pass


@contextmanager
def answering(settings: Settings, meter: Meter) -> Iterator[int]:
    """Answer on METRICS_PORT until this is left; with 0, which is usual, nowhere."""
    if not settings.metrics_port:
        yield 0
        return

    def answer(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/healthz":
            status, body = "200 OK", b"ok\n"
        elif environ["PATH_INFO"] != "/metrics":
            status, body = "404 Not Found", b"Ask for /metrics or /healthz.\n"
        elif not _is_allowed(settings.metrics_token, environ):
            status, body = "401 Unauthorized", b"METRICS_TOKEN is set: send it as a bearer token.\n"
        else:
            status, body = "200 OK", meter.text()
        start(status, [("Content-Type", CONTENT_TYPE), ("Content-Length", str(len(body)))])
        return [body]

    server = _listen(settings, answer)
    thread = threading.Thread(target=server.serve_forever, name="metrics", daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _is_allowed(token: str, environ: WSGIEnvironment) -> bool:
    return not token or is_bearer(token, environ.get("HTTP_AUTHORIZATION"))


def _listen(settings: Settings, answer: WSGIApplication) -> WSGIServer:
    try:
        return make_server(
            settings.metrics_host, settings.metrics_port, answer, _Server, handler_class=_Quiet
        )
    except OSError as error:
        where = f"{settings.metrics_host}:{settings.metrics_port}"
        raise Misconfigured(
            f"METRICS_PORT cannot be served on {where}: {error.strerror or error}."
        ) from error
