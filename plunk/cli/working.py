"""`plunk worker`: one worker in this process, or several that are looked after."""

from __future__ import annotations

import signal
import subprocess
import time
from threading import Event
from types import FrameType

import structlog

from plunk import logs
from plunk.cli.database import await_database, require_tables
from plunk.cli.ports import require_free
from plunk.cli.processes import PROGRAM, environment
from plunk.config import Settings, read_settings
from plunk.worker import schedule
from plunk.worker.jobs import close_worker, open_worker
from plunk.worker.metrics_port import answering

log = structlog.get_logger()
LOOK_SECONDS = 0.5
KILL_SECONDS = 25.0  # platforms kill after 30
REST_SECONDS = 2.0  # between deaths, so that one that dies at once does not burn the machine


def work() -> int:
    """Work in this process until SIGTERM or SIGINT, finish what is held, return 0."""
    settings = read_settings()
    worker = open_worker(settings)
    logs.configure(settings, worker=logs.worker_name())
    await_database(settings)
    require_tables(settings)
    with answering(settings, worker.meter):
        schedule.work(worker, poll_seconds=settings.poll_seconds)
    return 0


def supervise(processes: int, *, stop_seconds: float = KILL_SECONDS) -> int:
    """Keep this many workers alive until SIGTERM or SIGINT; return 0 when all have ended."""
    settings = read_settings()
    close_worker(open_worker(settings))  # finds here what every one of them would die of
    logs.configure(settings)
    _require_ports(settings, processes)
    await_database(settings)
    require_tables(settings)
    told = Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        told.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    workers = [_Worker(index, settings) for index in range(processes)]
    while not told.wait(LOOK_SECONDS):
        for worker in workers:
            worker.look_after()
    for worker in workers:
        worker.tell()
    deadline = time.monotonic() + stop_seconds
    for worker in workers:
        worker.wait_or_kill(deadline)
    return 0


def _require_ports(settings: Settings, processes: int) -> None:
    if settings.metrics_port:
        for index in range(processes):
            port = settings.metrics_port + index
            require_free(settings.metrics_host, port, setting="METRICS_PORT")


class _Worker:
    """One worker process, started again when it dies."""

    def __init__(self, index: int, settings: Settings) -> None:
        self._index = index + 1
        # One port can serve one process only: they get one after the other.
        port = settings.metrics_port + index if settings.metrics_port else 0
        self._env = environment(METRICS_PORT=str(port))
        self._started = 0.0
        self._start()

    def look_after(self) -> None:
        """Start it again when it has died."""
        status = self.process.poll()
        if status is not None and time.monotonic() - self._started >= REST_SECONDS:
            log.warning("worker.restarted", worker=self._index, status=status)
            self._start()

    def tell(self) -> None:
        """Ask it to finish."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)

    def wait_or_kill(self, deadline: float) -> None:
        """Wait until it has ended; what hangs is ended, as a crash would, and taken over."""
        try:
            self.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            log.warning("worker.killed", worker=self._index)
            self.process.kill()
            self.process.wait()

    def _start(self) -> None:
        self._started = time.monotonic()
        # Its own session: Ctrl-C reaches the supervisor only, which passes it on once.
        self.process = subprocess.Popen(  # noqa: S603 - our own program
            (*PROGRAM, "worker"), env=self._env, start_new_session=True
        )
