"""Ingest: POST /v1/track for existing contacts, at 16 and 64 connections.

python -m bench.track [sqlite|postgres] [requests]

On PostgreSQL the same statements are also run without HTTP, by as many processes and connections.
"""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context

from sqlalchemy.orm import Session, sessionmaker

from bench import load, stage
from plunk.clock import SystemClock
from plunk.db import open_engine, session_factory, transaction
from plunk.services import tracking
from plunk.services.tracking import TrackRequest

CONTACTS = 1_000
CONNECTIONS = (16, 64)
PROCESSES = 2
PEER, PEER_ENROLS = 634, 55


def main(kind: str = "postgres", total: str = "10000") -> None:
    """Measure with nothing listening, then with a workflow that enrols, then the SQL alone."""
    with stage.database(kind) as url:
        project = stage.project(url)
        with stage.server(url) as port:

            def event(number: int, name: str) -> bytes:
                body = {"event": name, "email": _address(number)}
                return load.post("/v1/track", project.secret, json.dumps(body).encode())

            load.run(port, 16, CONTACTS, lambda number: event(number, "signed_up"))
            stage.settle(url)
            for connections in CONNECTIONS:
                quiet = load.run(
                    port, connections, int(total), lambda number: event(number, "opened_app")
                )
                _tell(f"{kind}, {connections} connections, nothing listens", quiet, PEER)
            _listen(port, project.secret)
            for connections in CONNECTIONS:
                enrolling = load.run(
                    port, connections, int(total), lambda number: event(number, "bought")
                )
                _tell(
                    f"{kind}, {connections} connections, a workflow enrols", enrolling, PEER_ENROLS
                )
        if kind == "postgres":
            for name in ("opened_app", "bought"):
                rate = _without_http(url, project.id, name, int(total))
                print(f"track, {kind}, the same without HTTP, {name}: {rate:,.0f}/s")


def _tell(what: str, result: load.Load, peer: int) -> None:
    print(
        f"track, {what}: {result.rate:,.0f}/s, p50 {result.p50:.1f} ms, p99 {result.p99:.1f} ms, "
        f"failures {result.failures}, {result.rate / peer:.1f} x the peer's {peer}/s"
    )


def _without_http(url: str, project_id: str, name: str, total: int) -> float:
    share = total // PROCESSES
    with get_context("spawn").Pool(PROCESSES) as pool:
        took = pool.starmap(_track, [(url, project_id, name, share)] * PROCESSES)
    return total / max(took)


def _track(url: str, project_id: str, name: str, total: int) -> float:
    """Track that many events over eight connections, and return how many seconds it took."""
    engine = open_engine(url, pool_size=8)
    sessions = session_factory(engine)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda number: _one(sessions, project_id, name, number), range(100)))
        started = time.perf_counter()
        list(threads.map(lambda number: _one(sessions, project_id, name, number), range(total)))
        took = time.perf_counter() - started
    engine.dispose()
    return took


def _one(sessions: sessionmaker[Session], project_id: str, name: str, number: int) -> None:
    request = TrackRequest(name, _address(number))
    with transaction(sessions) as session:
        tracking.track(session, project_id, request, trusted=True, now=SystemClock().now())


def _address(number: int) -> str:
    return f"user{number % CONTACTS}@example.com"


def _listen(port: int, key: str) -> None:
    flow = {"name": "Bought", "eventName": "bought", "enabled": True, "allowReentry": True}
    request = load.post("/workflows", key, json.dumps(flow).encode())
    load.run(port, 1, 2, lambda _: request)


if __name__ == "__main__":
    main(*sys.argv[1:])
