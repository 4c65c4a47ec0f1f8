"""MqttSource: subscribes to a broker and acknowledges a message only after its readings are durable.

broker --message--> Mapping --rows--> Batch --emit, then acknowledge--> edge/
"""

import asyncio
import logging
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import aiomqtt

from kgce.collectors.metering import metering_point
from kgce.collectors.mqtt.config import MqttConfig
from kgce.collectors.mqtt.heard import Heard
from kgce.collectors.mqtt.link import BrokerState, acknowledge, new_client, subscribe
from kgce.collectors.mqtt.mapping import Mapping as MessageMapping
from kgce.collectors.mqtt.mapping import Row
from kgce.domain.batch import Batch
from kgce.domain.ports import DeviceStatus, Emit
from kgce.domain.tree import Point

LOG = logging.getLogger(__name__)

FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 30.0
STEADY_AFTER_S: Final = 30.0  # a shorter connection keeps the pause growing: two clients may share one id
MOST_AT_ONCE: Final = 500  # messages in one batch


class MqttSource:
    """Readings of every subscription on one broker."""

    repeats_unacknowledged = True  # what could not be kept comes again: the gateway need not drop it on a full disk

    def __init__(
        self,
        config: MqttConfig,
        *,
        wall_clock: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare the mappings; nothing is opened yet."""
        self._config, self._wall_clock, self._clock = config, wall_clock, clock
        self._heard = {
            (topic.institution, topic.device): Heard(topic.institution, topic.device, config.silent_after_s)
            for topic in config.subscriptions
        }
        self._topics: dict[str, list[tuple[MessageMapping, Heard]]] = {}
        for topic in config.subscriptions:
            entry = (MessageMapping.of(topic), self._heard[topic.institution, topic.device])
            self._topics.setdefault(topic.topic, []).append(entry)
        self._refused: Counter[str] = Counter()
        self._broker = BrokerState(self.name)

    @property
    def name(self) -> str:
        """The broker's address."""
        return f"mqtt {self._config.host}:{self._config.port}"

    @property
    def refused(self) -> Mapping[str, int]:
        """How many messages or fields gave no reading, by reason."""
        return dict(self._refused)

    def points(self) -> Sequence[Point]:
        """Metering points of the subscriptions that name one."""
        return [
            metering_point(topic, topic.metering, topic.measurement)
            for topic in self._config.subscriptions
            if topic.metering is not None
        ]

    def status(self) -> Sequence[DeviceStatus]:
        """State of every device heard through this broker."""
        now_ms = self._now_ms()
        return [
            heard.status(now_ms, broker_since_ms=self._broker.since_ms, broker_error=self._broker.error)
            for heard in self._heard.values()
        ]

    async def run(self, emit: Emit) -> None:
        """Listen until cancelled; a lost broker is asked again and again, with growing pauses."""
        pause_s = FIRST_PAUSE_S
        while True:
            began = self._clock()
            try:
                await self._listen(emit)
            except aiomqtt.MqttError as error:
                self._broker.lost(str(error), self._now_ms())
            finally:
                self._broker.left(self._now_ms())
            if self._clock() - began > STEADY_AFTER_S:
                pause_s = FIRST_PAUSE_S
            await asyncio.sleep(pause_s * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, no secret
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    async def _listen(self, emit: Emit) -> None:
        async with new_client(self._config) as client:
            for topic, entries in self._topics.items():
                if not await subscribe(client, topic, self._qos(topic)):
                    LOG.error("%s refuses the topic %s", self.name, topic)
                    for _, heard in entries:
                        heard.not_subscribed(f"the broker refuses the topic {topic}")
            self._broker.connected(self._now_ms())
            while True:
                await self._take(client, emit)

    def _qos(self, topic: str) -> int:
        """1 where messages state their time; else 0, for a broker would deliver what it kept as if it were new."""
        return int(all(mapping.time is not None for mapping, _ in self._topics[topic]))

    async def _take(self, client: aiomqtt.Client, emit: Emit) -> None:
        """Everything that waits, as one batch; acknowledged once the batch is durable."""
        taken = [await anext(client.messages)]
        while len(client.messages) and len(taken) < MOST_AT_ONCE:
            taken.append(await anext(client.messages))
        batch = Batch.from_rows([row for message in taken for row in self._read(message)])
        if len(batch):
            await emit(batch)
        for message in taken:
            acknowledge(client, message)
        for topic in {message.topic.value for message in taken} - self._topics.keys():
            await client.unsubscribe(topic)  # left over in the session from an older configuration

    def _read(self, message: aiomqtt.Message) -> list[Row]:
        """Readings of one message; what cannot be read is counted, and acknowledged all the same."""
        entries = self._topics.get(message.topic.value)
        if entries is None:
            self._refused["topic not configured"] += 1
            return []
        now_ms = self._now_ms()
        rows: list[Row] = []
        for mapping, heard in entries:
            found = mapping.read(message.payload, retained=message.retain, arrived_ms=now_ms)
            self._refused.update(found.refused)
            heard.message(now_ms, refused=found.refused, has_rows=bool(found.rows))
            rows += found.rows
        return rows

    def _now_ms(self) -> int:
        return round(self._wall_clock() * 1000)
