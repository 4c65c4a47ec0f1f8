"""Simulated meters and sources for these tests."""

import math

from kgce.collectors.dlt645.config import Dlt645LinkConfig
from kgce.collectors.dlt645.source import Dlt645Source
from kgce.domain.batch import Batch

NOW_S = 1_760_000_000.0  # 2025-10-09 UTC
TRUTH = {
    "active_energy_import": 123_456.78,
    "active_energy_export": 0.26,
    "active_power_total": -1.2345,
    "voltage_l1_n": 230.3,
    "voltage_l2_n": 231.0,
    "voltage_l3_n": 229.9,
    "current_l1": 0.188,
    "current_l2": -5.001,
    "current_l3": 0.0,
    "power_factor_total": 0.987,
    "frequency": 49.98,
}


class Planted:
    """A device with fixed values."""

    def __init__(self, values: dict[str, float]) -> None:
        self.planted = values
        self.asked = 0

    def values(self, time_ms: int) -> dict[str, float]:
        self.asked += 1
        return self.planted


def clock() -> float:
    return NOW_S


def config(where: dict, devices: list[dict], **options) -> Dlt645LinkConfig:
    return Dlt645LinkConfig.model_validate(
        {
            "timeout_s": 5.0,
            "pause_s": 0.0,
            "baudrate": 115_200,
            "parity": "N",
            **where,
            **options,
            "devices": [{"institution": "office", "interval_s": 60.0, "edition": "2007", **one} for one in devices],
        }
    )


def source_for(where: dict, devices: list[dict], **options) -> Dlt645Source:
    return Dlt645Source(config(where, devices, **options), wall_clock=clock)


def values(batch: Batch) -> dict[str, float]:
    """Values by field name, of a batch without bad readings."""
    assert not batch.quality.any()
    return everything(batch)


def everything(batch: Batch) -> dict[str, float]:
    return {batch.series[row].quantity: float(value) for row, value in zip(batch.index, batch.value, strict=True)}


def bad(batch: Batch) -> set[str]:
    """Names of the readings that are not available."""
    rows = zip(batch.index, batch.value, batch.quality, strict=True)
    found = {batch.series[row].quantity for row, value, quality in rows if quality == 1}
    assert found == {name for name, value in everything(batch).items() if math.isnan(value)}
    return found
