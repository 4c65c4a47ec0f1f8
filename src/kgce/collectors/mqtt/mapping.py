"""One message in, readings out: pure, no connection, no clock. Whatever does not fit is counted with a reason.

source.py --payload--> Mapping.read --rows, reasons--> source.py
"""

import math
from dataclasses import dataclass
from typing import Any, Self

from kgce.collectors.mqtt.document import document_of
from kgce.collectors.mqtt.json_number import Refused, find, number
from kgce.collectors.mqtt.json_path import Step, parse_path
from kgce.collectors.mqtt.mapped import Mapped, Row
from kgce.collectors.mqtt.message_time import message_time_ms
from kgce.collectors.mqtt.subscription import SubscriptionConfig, TimeRule
from kgce.domain.batch import Quality
from kgce.domain.quantities import quantity_of
from kgce.domain.tree import Series
from kgce.domain.units import conversion


@dataclass(frozen=True, slots=True)
class _Field:
    series: Series
    steps: tuple[Step, ...]
    scale: float  # to the canonical unit, the rule's own scale included
    offset: float


@dataclass(frozen=True, slots=True)
class Mapping:
    """What the messages of one subscription mean."""

    time: TimeRule | None
    fields: tuple[_Field, ...]
    samples: tuple[Step, ...] | None = None

    @classmethod
    def of(cls, config: SubscriptionConfig) -> Self:
        """Prepare the fields of a subscription."""
        fields = []
        for name, rule in config.fields.items():
            scale, offset = conversion(rule.unit, quantity_of(name).unit)
            fields.append(_Field(config.series(name, config.measurement), rule.steps, rule.scale * scale, offset))
        return cls(config.time, tuple(fields), None if config.samples is None else parse_path(config.samples))

    def read(self, payload: bytes, *, retained: bool, arrived_ms: int) -> Mapped:
        """Readings of one message, all with its one time; nothing is raised whatever the payload."""
        try:
            document = document_of(payload)
            if self.samples is None:
                return self._sample(document, retained=retained, arrived_ms=arrived_ms)
            found = _array(find(document, self.samples))
        except Refused as refusal:
            return Mapped(refused=(str(refusal),))
        every = [self._sample(one, retained=retained, arrived_ms=arrived_ms) for one in found]
        return Mapped(
            tuple(row for one in every for row in one.rows), tuple(why for one in every for why in one.refused)
        )

    def _sample(self, document: Any, *, retained: bool, arrived_ms: int) -> Mapped:
        """Readings of one sample; one bad field does not lose the others."""
        try:
            time_ms = self._time_ms(document, retained=retained, arrived_ms=arrived_ms)
        except Refused as refusal:
            return Mapped(refused=(str(refusal),))
        rows: list[Row] = []
        refused: list[str] = []
        for one in self.fields:
            try:
                value = _finite(number(document, one.steps) * one.scale + one.offset)
            except Refused as refusal:
                refused.append(f"{one.series.quantity} {refusal}")
            else:
                rows.append((one.series, time_ms, value, int(Quality.GOOD)))
        return Mapped(tuple(rows), tuple(refused))

    def _time_ms(self, document: Any, *, retained: bool, arrived_ms: int) -> int:
        if self.time is not None:
            return message_time_ms(document, self.time)
        if retained:  # it may be a day old and says so nowhere (devices.md hazard 38)
            raise Refused("retained without its own time")
        return arrived_ms


def _array(found: Any) -> list[Any]:
    if not isinstance(found, list):
        raise Refused("samples not an array")
    return found


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise Refused("not finite")
    return value
