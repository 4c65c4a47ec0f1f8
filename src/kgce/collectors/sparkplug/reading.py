"""Samples of a session as readings of configured devices: units, times, what is no reading and why.

session.py --Sample--> Readings.of --Row, or Refused--> source.py
"""

import math
from dataclasses import dataclass
from typing import Final

from kgce.collectors.sparkplug.config import MetricRule, SparkplugDeviceConfig
from kgce.collectors.sparkplug.datatype import DatatypeError, typed_value
from kgce.collectors.sparkplug.session import Sample
from kgce.domain.batch import Quality
from kgce.domain.errors import InputError
from kgce.domain.quantities import quantity_of
from kgce.domain.tree import Series
from kgce.domain.units import conversion

Row = tuple[Series, int, float, int]  # series, time_ms, value, quality

QUALITY_BAD: Final = 0  # property Quality, as in the specification
QUALITY_STALE: Final = 500
_PLAUSIBLE_MS: Final = range(315_532_800_000, 4_102_444_800_000)  # 1980 to 2100; outside, a clock is not set


class Refused(ValueError):
    """The sample is no reading; the text is the reason it is counted under."""


@dataclass(frozen=True, slots=True)
class _Target:
    rule: MetricRule
    series: Series
    unit: str  # canonical


class Readings:
    """The metrics of one device that are configured; the others are none of our business."""

    def __init__(self, config: SparkplugDeviceConfig, *, birth_max_age_s: float) -> None:
        """Prepare the series."""
        self._birth_max_age_ms = round(birth_max_age_s * 1000)
        self._targets = {
            name: _Target(rule, config.series(rule.quantity, config.measurement), quantity_of(rule.quantity).unit)
            for name, rule in config.metrics.items()
        }

    def of(self, sample: Sample, *, arrived_ms: int) -> Row | None:
        """The reading in a sample; None where its metric is not configured.

        Raises:
            Refused: it is no reading.
        """
        target = self._targets.get(sample.declared.name)
        if target is None:
            return None
        name, metric = target.rule.quantity, sample.metric
        if metric.is_transient:
            raise Refused(f"{name} transient: not to be stored")
        if metric.quality == QUALITY_STALE:
            raise Refused(f"{name} stale")
        time_ms = self._time_ms(name, sample, arrived_ms)
        try:
            value = math.nan if metric.is_null or metric.quality == QUALITY_BAD else _number(sample)
            scale, offset = conversion(_unit(target, sample), target.unit)
        except DatatypeError as error:
            raise Refused(f"{name} {error}") from None
        except InputError:
            raise Refused(f"{name} in a unit that is unknown or measures something else") from None
        if not math.isfinite(value):
            return target.series, time_ms, math.nan, int(Quality.BAD)
        return target.series, time_ms, value * target.rule.scale * scale + offset, int(Quality.GOOD)

    def _time_ms(self, name: str, sample: Sample, arrived_ms: int) -> int:
        time_ms = sample.metric.timestamp
        if time_ms is None and not sample.from_birth and not sample.metric.is_historical:
            time_ms = sample.sent_ms  # a data message reports what has just changed
        if time_ms is None:
            raise Refused(f"{name} without its own time")
        if time_ms not in _PLAUSIBLE_MS:
            raise Refused(f"{name} time implausible")
        if sample.from_birth and arrived_ms - time_ms > self._birth_max_age_ms:
            raise Refused(f"{name} in the birth is old")
        return time_ms


def _number(sample: Sample) -> float:
    value = typed_value(sample.metric, sample.declared.datatype)
    if not isinstance(value, int | float):
        raise DatatypeError("is no number")
    return float(value)


def _unit(target: _Target, sample: Sample) -> str:
    if target.rule.unit is not None:
        return target.rule.unit
    if sample.declared.unit is None and target.unit:
        raise DatatypeError("without a unit: neither the configuration nor the birth states one")
    return sample.declared.unit or ""
