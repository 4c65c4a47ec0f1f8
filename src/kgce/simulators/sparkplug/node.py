"""EdgeNode: what a node says, in order and with its numbers; no connection, no clock.

SimulatedDevice --values--> EdgeNode --topic, bytes--> publisher.py
"""

from collections.abc import Iterable, Mapping
from typing import Final

from kgce.domain.quantities import quantity_of
from kgce.simulators.devices.device import SimulatedDevice
from kgce.simulators.sparkplug.encode import Datatype, SentMetric, payload

Sent = tuple[str, bytes]  # topic, payload
UNKNOWN_ALIAS: Final = 9_999  # no birth gives it


class EdgeNode:
    """A node with its devices; metrics are called like the quantities, in canonical units."""

    def __init__(self, group: str, node: str, devices: Mapping[str, SimulatedDevice], *, bd_seq: int = 0) -> None:
        self._group, self._node, self._devices = group, node, dict(devices)
        self._bd_seq = bd_seq  # of the next connection
        self._seq = 0
        self._alias: dict[tuple[str, str], int] = {}

    @property
    def command_topic(self) -> str:
        """Where the node takes commands."""
        return self._topic("NCMD")

    @property
    def devices(self) -> tuple[str, ...]:
        """Names of the devices."""
        return tuple(self._devices)

    def death(self, time_ms: int) -> Sent:
        """The will of the present connection, and what an orderly goodbye says."""
        return self._topic("NDEATH"), payload(time_ms, [self._bd_metric(None)], None)

    def shuffle_aliases(self) -> None:
        """Give every metric another one's alias from the next birth on: allowed, and a trap for old tables."""
        aliases = list(self._alias.values())
        self._alias = dict(zip(self._alias, [*aliases[1:], *aliases[:1]], strict=True))

    def next_connection(self) -> None:
        """The number that ties birth and will of one connection together grows by one."""
        self._bd_seq = (self._bd_seq + 1) % 256

    def births(self, time_ms: int) -> list[Sent]:
        """The node's birth, then each device's; the same bdSeq until the connection ends."""
        self._seq = 0
        control = SentMetric(False, Datatype.BOOLEAN, "Node Control/Rebirth", time_ms=time_ms)
        sent = [self._sent("NBIRTH", "", time_ms, [self._bd_metric(time_ms), control])]
        for device, simulated in self._devices.items():
            metrics = [
                SentMetric(
                    value,
                    Datatype.DOUBLE,
                    name,
                    alias=self._alias.setdefault((device, name), len(self._alias) + 1),
                    time_ms=time_ms,
                    unit=quantity_of(name).unit or None,
                )
                for name, value in simulated.values(time_ms).items()
            ]
            sent.append(self._sent("DBIRTH", device, time_ms, metrics))
        return sent

    def data(self, device: str, time_ms: int) -> Sent:
        """All values of a device, by alias alone."""
        return self._sent("DDATA", device, time_ms, self._values(device, time_ms, is_historical=False))

    def history(self, device: str, times_ms: Iterable[int], time_ms: int) -> Sent:
        """What was measured while nobody could be told."""
        metrics = [metric for past in times_ms for metric in self._values(device, past, is_historical=True)]
        return self._sent("DDATA", device, time_ms, metrics)

    def unknown_alias(self, device: str, time_ms: int) -> Sent:
        """Data under an alias that no birth gave."""
        metric = SentMetric(1.0, Datatype.DOUBLE, alias=UNKNOWN_ALIAS, time_ms=time_ms, states_kind=False)
        return self._sent("DDATA", device, time_ms, [metric])

    def device_death(self, device: str, time_ms: int) -> Sent:
        """The device is not there any more; the node is."""
        return self._sent("DDEATH", device, time_ms, [])

    def _values(self, device: str, time_ms: int, *, is_historical: bool) -> list[SentMetric]:
        return [
            SentMetric(
                value,
                Datatype.DOUBLE,
                alias=self._alias.setdefault((device, name), len(self._alias) + 1),
                time_ms=time_ms,
                states_kind=False,
                is_historical=is_historical,
            )
            for name, value in self._devices[device].values(time_ms).items()
        ]

    def _bd_metric(self, time_ms: int | None) -> SentMetric:
        return SentMetric(self._bd_seq, Datatype.INT64, "bdSeq", time_ms=time_ms)

    def _sent(self, verb: str, device: str, time_ms: int, metrics: list[SentMetric]) -> Sent:
        seq, self._seq = self._seq, (self._seq + 1) % 256
        return self._topic(verb, device), payload(time_ms, metrics, seq)

    def _topic(self, verb: str, device: str = "") -> str:
        return f"spBv1.0/{self._group}/{verb}/{self._node}" + (f"/{device}" if device else "")
