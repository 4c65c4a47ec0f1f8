"""MqttPublisher: meters that report by themselves, each at its own interval, whether or not the broker is there."""

import asyncio
import heapq
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import aiomqtt

from kgce.simulators.devices.device import Clock, time_ms_of

log = logging.getLogger(__name__)
_FIRST_WAIT_S: Final = 0.2
_LONGEST_WAIT_S: Final = 10.0
_REPLY_TIMEOUT_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Report:
    """One meter's messages: where to, how often, and what they say at an instant."""

    topic: str
    interval_s: float
    message: Callable[[int], bytes]


class MqttPublisher:
    """Publishes with QoS 1; what falls into an outage is not sent later, the counters go on regardless."""

    def __init__(self, reports: Sequence[Report], *, host: str, port: int, client_id: str, clock: Clock) -> None:
        self._reports = tuple(reports)
        self._host = host
        self._port = port
        self._client_id = client_id
        self._clock = clock
        self._complained = False
        self.published = 0
        self.attempts = 0  # connections tried

    async def run(self) -> None:
        """Publish until cancelled; reconnect with growing pauses, say so once per outage."""
        wait_s = _FIRST_WAIT_S
        while True:
            before = self.published
            self.attempts += 1
            try:
                async with aiomqtt.Client(
                    self._host, self._port, identifier=self._client_id, timeout=_REPLY_TIMEOUT_S
                ) as client:
                    await self._publish_all(client)
            except aiomqtt.MqttError as error:
                if self.published > before:
                    wait_s = _FIRST_WAIT_S
                if not self._complained:
                    self._complained = True
                    log.warning("no broker at %s:%d (%s); will keep trying", self._host, self._port, error)
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, _LONGEST_WAIT_S)

    async def _publish_all(self, client: aiomqtt.Client) -> None:
        loop = asyncio.get_running_loop()
        due = [(loop.time(), row) for row in range(len(self._reports))]
        while True:
            at, row = due[0]
            await asyncio.sleep(max(at - loop.time(), 0))
            report = self._reports[row]
            await client.publish(report.topic, report.message(time_ms_of(self._clock)), qos=1)
            self.published += 1
            if self._complained:
                self._complained = False
                log.info("broker at %s:%d is there", self._host, self._port)
            # A late meter does not catch up with a burst; it takes the next full interval.
            missed = max(int((loop.time() - at) // report.interval_s), 0)
            heapq.heapreplace(due, (at + (missed + 1) * report.interval_s, row))
