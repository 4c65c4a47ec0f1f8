"""One polled meter: who it must be, when its values were measured, what was told about it already."""

import math
from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from kgce.collectors.mbus.config import MbusDeviceConfig
from kgce.collectors.mbus.mapping import Mapped
from kgce.collectors.mbus.rules import MEDIUM_CODES, MEDIUM_NAMES
from kgce.collectors.mbus.secondary import fits
from kgce.collectors.mbus.telegram import Header
from kgce.collectors.mbus.values import MeterTime
from kgce.collectors.turns import Turn
from kgce.domain.batch import Batch, Quality
from kgce.domain.errors import DeviceUnreachable


class PolledMeter(Turn):
    """What the source knows about one meter."""

    def __init__(self, config: MbusDeviceConfig) -> None:
        """Nothing was read yet."""
        super().__init__(config.institution, config.device, config.interval_s)
        self.config = config
        self._told: set[str] = set()
        self._newest_ms: int | None = None

    def check_identity(self, header: Header | None) -> None:
        """An exchanged or wrongly addressed meter must not continue another one's series.

        Raises:
            DeviceUnreachable: another meter answers.
        """
        if header is None:
            return
        if self.config.number is not None and not fits(self.config.number, header):
            raise DeviceUnreachable(
                f"{self.config.target}: meter number {header.identification} answers, {self.config.number[:8]} is "
                "expected; if it was exchanged, change number and give it a new device name"
            )
        if header.medium not in MEDIUM_CODES[self.config.medium]:
            medium = MEDIUM_NAMES.get(header.medium, f"medium {header.medium:02x}")
            raise DeviceUnreachable(
                f"{self.config.target}: answers as {medium}, medium = {self.config.medium!r} is expected"
            )

    def batch(self, mapped: Mapped, now_ms: int) -> Batch:
        """The values as rows, stamped with the gateway's time or the meter's.

        Raises:
            DeviceUnreachable: the meter's time is wanted, and it gives none.
        """
        time_ms = now_ms if self.config.time == "gateway" else self._meter_ms(mapped.meter_time)
        return Batch.from_rows(
            (
                self.config.series(name, self.config.measurement),
                time_ms,
                value,
                Quality.BAD if math.isnan(value) else Quality.GOOD,
            )
            for name, value in mapped.values.items()
        )

    def is_new(self, batch: Batch) -> bool:
        """Whether this is another sample than the last one; remembers it."""
        if self.config.time == "gateway" or not len(batch):
            return True
        time_ms = int(batch.time_ms[0])
        is_new, self._newest_ms = time_ms != self._newest_ms, time_ms
        return is_new

    def news(self, told: Iterable[str]) -> list[str]:
        """What was not told before."""
        found = [text for text in told if text not in self._told]
        self._told.update(found)
        return found

    def _meter_ms(self, clock: MeterTime | None) -> int:
        if clock is None:
            raise DeviceUnreachable(
                f"{self.config.target}: the answer has no valid time of the meter; check its clock or set "
                'time = "gateway"'
            )
        # in the hour that comes twice, the summer time flag says which of both
        local = datetime(
            clock.year,
            clock.month,
            clock.day,
            clock.hour,
            clock.minute,
            clock.second,
            tzinfo=ZoneInfo(self.config.timezone),
            fold=0 if clock.is_summer else 1,
        )
        return round(local.timestamp() * 1000)
