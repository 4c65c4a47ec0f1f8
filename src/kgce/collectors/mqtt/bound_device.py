"""A configured device of a convention: what was understood becomes rows of its series; pure.

read_message.py --Understood--> BoundDevice --rows, reasons--> source.py
"""

import math
from collections.abc import Iterator

from kgce.collectors.mqtt.device_config import MqttDeviceConfig, NamedRule
from kgce.collectors.mqtt.json_number import Refused
from kgce.collectors.mqtt.mapped import Mapped, Row
from kgce.collectors.mqtt.understood import Said, Understood, canonical
from kgce.domain.batch import Quality


class BoundDevice:
    """Which fields of which series a device's values are."""

    def __init__(self, config: MqttDeviceConfig) -> None:
        """Prepare the names; the configuration is checked already."""
        self.config, self._rules = config, config.rules
        self._named: dict[str, list[tuple[str, NamedRule]]] = {}
        for field, rule in config.fields.items():
            self._named.setdefault(rule.name, []).append((field, rule))

    def read(self, understood: Understood, *, retained: bool, arrived_ms: int) -> Mapped:
        """Rows of this device alone; a message without its own time counts from its arrival, unless it was kept."""
        rows: list[Row] = []
        refused: list[str] = list(understood.refused)
        for said in understood.said:
            if said.device and said.device != self.config.id:
                continue
            for field, unit, scale in self._fields(said):
                try:
                    rows.append(self._row(said, field, unit, scale, retained=retained, arrived_ms=arrived_ms))
                except Refused as refusal:
                    refused.append(str(refusal))
        return Mapped(tuple(rows), tuple(dict.fromkeys(refused)), understood.online)

    def _row(self, said: Said, field: str, unit: str | None, scale: float, *, retained: bool, arrived_ms: int) -> Row:
        time_ms = self._time_ms(said, retained=retained, arrived_ms=arrived_ms)
        series = self.config.series(field, self.config.kind)
        if said.bad:
            return (series, time_ms, math.nan, int(Quality.BAD))
        if said.problem:
            raise Refused(f"{field} {said.problem}")
        if unit is None:
            raise Refused(f"{field} unit not said yet")
        try:
            value = canonical(said.value * scale, unit, field)
        except Refused as refusal:
            raise Refused(f"{field} {refusal}") from None
        return (series, time_ms, value, int(Quality.GOOD))

    def _time_ms(self, said: Said, *, retained: bool, arrived_ms: int) -> int:
        if said.time_ms is not None:
            return said.time_ms
        if said.time_problem:
            raise Refused(said.time_problem)
        if retained:  # it may be a day old and says so nowhere (devices.md hazard 38)
            raise Refused("retained without its own time")
        if self.config.keeps_time:
            raise Refused("time absent")
        return arrived_ms

    def _fields(self, said: Said) -> Iterator[tuple[str, str | None, float]]:
        """Field, unit and scale of each series this value belongs to."""
        if not said.quantity:
            for field, rule in self._named.get(said.name, ()):
                yield field, said.unit if rule.unit is None else rule.unit, rule.scale
            return
        known = self._field_of(said) if said.stored else None
        if known is not None and (not self.config.only or known in self.config.only):
            yield known, said.unit, 1.0

    def _field_of(self, said: Said) -> str | None:
        """The quantity, with its channel unless that is the device itself; None = another channel."""
        mine = self.config.channel
        if said.channel == "total" and mine not in {None, "total"}:
            return None
        if said.channel in {"", "total"}:
            return said.quantity
        if mine is not None:
            return said.quantity if said.channel == mine else None
        return said.quantity + self._rules.channel_suffix.format(channel=said.channel)
