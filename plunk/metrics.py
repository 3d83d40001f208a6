"""Figures for Prometheus: what one process counts and times, and gauges as text.

A worker feeds its Meter once for each batch, never for each row.
"""

from __future__ import annotations

import threading
import time
from bisect import bisect_left
from collections import Counter as Tally
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily, Metric

CLAIM_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
LAG_SECONDS = (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3_600.0, 86_400.0)
LAG_LENGTHS = tuple(timedelta(seconds=seconds) for seconds in LAG_SECONDS)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Meter:
    """The counters and timers of one worker process."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._claims = Histogram(
            "plunk_claim_seconds",
            "How long it took to claim one batch of due rows.",
            ["queue"],
            buckets=CLAIM_SECONDS,
            registry=self._registry,
        )
        self._ended = self._counter("plunk_runs_ended", "Runs that a worker ended.", "status")
        self._emails = self._counter(
            "plunk_emails_handed", "Attempts to hand a message over.", "outcome"
        )
        self._calls = self._counter("plunk_webhook_calls", "Attempts to call.", "outcome")
        self._failures = self._counter(
            "plunk_job_failures", "Turns of a job that ended with an unexpected error.", "job"
        )
        self._lags = _Lags()
        self._registry.register(self._lags)

    def text(self) -> bytes:
        """Return everything in the text format."""
        return generate_latest(self._registry)

    @contextmanager
    def claiming(self, queue: str) -> Iterator[None]:
        """Time the claim of one batch."""
        start = time.perf_counter()
        yield
        self._claims.labels(queue).observe(time.perf_counter() - start)

    def late(self, queue: str, dues: Collection[datetime], *, now: datetime) -> None:
        """Note how late the rows of one batch come, given when they were due."""
        if dues:
            self._lags.add(queue, dues, now)

    def ended(self, statuses: Tally[str]) -> None:
        """Count runs that ended, by their status."""
        _add(self._ended, statuses)

    def handed(self, outcomes: Tally[str]) -> None:
        """Count attempts to hand messages over, by what came of them."""
        _add(self._emails, outcomes)

    def called(self, outcomes: Tally[str]) -> None:
        """Count attempts to call web hooks, by what came of them."""
        _add(self._calls, outcomes)

    def failed(self, job: str) -> None:
        """Count a turn of a job that failed."""
        self._failures.labels(job).inc()

    def _counter(self, name: str, about: str, label: str) -> Counter:
        return Counter(name, about, [label], registry=self._registry)


class _Lags:
    """How late rows were, by queue; prometheus_client's own would take a lock for each of them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, list[int]] = {}  # cumulative, by bound; the last one is all
        self._sums: dict[str, float] = {}

    def add(self, queue: str, dues: Iterable[datetime], now: datetime) -> None:
        """Add a batch, given when its rows were due."""
        earliest = sorted(dues)  # one search for each bound is cheaper than one for each row
        counts = [len(earliest) - bisect_left(earliest, now - length) for length in LAG_LENGTHS]
        spent = sum((now - due).total_seconds() for due in earliest if due < now)
        with self._lock:
            kept = self._counts.setdefault(queue, [0] * (len(LAG_SECONDS) + 1))
            more = (*counts, len(earliest))
            kept[:] = [before + new for before, new in zip(kept, more, strict=True)]
            self._sums[queue] = self._sums.get(queue, 0.0) + spent

    def collect(self) -> Iterator[Metric]:
        """Yield the histogram."""
        family = HistogramMetricFamily(
            "plunk_lag_seconds", "How late due rows were claimed.", labels=["queue"]
        )
        bounds = [*(str(bound) for bound in LAG_SECONDS), "+Inf"]
        with self._lock:
            for queue, counts in self._counts.items():
                buckets = list(zip(bounds, counts, strict=True))
                family.add_metric([queue], buckets, self._sums[queue])
        yield family


class Gauge(NamedTuple):
    """One figure as it is now, with its labels."""

    name: str
    about: str
    labels: dict[str, str]
    value: float


def gauges_text(gauges: Iterable[Gauge]) -> bytes:
    """Return gauges in the text format; those of one name have the same labels."""
    families: dict[str, GaugeMetricFamily] = {}
    for one in gauges:
        family = families.setdefault(
            one.name, GaugeMetricFamily(one.name, one.about, labels=list(one.labels))
        )
        family.add_metric(list(one.labels.values()), one.value)
    registry = CollectorRegistry()
    registry.register(_Ready(list(families.values())))
    return generate_latest(registry)


class _Ready:
    def __init__(self, families: list[GaugeMetricFamily]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        """Return the families."""
        return self._families


def _add(counter: Counter, tally: Tally[str]) -> None:
    for label, count in tally.items():
        counter.labels(label).inc(count)
