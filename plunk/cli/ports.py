"""Ports of this machine."""

from __future__ import annotations

import errno
import socket

from plunk.errors import Misconfigured

LAST_PORT = 65_535


def free_port() -> int:
    """Return a port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def require_free(host: str, port: int, *, setting: str = "PORT") -> None:
    """Raise Misconfigured when nobody may listen there, or somebody does already."""
    if port == 0:
        raise Misconfigured(f"{setting} must be a fixed port, not 0.")
    if port > LAST_PORT:
        raise Misconfigured(f"{setting} is too high: there is no port {port}.")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise Misconfigured(_refusal(setting, host, port, error)) from error


def _refusal(setting: str, host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is taken; set {setting} to another one."
    return f"Cannot listen on {host}:{port}: {error.strerror or error}."
