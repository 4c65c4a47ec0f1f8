"""Snapshot: the newest reading of every series, for the page and for control."""

import threading
from dataclasses import dataclass
from typing import Any, Final

from kgce.domain.batch import Batch, Quality
from kgce.domain.errors import InputError
from kgce.domain.ports import SeriesKey
from kgce.domain.quantities import quantity_of

_MOST: Final = 20_000  # series; a source that invents names must not fill the memory


@dataclass(frozen=True, slots=True)
class Live:
    """One reading."""

    time_ms: int
    value: float
    quality: int


class Snapshot:
    """Fed by the intake; safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._newest: dict[SeriesKey, Live] = {}

    def saw(self, batch: Batch) -> None:
        """A batch is durable; an older reading never takes the place of a newer one."""
        rows = zip(
            batch.index.tolist(), batch.time_ms.tolist(), batch.value.tolist(), batch.quality.tolist(), strict=True
        )
        with self._lock:
            for position, time_ms, value, quality in rows:
                key = batch.series[position].key
                known = self._newest.get(key)
                if known is None and len(self._newest) >= _MOST:
                    continue
                if known is None or time_ms >= known.time_ms:
                    self._newest[key] = Live(time_ms, value, quality)

    def newest(self, key: SeriesKey) -> Live | None:
        """The newest reading of a series."""
        with self._lock:
            return self._newest.get(key)

    def rows(self) -> list[dict[str, Any]]:
        """Every series with its newest reading, by name; a value that is none is null."""
        with self._lock:
            found = sorted(self._newest.items())
        return [
            {
                "institution": institution,
                "device": device,
                "quantity": field,
                "unit": _unit(field),
                "time_ms": live.time_ms,
                "value": live.value if live.value == live.value else None,
                "quality": live.quality,
                "marks": [bit.name for bit in Quality if bit and live.quality & bit],
            }
            for (institution, device, field), live in found
        ]


def _unit(field: str) -> str:
    try:
        return quantity_of(field).unit
    except InputError:
        return ""
