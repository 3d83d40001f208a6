"""A web server that answers every web hook with 200 and keeps what it was told."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

ANSWER = b'{"received": true}'


@dataclass(frozen=True, slots=True)
class Hook:
    """One request as it arrived; `key` is its Idempotency-Key."""

    method: str
    path: str
    key: str | None
    body: Any


class HookReceiver:
    """Listens on a port of its own while it is entered; to this machine only, unless told else."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self._lock = threading.Lock()
        self._hooks: list[Hook] = []
        self._server = _Server((host, 0), self._keep)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        """Return where web hooks should be sent."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def port(self) -> int:
        """Return where it listens."""
        return self._server.server_port

    @property
    def hooks(self) -> list[Hook]:
        """Return what has arrived so far, in order."""
        with self._lock:
            return list(self._hooks)

    def _keep(self, hook: Hook) -> None:
        with self._lock:
            self._hooks.append(hook)


class _Server(ThreadingHTTPServer):
    """Passes every hook on."""

    request_queue_size = 128
    daemon_threads = True

    def __init__(self, address: tuple[str, int], keep: Any) -> None:  # noqa: ANN401 - a bound method
        super().__init__(address, _Handler)
        self.keep = keep

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - its own signature
        """Say nothing of a caller that died before it was answered."""


class _Handler(BaseHTTPRequestHandler):
    """Answers any method."""

    server: _Server

    def do_POST(self) -> None:
        """Keep the request and answer 200."""
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        key = self.headers.get("Idempotency-Key")
        self.server.keep(Hook(self.command, self.path, key, _body(raw)))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(ANSWER)))
        self.end_headers()
        self.wfile.write(ANSWER)

    do_GET = do_PUT = do_PATCH = do_DELETE = do_POST  # noqa: N815 - as above

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


def _body(raw: bytes) -> Any:  # noqa: ANN401 - JSON is any value
    """Return the JSON value of a body, else its text."""
    try:
        return json.loads(raw)
    except ValueError:
        return raw.decode("utf-8", "replace")
