"""Ingest: POST /v1/track for existing contacts, at 16 connections.

python -m bench.track [sqlite|postgres] [requests]
"""

from __future__ import annotations

import json
import sys

from bench import load, stage

CONTACTS = 1_000
PEER = 634


def main(kind: str = "sqlite", total: str = "10000") -> None:
    """Measure with nothing listening, then with a workflow that enrols."""
    with stage.database(kind) as url:
        project = stage.project(url)
        with stage.server(url) as port:

            def event(number: int, name: str) -> bytes:
                body = {"event": name, "email": f"user{number % CONTACTS}@example.com"}
                return load.post("/v1/track", project.secret, json.dumps(body).encode())

            load.run(port, 16, CONTACTS, lambda number: event(number, "signed_up"))
            quiet = load.run(port, 16, int(total), lambda number: event(number, "opened_app"))
            _listen(port, project.secret)
            enrolling = load.run(port, 16, int(total), lambda number: event(number, "bought"))
    for name, result in (("nothing listens", quiet), ("a workflow enrols", enrolling)):
        print(
            f"track, {kind}, {name}: {result.rate:,.0f}/s, p50 {result.p50:.1f} ms, "
            f"p99 {result.p99:.1f} ms, failures {result.failures}, "
            f"{result.rate / PEER:.1f} x the peer's {PEER}/s"
        )


def _listen(port: int, key: str) -> None:
    flow = {"name": "Bought", "eventName": "bought", "enabled": True, "allowReentry": True}
    request = load.post("/workflows", key, json.dumps(flow).encode())
    load.run(port, 1, 2, lambda _: request)


if __name__ == "__main__":
    main(*sys.argv[1:])
