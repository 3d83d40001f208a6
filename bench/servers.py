"""WSGI servers: the same application behind each, on a route without a database and on /v1/track.

python -m bench.servers [requests]     needs `pip install gunicorn waitress` beside the project
"""

from __future__ import annotations

import json
import statistics
import sys

from bench import load, stage

CONNECTIONS = 16
ROUNDS = 3
PYTHON = sys.executable
SERVERS = {
    "granian, 2 processes of 8 threads": stage.PLUNK_SERVE,
    "gunicorn gthread, 2 processes of 8 threads": (
        *(PYTHON, "-m", "gunicorn", "-k", "gthread", "-w", "2", "--threads", "8"),
        *("-b", "127.0.0.1:{port}", "app:app"),
    ),
    "waitress, 1 process of 16 threads": (
        *(PYTHON, "-m", "waitress", "--threads=16", "--listen=127.0.0.1:{port}", "app:app"),
    ),
}


def main(total: str = "6000") -> None:
    """Print requests per second, the median of some rounds, for each server."""
    with stage.database("postgres") as url:
        project = stage.project(url)
        for name, command in SERVERS.items():
            with stage.server(url, command) as port:
                health = load.get("/healthz")
                bodies = [
                    load.post("/v1/track", project.secret, json.dumps(_event(number)).encode())
                    for number in range(1_000)
                ]
                rates = [_rate(port, int(total), asked) for asked in ([health], bodies)]
            print(f"{name}: /healthz {rates[0]:,.0f}/s, /v1/track {rates[1]:,.0f}/s")


def _rate(port: int, total: int, asked: list[bytes]) -> float:
    def make(number: int) -> bytes:
        return asked[number % len(asked)]

    load.run(port, CONNECTIONS, 1_000, make)
    return statistics.median(load.run(port, CONNECTIONS, total, make).rate for _ in range(ROUNDS))


def _event(number: int) -> dict[str, str]:
    return {"event": "opened_app", "email": f"user{number}@example.com"}


if __name__ == "__main__":
    main(*sys.argv[1:])
