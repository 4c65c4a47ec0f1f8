"""Refusals: rows no store can keep, each under the first rule it breaks; told once an hour for each device."""

from collections.abc import Callable
from typing import Final

import numpy as np

from kgce.domain.batch import Batch, BoolArray
from kgce.domain.events import Event, Severity

# Clocks that lost their battery report 1970 or 2000s epochs; 1980-01-01 is where the oldest device epoch (GPS) starts.
EARLIEST_MS: Final = 315_532_800_000  # 1980-01-01T00:00:00Z
END_MS: Final = 7_258_118_400_000  # 2200-01-01T00:00:00Z
_TELL_AGAIN_MS: Final = 3_600_000  # a device that goes on sending nonsense is told once an hour


class Refusals:
    """Which rows go no further."""

    def __init__(self, unnameable: Callable[[Batch], BoolArray], *, future_limit_s: float) -> None:
        self._unnameable = unnameable
        self._future_limit_ms = int(future_limit_s * 1000)
        self._told: dict[tuple[str, tuple[str, str]], int] = {}

    def judge(self, batch: Batch, now_ms: int, *, is_sure: bool) -> tuple[BoolArray, dict[str, int], list[Event]]:
        """(m,) rows that can be kept, how many cannot by reason, and what is worth telling."""
        broken: dict[str, BoolArray] = {
            "series.unnameable": self._unnameable(batch) if len(batch) else np.zeros(0, np.bool_),
            "value.infinite": np.isinf(batch.value),
            "time.impossible": (batch.time_ms < EARLIEST_MS) | (batch.time_ms >= END_MS),
        }
        if is_sure:
            broken["time.future"] = batch.time_ms > now_ms + self._future_limit_ms
        kept = np.ones(len(batch), np.bool_)
        reasons: dict[str, int] = {}
        events: list[Event] = []
        for reason, rows in broken.items():
            refused = rows & kept
            reasons[reason] = int(refused.sum())
            kept &= ~rows
            if reasons[reason] and reason != "series.unnameable":
                events += self._tell(batch.select(refused), reason, now_ms)
        return kept, reasons, events

    def _tell(self, refused: Batch, reason: str, now_ms: int) -> list[Event]:
        devices: dict[tuple[str, str], int] = {}
        for row, position in enumerate(refused.index.tolist()):
            devices.setdefault((refused.series[position].institution, refused.series[position].device), row)
        found: list[Event] = []
        for device, row in devices.items():
            if now_ms - self._told.get((reason, device), -_TELL_AGAIN_MS) < _TELL_AGAIN_MS:
                continue
            self._told[reason, device] = now_ms
            series = refused.series[refused.index[row]]
            evidence = {
                "quantity": series.quantity, "device_ms": int(refused.time_ms[row]), "value": repr(refused.value[row])
            }  # fmt: skip
            text = (
                f"{'/'.join(device)}: {series.quantity} is refused ({reason}); look at the device's clock and profile"
            )
            found.append(Event(f"reading.{reason}", now_ms, "/".join(device), Severity.WARNING, text, evidence))
        return found
