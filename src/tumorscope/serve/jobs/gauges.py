"""What the metrics show of jobs."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Gauge


def show_jobs(registry: CollectorRegistry, *, open_jobs: Callable[[], int], listeners: Callable[[], int]) -> None:
    """Show how many jobs are open and how many listen to them, as they are when somebody asks."""
    gauges = {
        "tumorscope_jobs_open": ("Jobs queued, running or received.", open_jobs),
        "tumorscope_jobs_listeners": ("Who listens to the events of jobs.", listeners),
    }
    for name, (meaning, count) in gauges.items():
        Gauge(name, meaning, registry=registry).set_function(count)
