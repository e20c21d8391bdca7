"""What the metrics show of jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Gauge

if TYPE_CHECKING:
    from tumorscope.serve.jobs.desk import Jobs


def show_jobs(jobs: Jobs, registry: CollectorRegistry) -> None:
    """Show how many jobs are open and how many listen to them."""
    gauges = {
        "tumorscope_jobs_open": ("Jobs queued, running or received.", lambda: jobs.open),
        "tumorscope_jobs_listeners": ("Who listens to the events of jobs.", lambda: jobs.listeners),
    }
    for name, (meaning, count) in gauges.items():
        Gauge(name, meaning, registry=registry).set_function(count)
