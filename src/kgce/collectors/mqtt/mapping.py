"""One message in, readings out: pure, no connection, no clock. Whatever does not fit is counted with a reason.

source.py --payload--> Mapping.read --rows, reasons--> source.py
"""

from dataclasses import dataclass
from typing import Any, Self

import orjson

from kgce.collectors.mqtt.config import SubscriptionConfig, TimeRule
from kgce.collectors.mqtt.json_number import Refused, number
from kgce.collectors.mqtt.json_path import Step
from kgce.collectors.mqtt.message_time import message_time_ms
from kgce.domain.batch import Quality
from kgce.domain.quantities import quantity_of
from kgce.domain.tree import Series
from kgce.domain.units import conversion

Row = tuple[Series, int, float, int]  # series, time_ms, value, quality


@dataclass(frozen=True, slots=True)
class Mapped:
    """What a message gave: readings, and why the message or single fields gave none."""

    rows: tuple[Row, ...] = ()
    refused: tuple[str, ...] = ()


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

    @classmethod
    def of(cls, config: SubscriptionConfig) -> Self:
        """Prepare the fields of a subscription."""
        fields = []
        for name, rule in config.fields.items():
            scale, offset = conversion(rule.unit, quantity_of(name).unit)
            fields.append(_Field(config.series(name, config.measurement), rule.steps, rule.scale * scale, offset))
        return cls(config.time, tuple(fields))

    def read(self, payload: bytes, *, retained: bool, arrived_ms: int) -> Mapped:
        """Readings of one message, all with its one time; nothing is raised whatever the payload."""
        try:
            document = _document(payload)
            time_ms = self._time_ms(document, retained=retained, arrived_ms=arrived_ms)
        except Refused as refusal:
            return Mapped(refused=(str(refusal),))
        rows: list[Row] = []
        refused: list[str] = []
        for one in self.fields:
            try:
                value = number(document, one.steps) * one.scale + one.offset
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


def _document(payload: bytes) -> Any:
    if not payload.strip():
        raise Refused("empty payload")
    try:
        return orjson.loads(payload)
    except orjson.JSONDecodeError:
        raise Refused("not JSON") from None
