"""MbusSource: polls the meters on one bus and hands over one batch per meter and round.

Line --conversation--> Telegrams --mapping--> values --clock--> Batch --emit--> edge/
"""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Final

from kgce.collectors.line.polled import PolledLine
from kgce.collectors.mbus.config import CARRIER_OF_MEDIUM, MbusLinkConfig
from kgce.collectors.mbus.conversation import Readout, read_out
from kgce.collectors.mbus.mapping import map_telegrams
from kgce.collectors.mbus.meter import PolledMeter
from kgce.collectors.metering import metering_point
from kgce.domain.batch import Batch
from kgce.domain.tree import Point

LOG: Final = logging.getLogger(__name__)


class MbusSource(PolledLine[PolledMeter]):
    """Reads every meter of a bus at its interval, one request at a time; never writes a setting to a meter."""

    def __init__(
        self,
        config: MbusLinkConfig,
        *,
        wall_clock: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing is opened yet."""
        self._config, self._timing = config, config.timing
        super().__init__(
            "mbus",
            config,
            [PolledMeter(device) for device in config.devices],
            timeout_s=self._timing.answer_s,
            pause_s=self._timing.pause_s,
            wall_clock=wall_clock,
            clock=clock,
        )

    def points(self) -> Sequence[Point]:
        """Metering points: the counter of each meter's medium."""
        return [
            metering_point(meter.config, carrier.quantity, carrier.measurement)
            for meter in self._meters
            if (carrier := CARRIER_OF_MEDIUM[meter.config.medium]) is not None
        ]

    async def _scheduled(self, meter: PolledMeter) -> Batch:
        """Nothing while the medium's own time stands still: it is the same sample again (devices.md hazard 52)."""
        batch = await self._poll(meter)
        return batch if meter.is_new(batch) else Batch.empty()

    async def _poll(self, meter: PolledMeter) -> Batch:
        tries = 1 if meter.is_probed else 1 + self._config.retries
        readout = await read_out(self._line, meter.config.target, self._timing, tries=tries)
        meter.check_identity(readout.telegrams[0].header)
        mapped = map_telegrams(readout.telegrams, meter.config.rules, storage=meter.config.storage)
        self._tell(meter, readout, mapped.told)
        return meter.batch(mapped, round(self._wall_clock() * 1000))

    def _tell(self, meter: PolledMeter, readout: Readout, told: Sequence[str]) -> None:
        for text in meter.news((*readout.told, *told)):
            LOG.warning("%s %s: %s", self.name, meter.config.device, text)
