"""A small HTTP load generator: keep-alive connections that send one request after another."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Load:
    """What came of a run: requests per second and latencies in milliseconds."""

    rate: float
    p50: float
    p99: float
    failures: int


def post(path: str, key: str, body: bytes) -> bytes:
    """Return the bytes of one POST request."""
    return (
        f"POST {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def get(path: str) -> bytes:
    """Return the bytes of one GET request."""
    return f"GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n".encode()


def run(port: int, connections: int, total: int, make: Callable[[int], bytes]) -> Load:
    """Send `total` requests over that many connections and measure."""
    return asyncio.run(_run(port, connections, total, make))


async def _run(port: int, connections: int, total: int, make: Callable[[int], bytes]) -> Load:
    numbers = iter(range(total))
    times: list[float] = []
    failures = 0

    async def client() -> None:
        nonlocal failures
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number in numbers:
            started = time.perf_counter()
            writer.write(make(number))
            if not await _is_success(reader):
                failures += 1
            times.append(time.perf_counter() - started)
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(connections)))
    took = time.perf_counter() - began
    cuts = statistics.quantiles(times, n=100)
    return Load(total / took, cuts[49] * 1000, cuts[98] * 1000, failures)


async def _is_success(reader: asyncio.StreamReader) -> bool:
    head = await reader.readuntil(b"\r\n\r\n")
    lowered = head.lower()
    start = lowered.index(b"content-length:") + len(b"content-length:")
    await reader.readexactly(int(lowered[start : lowered.index(b"\r\n", start)]))
    return head.startswith(b"HTTP/1.1 200")
