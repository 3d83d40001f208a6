"""Batch ingest: POST /v1/track/batch, 1,000 events a call.

python -m bench.batch [sqlite|postgres] [calls] [connections]
"""

from __future__ import annotations

import json
import random
import sys

from bench import load, stage

EVENTS = 1_000
CONTACTS = 20_000
TARGET = 20_000


def main(kind: str = "postgres", calls: str = "100", connections: str = "4") -> None:
    """Measure new contacts, then existing ones without and with data, then those who enter."""
    total = int(calls)
    with stage.database(kind) as url:
        project = stage.project(url)
        with stage.server(url) as port:

            def measure(name: str, bodies: list[bytes]) -> None:
                made = [load.post("/v1/track/batch", project.secret, body) for body in bodies]
                result = load.run(port, int(connections), len(made), made.__getitem__)
                rate = result.rate * EVENTS
                print(
                    f"batch, {kind}, {name}: {rate:,.0f} events/s, p50 {result.p50:.0f} ms, "
                    f"p99 {result.p99:.0f} ms, failures {result.failures}, "
                    f"{rate / TARGET:.1f} x the target"
                )

            parts = _parts(range(CONTACTS))
            apart = [parts[n % len(parts)] for n in range(total)]  # nobody twice at the same time
            measure("new contacts", [_body(part, "signed_up") for part in parts])
            stage.settle(url)
            measure("nothing listens", [_body(part, "opened_app") for part in apart])
            mixed = [_body(_some(n), "opened_app") for n in range(total)]
            measure("the same people in several calls at once", mixed)
            changing = [_body(part, "read", visit=n) for n, part in enumerate(apart)]
            measure("data changes", changing)
            _listen(port, project.secret)
            measure("a workflow enrols", [_body(part, "bought") for part in apart[: total // 4]])


def _body(contacts: list[int], name: str, **data: object) -> bytes:
    events = [
        {"event": name, "email": f"user{number}@example.com", **({"data": data} if data else {})}
        for number in contacts
    ]
    return json.dumps({"events": events}).encode()


def _parts(everybody: range) -> list[list[int]]:
    return [list(everybody[at : at + EVENTS]) for at in range(0, len(everybody), EVENTS)]


def _some(seed: int) -> list[int]:
    return random.Random(seed).choices(range(CONTACTS), k=EVENTS)


def _listen(port: int, key: str) -> None:
    flow = {"name": "Bought", "eventName": "bought", "enabled": True, "allowReentry": True}
    request = load.post("/workflows", key, json.dumps(flow).encode())
    load.run(port, 1, 2, lambda _: request)


if __name__ == "__main__":
    main(*sys.argv[1:])
