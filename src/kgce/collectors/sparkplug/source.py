"""SparkplugSource: a host application on one broker; the rules are in session.py, this is the connection around them.

broker --message--> Host --rows--> Batch --emit--> edge/
                     |--rebirth--> NCMD --> broker
"""

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import aiomqtt

from kgce.collectors.cancelled import heed_cancellation
from kgce.collectors.metering import metering_point
from kgce.collectors.sparkplug.config import SparkplugConfig
from kgce.collectors.sparkplug.host import Heard, Host
from kgce.collectors.sparkplug.link import new_client, say, subscribe
from kgce.collectors.sparkplug.payload import rebirth_command
from kgce.collectors.sparkplug.state import command_topic, node_topics, says_offline, state_topic
from kgce.domain.batch import Batch
from kgce.domain.ports import DeviceStatus, Emit
from kgce.domain.tree import Point

LOG = logging.getLogger(__name__)

FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 30.0
STEADY_AFTER_S: Final = 30.0  # a shorter connection keeps the pause growing: two clients may share one id
MOST_AT_ONCE: Final = 500  # messages in one batch
NOT_YET: Final = "not connected yet"


class SparkplugSource:
    """Readings of every configured device behind the edge nodes of one broker."""

    def __init__(
        self,
        config: SparkplugConfig,
        *,
        wall_clock: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare the sessions; nothing is opened yet."""
        self._config, self._wall_clock, self._clock = config, wall_clock, clock
        self._host = Host(config)
        self._error = NOT_YET
        self._connected_ms = 0

    @property
    def name(self) -> str:
        """The broker's address and our name there."""
        return f"sparkplug {self._config.host_id} at {self._config.host}:{self._config.port}"

    @property
    def refused(self) -> Mapping[str, int]:
        """How many messages or metrics gave no reading, by reason."""
        return dict(self._host.refused)

    @property
    def gaps(self) -> int:
        """Sequence gaps that were never filled."""
        return self._host.gaps

    def points(self) -> Sequence[Point]:
        """Metering points of the devices that name one."""
        return [
            metering_point(device, device.metering, device.measurement)
            for device in self._config.devices
            if device.metering is not None
        ]

    def status(self) -> Sequence[DeviceStatus]:
        """State of every device: there while its birth is the last word."""
        return self._host.status(self._error)

    async def run(self, emit: Emit) -> None:
        """Listen until cancelled; a lost broker is asked again and again, with growing pauses."""
        pause_s = FIRST_PAUSE_S
        while True:
            began = self._clock()
            try:
                await self._connection(emit)
            except aiomqtt.MqttError as error:
                if self._error in {"", NOT_YET}:
                    LOG.warning("%s is not there: %s", self.name, error)
                self._error = str(error) or "connection lost"
            finally:
                self._host.lost(self._now_ms())
                self._error = self._error or NOT_YET
            if self._clock() - began > STEADY_AFTER_S:
                pause_s = FIRST_PAUSE_S
            await asyncio.sleep(pause_s * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, no secret
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    async def _connection(self, emit: Emit) -> None:
        self._connected_ms = self._now_ms()
        async with new_client(self._config, self._connected_ms) as client:
            try:
                await self._begin(client)
                await self._listen(client, emit)
            except asyncio.CancelledError:
                with contextlib.suppress(aiomqtt.MqttError):  # if this fails, the will says it
                    await say(client, self._config, online=False, time_ms=self._now_ms())
                raise

    async def _begin(self, client: aiomqtt.Client) -> None:
        """Listen first, then say that we are there: nodes that wait for it send their births at once."""
        self._host.connected(self._clock(), self._now_ms())
        own = [(state_topic(self._config.host_id), 1)]
        for topic, qos in own + [(topic, 1) for node in self._host.nodes for topic in node_topics(*node)]:
            if not await subscribe(client, topic, qos):
                LOG.error("%s refuses the topic %s", self.name, topic)
        await say(client, self._config, online=True, time_ms=self._connected_ms)
        if self._error not in {"", NOT_YET}:
            LOG.warning("%s is back", self.name)
        self._error = ""

    async def _listen(self, client: aiomqtt.Client, emit: Emit) -> None:
        waiting = asyncio.ensure_future(anext(client.messages))
        try:
            while True:
                heed_cancellation()
                await asyncio.wait({waiting}, timeout=self._patience_s())
                heard = Heard()
                if waiting.done():
                    taken = [waiting.result()]
                    with contextlib.suppress(aiomqtt.MqttError):  # what came before the end counts; the next wait tells
                        while len(client.messages) and len(taken) < MOST_AT_ONCE:
                            taken.append(await anext(client.messages))
                    waiting = asyncio.ensure_future(anext(client.messages))
                    for message in taken:
                        await self._take(client, message, heard)
                self._add(heard, self._host.tick(self._clock(), self._now_ms()))
                await self._ask(client, heard)
                if heard.rows:
                    await emit(Batch.from_rows(heard.rows))
        finally:
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)

    def _patience_s(self) -> float | None:
        deadline = self._host.deadline
        return None if deadline is None else max(deadline - self._clock(), 0.0)

    async def _take(self, client: aiomqtt.Client, message: aiomqtt.Message, heard: Heard) -> None:
        topic = message.topic.value
        if topic == state_topic(self._config.host_id):
            if not message.retain and says_offline(message.payload):  # somebody, or an old will, buried us alive
                await say(client, self._config, online=True, time_ms=self._connected_ms)
            return
        found = self._host.hear(
            topic, message.payload, retained=message.retain, now_s=self._clock(), now_ms=self._now_ms()
        )
        self._add(heard, found)

    def _add(self, heard: Heard, found: Heard) -> None:
        heard.rows += found.rows
        heard.rebirths += found.rebirths

    async def _ask(self, client: aiomqtt.Client, heard: Heard) -> None:
        """Ask nodes for their births; commands are never retained (devices.md hazard 39)."""
        for node in heard.rebirths:
            await client.publish(command_topic(*node), rebirth_command(self._now_ms()), qos=0, retain=False)

    def _now_ms(self) -> int:
        return round(self._wall_clock() * 1000)
