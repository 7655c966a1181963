"""What Prometheus is told about the server."""

import functools
from collections.abc import Callable, Iterable

import prometheus_client


class Metrics:
    """Counters for Prometheus: requests by model and outcome, times, batches, versions."""

    kind = prometheus_client.CONTENT_TYPE_LATEST

    def __init__(self):
        self.registry = prometheus_client.CollectorRegistry()
        common = {"registry": self.registry, "namespace": "rnnsuite"}
        self._requests = prometheus_client.Counter(
            "requests", "Requests.", ["model", "code"], **common
        )
        steps = [0.001 * 2**power for power in range(15)]
        self._seconds = prometheus_client.Histogram(
            "request_seconds", "Time of an answered request.", ["model"], buckets=steps, **common
        )
        rows = [2**power for power in range(11)]
        self._rows = prometheus_client.Histogram(
            "batch_rows", "Rows in one run.", ["model"], buckets=rows, **common
        )
        self._under_way = prometheus_client.Gauge(
            "requests_under_way", "Requests under way.", **common
        )
        self._loaded = prometheus_client.Gauge(
            "model_loaded", "1 for every version in service.", ["model", "version"], **common
        )

        self._count = functools.cache(self._requests.labels)
        self._time = functools.cache(self._seconds.labels)

    def request(self, model: str, code: str, seconds: float) -> None:
        self._count(model, code).inc()
        if code == "OK":
            self._time(model).observe(seconds)

    def batch(self, model: str) -> Callable[[int], None]:
        return self._rows.labels(model).observe

    def page(self, under_way: int, loaded: Iterable[tuple[str, int]]) -> bytes:
        self._under_way.set(under_way)
        self._loaded.clear()
        for name, version in loaded:
            self._loaded.labels(name, str(version)).set(1)
        return prometheus_client.generate_latest(self.registry)
