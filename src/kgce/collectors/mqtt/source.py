"""MqttSource: subscribes, maps, and acknowledges each message only after its readings are durable.

broker --QoS 1--> message --mapping--> Batch --emit, committed--> acknowledge
"""

import asyncio
import logging
import random
import ssl
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

import aiomqtt

from kgce.collectors.device_state import DeviceState
from kgce.collectors.metering import metering_point
from kgce.collectors.mqtt.config import MqttConfig
from kgce.collectors.mqtt.mapping import map_message
from kgce.domain.ports import DeviceStatus, Emit
from kgce.domain.tree import Point

LOG = logging.getLogger(__name__)
FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 30.0


class MqttSource:
    """Readings from one broker; the session persists, so nothing published while away is lost."""

    repeats_unacknowledged = True  # the broker sends again what was never acknowledged: never drop it on a full disk

    def __init__(self, config: MqttConfig, *, wall_clock: Callable[[], float] = time.time) -> None:
        """Nothing is connected yet.

        Raises:
            ConfigError: the password's environment variable is not set.
        """
        self._config, self._wall_clock = config, wall_clock
        self._password = config.password()
        self._states = {row.topic: DeviceState(row.institution, row.device) for row in config.subscriptions}
        self.refusals: Counter[str] = Counter()  # reason -> how often

    @property
    def name(self) -> str:
        """The broker's address."""
        return f"mqtt {self._config.host}:{self._config.port}"

    def points(self) -> Sequence[Point]:
        """Metering points of the subscribed devices."""
        return [
            metering_point(row, row.metering, row.measurement)
            for row in self._config.subscriptions
            if row.metering is not None
        ]

    def status(self) -> Sequence[DeviceStatus]:
        """A device is online from its first message on, and offline while the broker is away."""
        return [state.status() for state in self._states.values()]

    async def run(self, emit: Emit) -> None:
        """Receive until cancelled; reconnect with growing pauses."""
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                async with self._client() as client:
                    client._client.manual_ack_set(on=True)  # noqa: SLF001 - aiomqtt has no public way to it
                    for row in self._config.subscriptions:
                        await client.subscribe(row.topic, qos=1)
                    LOG.info("%s: connected", self.name)
                    pause_s = FIRST_PAUSE_S
                    await self._receive(client, emit)
            except aiomqtt.MqttError as error:
                self._all_silent(f"{self.name}: {error}")
            await asyncio.sleep(pause_s * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, no secret
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    async def _receive(self, client: aiomqtt.Client, emit: Emit) -> None:
        async for message in client.messages:
            await self._take(message, emit)
            client._client.ack(message.mid, message.qos)  # noqa: SLF001 - after the commit, never before it

    async def _take(self, message: aiomqtt.Message, emit: Emit) -> None:
        row = self._config.by_topic.get(message.topic.value)
        if row is None:
            self._refuse(message.topic.value, "topic is no longer subscribed")
            return
        mapped = map_message(row, message.payload, retained=bool(message.retain), arrived_ms=self._now_ms())
        for reason in mapped.refusals:
            self._refuse(row.topic, reason)
        if len(mapped.batch):
            await emit(mapped.batch)
            self._states[row.topic].answered(self._now_ms())

    def _refuse(self, topic: str, reason: str) -> None:
        self.refusals[reason] += 1
        if self.refusals[reason] == 1:
            LOG.warning("%s: %s: refused: %s", self.name, topic, reason)

    def _all_silent(self, error: str) -> None:
        for state in self._states.values():
            state.failed(error, self._now_ms())

    def _client(self) -> aiomqtt.Client:
        config = self._config
        return aiomqtt.Client(
            config.host,
            config.port,
            identifier=config.client_id,
            username=config.username,
            password=self._password,
            clean_session=False,
            keepalive=config.keepalive_s,
            tls_context=ssl.create_default_context(cafile=config.ca_file) if config.tls else None,
        )

    def _now_ms(self) -> int:
        return round(self._wall_clock() * 1000)
