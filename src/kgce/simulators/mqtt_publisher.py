"""MqttPublisher: meters that report by themselves, each at its own interval, whether or not the broker is there."""

import asyncio
import heapq
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import aiomqtt

from kgce.simulators.devices.device import Clock, time_ms_of

log = logging.getLogger(__name__)
_FIRST_WAIT_S: Final = 0.2
_LONGEST_WAIT_S: Final = 10.0
_REPLY_TIMEOUT_S: Final = 5.0


Sent = tuple[str, bytes, bool]  # topic, payload, retain


class Reporting(Protocol):
    """What a publisher sends for one device, and how often."""

    @property
    def interval_s(self) -> float:
        """Seconds between rounds."""
        ...

    def messages(self, time_ms: int) -> Sequence[Sent]:
        """The messages of one round; none when the device is silent."""
        ...


@dataclass(frozen=True, slots=True)
class Report:
    """One meter's messages: where to, how often, and what they say at an instant (None: nothing)."""

    topic: str
    interval_s: float
    message: Callable[[int], bytes | None]

    def messages(self, time_ms: int) -> Sequence[Sent]:
        """The one message."""
        said = self.message(time_ms)
        return [] if said is None else [(self.topic, said, False)]


@dataclass(frozen=True, slots=True)
class ManyTopics:
    """One device that spreads a round over several topics, some of them retained."""

    interval_s: float
    build: Callable[[int], Sequence[Sent]]

    def messages(self, time_ms: int) -> Sequence[Sent]:
        """The round."""
        return self.build(time_ms)


class MqttPublisher:
    """Publishes with QoS 1; what falls into an outage is not sent later, the counters go on regardless."""

    def __init__(self, reports: Sequence[Reporting], *, host: str, port: int, client_id: str, clock: Clock) -> None:
        self._reports = tuple(reports)
        self._host = host
        self._port = port
        self._client_id = client_id
        self._clock = clock
        self._complained = False
        self.published = 0
        self.attempts = 0  # connections tried
        self._drop = asyncio.Event()

    def drop_connection(self) -> None:
        """Leave the broker and come back at once, in the middle of whatever goes on."""
        self._drop.set()

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
                continue  # dropped on purpose
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
            if await self._dropped_before(at - loop.time()):
                return
            report = self._reports[row]
            for topic, payload, retain in report.messages(time_ms_of(self._clock)):
                await client.publish(topic, payload, qos=1, retain=retain)
                self.published += 1
            if self._complained:
                self._complained = False
                log.info("broker at %s:%d is there", self._host, self._port)
            # A late meter does not catch up with a burst; it takes the next full interval.
            missed = max(int((loop.time() - at) // report.interval_s), 0)
            heapq.heapreplace(due, (at + (missed + 1) * report.interval_s, row))

    async def _dropped_before(self, wait_s: float) -> bool:
        """Wait; True when the connection must end meanwhile."""
        try:
            async with asyncio.timeout(max(wait_s, 0)):
                await self._drop.wait()
        except TimeoutError:
            return False
        self._drop.clear()
        return True
