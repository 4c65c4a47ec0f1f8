"""Dlt645Source: polls the meters on one line and hands over one batch per meter and round.

plan --line--> frames --exchange--> payloads --identifiers--> Batch --emit--> edge/
"""

import logging
import time
from collections.abc import Callable, Sequence

from kgce.collectors.dlt645.config import Dlt645LinkConfig
from kgce.collectors.dlt645.exchange import MeterRefused, read
from kgce.collectors.dlt645.identifiers import Edition
from kgce.collectors.dlt645.meter import PolledMeter, Request, Row
from kgce.collectors.line.polled import PolledLine
from kgce.collectors.metering import metering_point
from kgce.collectors.turns import LineDown
from kgce.domain.batch import Batch
from kgce.domain.errors import DeviceUnreachable, InputError
from kgce.domain.tree import Point

LOG = logging.getLogger(__name__)


class Dlt645Source(PolledLine[PolledMeter]):
    """Polls every meter of a line at its interval, one request at a time; reads only, never writes to a meter."""

    def __init__(
        self,
        config: Dlt645LinkConfig,
        *,
        wall_clock: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare the requests; nothing is opened yet."""
        self._config = config
        super().__init__(
            "dlt645",
            config,
            [PolledMeter(device) for device in config.devices],
            timeout_s=config.timeout_s,
            pause_s=config.pause_s,
            wall_clock=wall_clock,
            clock=clock,
        )

    def points(self) -> Sequence[Point]:
        """Metering points of the meters: their forward active energy, unless configured otherwise."""
        return [
            metering_point(meter.config, name, meter.config.measurement)
            for meter in self._meters
            for name in meter.config.metered
        ]

    async def _poll(self, meter: PolledMeter) -> Batch:
        meter.refresh(self._clock())
        if meter.edition is None:
            meter.speaks(await self._edition_of(meter))
        rows: list[Row] = []
        silent: list[Request] = []
        for request in tuple(meter.requests):
            try:
                rows += await self._read(meter, request)
            except DeviceUnreachable as error:
                if not rows:
                    meter.put_last(request)
                    raise
                if isinstance(error, LineDown) or silent:
                    break  # the line or the meter went away; what it gave is kept
                silent.append(request)
                meter.put_last(request)
        meter.gave_others(silent)
        if not rows:
            meter.plan_anew()
            raise DeviceUnreachable(f"{self.name} meter {meter.config.address} refuses everything it is asked for")
        return Batch.from_rows(rows)

    async def _read(self, meter: PolledMeter, request: Request) -> list[Row]:
        """Readings of one request; what the meter refuses is left out, never zero."""
        assert meter.edition is not None
        try:
            attempts = 1 if meter.is_probed else 1 + self._config.retries
            payload = await self._payload(meter, meter.edition, request.di, attempts=attempts)
            return meter.rows(request, payload, round(self._wall_clock() * 1000))
        except (MeterRefused, InputError) as error:
            LOG.debug("%s %s: %s", self.name, meter.config.device, error)
            parts = request.wanted if len(request.wanted) > 1 else ()
            meter.refused(request)
        return [row for one in parts for row in await self._read(meter, Request(one.di, (one,)))]

    async def _payload(self, meter: PolledMeter, edition: Edition, di: str, *, attempts: int) -> bytes:
        """Ask, and ask again when an answer is missing; a meter that was long silent is asked once."""
        for left in range(attempts - 1, -1, -1):
            try:
                return await read(self._line, meter.config.address, edition, di)
            except LineDown:
                raise
            except DeviceUnreachable:
                if not left:
                    raise
        raise AssertionError("attempts is at least one")

    async def _edition_of(self, meter: PolledMeter) -> Edition:
        """Ask once in each edition; a refusal proves a meter, but data proves the edition.

        Raises:
            DeviceUnreachable: it answers to neither.
        """
        refused: list[Edition] = []
        missing: DeviceUnreachable | None = None
        for edition in Edition:
            try:
                await self._payload(meter, edition, edition.probe_di, attempts=1)
            except MeterRefused:
                refused.append(edition)
            except LineDown:
                raise
            except DeviceUnreachable as error:
                missing = error
            else:
                return edition
        if refused:
            return refused[0]
        assert missing is not None
        raise missing
