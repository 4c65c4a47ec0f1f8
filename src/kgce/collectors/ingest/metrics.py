"""Metrics: a worker's counters for Prometheus, over HTTP."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from kgce.collectors.ingest.heard import Heard
from kgce.domain.errors import ConfigError

_COUNTERS = {
    "messages": "messages whose fate is known",
    "repeated": "messages whose numbers had been taken before",
    "malformed": "messages that can never be taken",
    "letters_lost": "dead letters the disk did not take",
    "stored": "readings the store did not have",
    "duplicate": "readings the store had already",
    "refused": "readings that can never be kept",
    "replaced": "readings that took the place of another value, part of stored",
    "expired": "readings older than the store keeps, part of refused",
    "events": "events of gateways",
    "groups": "appends to the store",
    "store_failures": "tries the store did not answer",
}
_GAUGES = {
    "waiting_messages": "messages taken from the broker, not yet in the store",
    "waiting_rows": "readings taken from the broker, not yet in the store",
}


class HeardCollector(Collector):
    """Counters as Prometheus wants them."""

    def __init__(self, heard: Heard, worker: str, is_listening: Callable[[], bool]) -> None:
        self._heard = heard
        self._worker = worker
        self._is_listening = is_listening

    def collect(self) -> Iterator[Metric]:
        """Every family, now."""
        for name, text in _COUNTERS.items():
            counter = CounterMetricFamily(f"kgce_ingest_{name}", text, labels=["worker"])
            counter.add_metric([self._worker], getattr(self._heard, name))
            yield counter
        for name, text in _GAUGES.items():
            gauge = GaugeMetricFamily(f"kgce_ingest_{name}", text, labels=["worker"])
            gauge.add_metric([self._worker], getattr(self._heard, name))
            yield gauge
        listening = GaugeMetricFamily("kgce_ingest_listening", "1 while the broker delivers to us", labels=["worker"])
        listening.add_metric([self._worker], float(self._is_listening()))
        yield listening
        gaps = GaugeMetricFamily(
            "kgce_ingest_gap_batches", "batches of a gateway that no worker has taken", labels=["worker", "gateway"]
        )
        missing: dict[str, int] = {}
        for gap in list(self._heard.gaps):
            missing[gap.gateway] = missing.get(gap.gateway, 0) + gap.last - gap.first + 1
        for gateway, count in missing.items():
            gaps.add_metric([self._worker, gateway], count)
        yield gaps
        online = GaugeMetricFamily(
            "kgce_ingest_gateways", "gateways by the state they told", labels=["worker", "state"]
        )
        states = list(self._heard.gateways.values())
        for state in sorted(set(states)):
            online.add_metric([self._worker, state], states.count(state))
        yield online


@contextmanager
def exposed(collector: Collector, host: str, port: int) -> Iterator[int]:
    """Serve `/metrics` meanwhile; gives the port.

    Raises:
        ConfigError: the address cannot be listened on.
    """
    registry = CollectorRegistry()
    registry.register(collector)
    try:
        server, thread = start_http_server(port, addr=host, registry=registry)
    except OSError as error:
        raise ConfigError(f"cannot listen on {host}:{port} for --metrics: {error.strerror}") from error
    assert isinstance(thread, threading.Thread)
    try:
        yield int(server.server_port)
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
