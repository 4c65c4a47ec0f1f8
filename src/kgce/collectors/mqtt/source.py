"""MqttSource: subscribes to a broker and acknowledges a message only after its readings are durable.

broker --message--> Listening --rows--> Batch --emit, then acknowledge--> edge/
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import aiomqtt

from kgce.collectors.cancelled import heed_cancellation
from kgce.collectors.metering import metering_point
from kgce.collectors.mqtt.config import MqttConfig
from kgce.collectors.mqtt.heard import Heard
from kgce.collectors.mqtt.link import BrokerState, acknowledge, new_client, reason_of, subscribe
from kgce.collectors.mqtt.listening import Listening, Wanted, left_over_filters
from kgce.collectors.mqtt.mapped import Row
from kgce.collectors.mqtt.pauses import FIRST_PAUSE_S, Pauses
from kgce.collectors.mqtt.repeats import Repeats
from kgce.collectors.mqtt.tls import explained, tls_context
from kgce.domain.batch import Batch
from kgce.domain.ports import DeviceStatus, Emit
from kgce.domain.tree import Point

LOG = logging.getLogger(__name__)

MOST_AT_ONCE: Final = 500  # messages in one batch
MOST_STRANGERS: Final = 1000  # names remembered


class MqttSource:
    """Readings of every device and topic on one broker; it listens and publishes nothing, so it commands nobody."""

    repeats_unacknowledged = True  # what could not be kept comes again: the gateway need not drop it on a full disk

    def __init__(
        self,
        config: MqttConfig,
        *,
        wall_clock: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
        first_pause_s: float = FIRST_PAUSE_S,
    ) -> None:
        """Prepare the mappings and read the certificates; nothing is opened yet."""
        self._config, self._wall_clock, self._clock = config, wall_clock, clock
        self._heard = {
            (one.institution, one.device): Heard(one.institution, one.device, config.silent_after_s)
            for one in (*config.subscriptions, *config.devices)
        }
        self._listening = Listening(config)
        self._tls = tls_context(config)
        self._repeats = Repeats(clock)
        self._refused: Counter[str] = Counter()
        self._strangers: dict[str, None] = {}
        self._broker = BrokerState(self.name)
        self._pauses = Pauses(first_pause_s)
        self._connected_at: float | None = None

    @property
    def name(self) -> str:
        """The broker's address."""
        return f"mqtt {self._config.host}:{self._config.port}"

    @property
    def refused(self) -> Mapping[str, int]:
        """How many messages or fields gave no reading, by reason."""
        return dict(self._refused)

    @property
    def unknown_devices(self) -> Sequence[str]:
        """Devices that spoke and stand in no file, in the order they were first heard."""
        return tuple(self._strangers)

    def points(self) -> Sequence[Point]:
        """Metering points of the topics and devices that name one."""
        topics = [(one, one.metering, one.measurement) for one in self._config.subscriptions]
        devices = [(one, one.metering, one.kind) for one in self._config.devices]
        return [
            metering_point(place, metering, measurement)
            for place, metering, measurement in (*topics, *devices)
            if metering is not None
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
        while True:
            self._connected_at = None
            try:
                await self._listen(emit)
            except aiomqtt.MqttError as error:
                self._ended(error)
            finally:
                self._broker.left(self._now_ms())
            heed_cancellation()
            await asyncio.sleep(self._pauses.next_s())

    def _ended(self, error: aiomqtt.MqttError) -> None:
        text, reason = reason_of(error)
        was_loop = self._pauses.is_loop
        self._pauses.ended(None if self._connected_at is None else self._clock() - self._connected_at, reason)
        text = explained(text, self._wall_clock)
        if self._pauses.is_loop and self._connected_at is not None:
            text = f"thrown out again and again; does another client call itself {self._config.client_id!r}? ({text})"
            if not was_loop:
                LOG.error("%s: %s; give each client its own client_id", self.name, text)
        self._broker.lost(text, self._now_ms())

    async def _listen(self, emit: Emit) -> None:
        async with new_client(self._config, self._tls) as client:
            self._connected_at = self._clock()
            for wanted in self._listening.wanted:
                await self._subscribe(client, wanted)
            heed_cancellation()
            self._broker.connected(self._now_ms())
            while True:
                await self._take(client, emit)

    async def _subscribe(self, client: aiomqtt.Client, wanted: Wanted) -> None:
        reason = await subscribe(client, wanted, version=self._config.version)
        if reason:
            LOG.error("%s refuses the topic %s: %s", self.name, wanted.filter, reason)
            for who in self._listening.who(wanted.filter):
                self._heard[who].not_subscribed(f"the broker refuses the topic {wanted.filter}: {reason}")

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
        for topic in {message.topic.value for message in taken}:
            if not self._listening.knows(topic):  # left over in the session from an older configuration
                for topic_filter in left_over_filters(topic) - {one.filter for one in self._listening.wanted}:
                    await client.unsubscribe(topic_filter)

    def _read(self, message: aiomqtt.Message) -> list[Row]:
        """Readings of one message; what cannot be read is counted, and acknowledged all the same."""
        topic, payload, now_ms = message.topic.value, bytes(message.payload or b""), self._now_ms()
        if not self._listening.knows(topic):
            self._refused["topic not configured"] += 1
            return []
        within_s = self._listening.repeats_within_s(topic)
        if within_s and self._repeats.is_one(topic, payload, within_s):
            self._refused["repeated"] += 1
            return []
        results, strangers = self._listening.read(topic, payload, retained=message.retain, arrived_ms=now_ms)
        self._tell(strangers)
        rows: list[Row] = []
        for who, found in results:
            self._refused.update(found.refused)
            proves_life = bool(found.rows) and not message.retain
            self._heard[who].message(now_ms, refused=found.refused, has_rows=proves_life)
            if found.online is not None:
                self._heard[who].said(online=found.online, now_ms=now_ms)
            rows += found.rows
        return rows

    def _tell(self, strangers: set[str]) -> None:
        """Each device nobody configured is named once; its values are kept nowhere."""
        for name in sorted(strangers):
            self._refused["device not configured"] += 1
            if name not in self._strangers and len(self._strangers) < MOST_STRANGERS:
                self._strangers[name] = None
                LOG.warning(
                    "%s: device %r is not configured; add it to [[mqtt.devices]] to keep its readings", self.name, name
                )

    def _now_ms(self) -> int:
        return round(self._wall_clock() * 1000)
