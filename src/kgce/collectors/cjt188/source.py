"""Cjt188Source: polls the meters on one line and hands over one batch per meter and round.

meter --line--> frame --exchange--> payload --values--> Batch --emit--> edge/
"""

import logging
import time
from collections.abc import Callable, Iterator, Sequence

from kgce.collectors.cjt188.config import STATUS, Cjt188DeviceConfig, Cjt188LinkConfig
from kgce.collectors.cjt188.exchange import Answer, DiOrder, MeterRefused, read
from kgce.collectors.cjt188.layouts import UNVERIFIED
from kgce.collectors.cjt188.values import Reading, decode
from kgce.collectors.line.polled import PolledLine
from kgce.collectors.metering import metering_point
from kgce.collectors.turns import LineDown, Turn
from kgce.domain.batch import Batch, Quality
from kgce.domain.errors import DeviceUnreachable, InputError
from kgce.domain.tree import Point, Series

LOG = logging.getLogger(__name__)

Row = tuple[Series, int, float, int]


class PolledMeter(Turn):
    """What the source knows about one meter."""

    def __init__(self, config: Cjt188DeviceConfig) -> None:
        """Nothing was asked yet."""
        super().__init__(config.institution, config.device, config.interval_s)
        self.config = config
        self.order = config.known_order
        self._told: set[str] = set()

    def rows(self, reading: Reading, time_ms: int) -> Iterator[Row]:
        """Wanted values in canonical units; what is not available is NaN and BAD."""
        found = {reading.quantity(value): value for value in reading.values}
        for name in self.config.wanted:
            if name == STATUS:
                yield self._row(name, float(int.from_bytes(reading.status, "little")), time_ms)
            elif name in found:
                yield self._row(name, reading.canonical(found[name]), time_ms)
                self._tell_once(name, is_verified=found[name].is_verified)

    def _row(self, name: str, value: float | None, time_ms: int) -> Row:
        series = self.config.series(name, self.config.kind.measurement)
        return (series, time_ms, *((float("nan"), Quality.BAD) if value is None else (value, Quality.GOOD)))

    def _tell_once(self, name: str, *, is_verified: bool) -> None:
        if name in self._told or (is_verified and self.config.kind.confidence != UNVERIFIED):
            return
        self._told.add(name)
        LOG.warning(
            "%s: %s of a CJ/T 188 %s meter is unverified: compare it with the display once",
            self.config.device, name, self.config.kind.title,
        )  # fmt: skip


class Cjt188Source(PolledLine[PolledMeter]):
    """Polls every meter of a line at its interval, one request at a time; reads only, never writes to a meter."""

    def __init__(
        self,
        config: Cjt188LinkConfig,
        *,
        wall_clock: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare the meters; nothing is opened yet."""
        self._config = config
        super().__init__(
            "cjt188",
            config,
            [PolledMeter(device) for device in config.devices],
            timeout_s=config.timeout_s,
            pause_s=config.pause_s,
            wall_clock=wall_clock,
            clock=clock,
        )

    def points(self) -> Sequence[Point]:
        """Metering points of the meters: what each one counts."""
        return [
            metering_point(meter.config, meter.config.metered, meter.config.kind.measurement)
            for meter in self._meters
            if meter.config.metered is not None
        ]

    async def _poll(self, meter: PolledMeter) -> Batch:
        """One answer; the order of the identifier's bytes that was answered is kept for the next rounds."""
        orders = list(DiOrder) if meter.order is None else [meter.order]
        missing: DeviceUnreachable | None = None
        for order in orders:
            try:
                answer = await self._answer(meter, order)
            except LineDown:
                raise
            except (DeviceUnreachable, MeterRefused) as error:
                missing = DeviceUnreachable(str(error))
            else:
                meter.order = order
                return self._batch(meter, answer)
        assert missing is not None
        raise missing

    def _batch(self, meter: PolledMeter, answer: Answer) -> Batch:
        try:
            reading = decode(answer.meter_type, answer.payload)
        except InputError as error:
            raise DeviceUnreachable(f"{self.name} meter {answer.address}: {error}") from error
        return Batch.from_rows(meter.rows(reading, round(self._wall_clock() * 1000)))

    async def _answer(self, meter: PolledMeter, order: DiOrder) -> Answer:
        """Ask, and ask again when an answer is missing; a meter that was long silent is asked once."""
        attempts = 1 if meter.is_probed else 1 + self._config.retries
        for left in range(attempts - 1, -1, -1):
            try:
                return await read(self._line, meter.config.type_code, meter.config.address, order)
            except LineDown:
                raise
            except DeviceUnreachable:
                if not left:
                    raise
        raise AssertionError("attempts is at least one")
