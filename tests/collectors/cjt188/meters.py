"""Simulated meters and sources for these tests."""

from kgce.collectors.cjt188.config import Cjt188LinkConfig
from kgce.collectors.cjt188.source import Cjt188Source

NOW_S = 1_760_000_000.0  # 2025-10-09 UTC
ADDRESS = "78331505104145"
HEAT_TRUTH = {
    "heat_power": 123.45,
    "water_flow": 1.2345,
    "water_volume": 6789.01,
    "supply_temperature": 65.43,
    "return_temperature": 43.21,
    "operating_hours": 12_345.0,
}


class Planted:
    """A device with fixed values."""

    def __init__(self, values: dict[str, float]) -> None:
        self.planted = values

    def values(self, time_ms: int) -> dict[str, float]:
        return self.planted


def clock() -> float:
    return NOW_S


def source_for(where: dict, devices: list[dict], **options) -> Cjt188Source:
    config = Cjt188LinkConfig.model_validate(
        {"timeout_s": 5.0, "pause_s": 0.0, "baudrate": 115_200, "parity": "N", **where, **options}
        | {"devices": [{"institution": "office", "interval_s": 60.0, "di_order": "901F", **one} for one in devices]}
    )
    return Cjt188Source(config, wall_clock=clock)
