"""What a server tells of itself: Prometheus metrics, and one log line a request without anything that a client said."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from time import perf_counter

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from tumorscope.findings import Finding

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
BATCHES = (1, 2, 4, 8, 12, 16)
PROBES = ("/healthz", "/readyz", "/metrics")
"""Routes that something asks every few seconds; they are counted and not logged."""
MEDIA_TYPE = CONTENT_TYPE_LATEST
log = logging.getLogger("tumorscope.serve.access")


class Telemetry:
    """The metrics of one app, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "tumorscope_requests", "Requests answered.", ("method", "route", "status"), registry=self.registry
        )
        self._seconds = Histogram(
            "tumorscope_request_seconds", "Seconds from a request's head to the end of its answer.", ("route",),
            buckets=SECONDS, registry=self.registry,
        )  # fmt: skip
        self._refused = Counter("tumorscope_refused", "Requests refused.", ("problem",), registry=self.registry)
        self._pictures = Counter("tumorscope_findings", "Findings made.", ("status",), registry=self.registry)
        self._batches = Histogram(
            "tumorscope_batch_files", "Files that shared a batch.", buckets=BATCHES, registry=self.registry
        )

    def watch(self, *, waiting: Callable[[], float], inside: Callable[[], float]) -> None:
        """Show how many files wait and how many requests are received or worked on."""
        Gauge("tumorscope_queue_files", "Files that wait for the model.", registry=self.registry).set_function(waiting)
        Gauge("tumorscope_requests_inside", "Requests received or worked on.", registry=self.registry).set_function(
            inside
        )

    def watch_jobs(self, *, open_jobs: Callable[[], int], listeners: Callable[[], int]) -> None:
        """Show how many jobs are open and how many listen to them, as they are when somebody asks."""
        gauges = {
            "tumorscope_jobs_open": ("Jobs queued, running or received.", open_jobs),
            "tumorscope_jobs_listeners": ("Who listens to the events of jobs.", listeners),
        }
        for name, (meaning, count) in gauges.items():
            Gauge(name, meaning, registry=self.registry).set_function(count)

    def count_batch(self, files: int) -> None:
        """Count a batch; called in the threads of the engine."""
        self._batches.observe(files)

    def count_findings(self, findings: Iterable[Finding]) -> None:
        """Count findings by their status."""
        for finding in findings:
            self._pictures.labels(finding.status).inc()

    def count_refusal(self, problem: str) -> None:
        """Count a request that was refused."""
        self._refused.labels(problem).inc()

    def count_request(self, method: str, route: str, status: int, start: float) -> None:
        """Count a request and log it: only words of ours, so no name or identity can be in it."""
        seconds = perf_counter() - start
        self._requests.labels(method, route, status).inc()
        self._seconds.labels(route).observe(seconds)
        level = logging.DEBUG if route in PROBES else logging.INFO
        log.log(level, "%s %s %d %.1f ms", method, route, status, seconds * 1000)

    def text(self) -> bytes:
        """Return the metrics as Prometheus reads them."""
        return generate_latest(self.registry)
