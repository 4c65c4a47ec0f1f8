"""A configured meter, and messages for it written by the simulator's own encoder."""

from typing import Any

from kgce.collectors.sparkplug.config import SparkplugConfig, SparkplugDeviceConfig
from kgce.collectors.sparkplug.host import Heard, Host
from kgce.simulators.sparkplug.encode import Datatype, SentMetric, payload

NOW_MS = 1_790_000_000_000
METER = {
    "group": "G",
    "node": "N",
    "sparkplug_device": "D",
    "institution": "office",
    "device": "meter",
    "measurement": "electricity",
    "metrics": {
        "Energy": {"quantity": "active_energy_import", "unit": "Wh"},
        "Power": {"quantity": "active_power", "unit": "W"},
    },
    "metering": "active_energy_import",
}


def device(**changes: Any) -> SparkplugDeviceConfig:
    return SparkplugDeviceConfig.model_validate({**METER, **changes})


def config(*devices: dict[str, Any], **fields: Any) -> SparkplugConfig:
    base = {"host": "127.0.0.1", "client_id": "kgce-test", "host_id": "kgce", "devices": devices or (METER,)}
    return SparkplugConfig.model_validate({**base, **fields})


def metric(value: Any, name: str | None = None, kind: Datatype = Datatype.DOUBLE, **fields: Any) -> SentMetric:
    return SentMetric(value, kind, name, **{"time_ms": NOW_MS, **fields})


def bd(number: int) -> SentMetric:
    return SentMetric(number, Datatype.INT64, "bdSeq")


def nbirth(*, bd_seq: int = 0, seq: int = 0, at_ms: int = NOW_MS) -> tuple[str, bytes]:
    return "spBv1.0/G/NBIRTH/N", payload(at_ms, [bd(bd_seq)], seq)


def ndeath(*, bd_seq: int = 0, at_ms: int = NOW_MS) -> tuple[str, bytes]:
    return "spBv1.0/G/NDEATH/N", payload(at_ms, [bd(bd_seq)], None)


def dbirth(*metrics: SentMetric, seq: int = 1, at_ms: int = NOW_MS) -> tuple[str, bytes]:
    declared = metrics or (metric(1000.0, "Energy", alias=1), metric(5.0, "Power", alias=2))
    return "spBv1.0/G/DBIRTH/N/D", payload(at_ms, declared, seq)


def ddata(*metrics: SentMetric, seq: int | None, at_ms: int = NOW_MS) -> tuple[str, bytes]:
    return "spBv1.0/G/DDATA/N/D", payload(at_ms, metrics, seq)


def ddeath(*, seq: int) -> tuple[str, bytes]:
    return "spBv1.0/G/DDEATH/N/D", payload(NOW_MS, [], seq)


def power(watts: float, **fields: Any) -> SentMetric:
    """Data by alias alone, as data usually come."""
    return metric(watts, alias=2, states_kind=False, **fields)


class Listener:
    """A host with a clock of its own."""

    def __init__(self, *devices: dict[str, Any], **fields: Any) -> None:
        self.host = Host(config(*devices, **fields))
        self.now_s = 100.0
        self.rows: list[tuple[str, int, float, int]] = []
        self.rebirths = 0

    def hear(self, *messages: tuple[str, bytes], retained: bool = False) -> "Listener":
        for topic, data in messages:
            self._note(self.host.hear(topic, data, retained=retained, now_s=self.now_s, now_ms=NOW_MS))
        return self

    def wait(self, seconds: float) -> "Listener":
        self.now_s += seconds
        self._note(self.host.tick(self.now_s, NOW_MS))
        return self

    def _note(self, heard: Heard) -> None:
        self.rows += [(series.quantity, time_ms, value, quality) for series, time_ms, value, quality in heard.rows]
        self.rebirths += len(heard.rebirths)

    @property
    def powers(self) -> list[float]:
        """Readings of the power, in canonical kW."""
        return [value for quantity, _, value, _ in self.rows if quantity == "active_power"]

    @property
    def online(self) -> bool:
        return self.host.status("")[0].online


def born(**fields: Any) -> Listener:
    """A host that has heard the births and forgotten their values."""
    listener = Listener(**fields).hear(nbirth(), dbirth())
    listener.rows.clear()
    return listener
