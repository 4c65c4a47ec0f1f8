"""SparkplugPublisher: an edge node on a broker; it gives birth when asked and tells what it could not tell before."""

import asyncio
import logging
import socket
from dataclasses import dataclass
from typing import Final

import aiomqtt

from kgce.simulators.devices.device import Clock, time_ms_of
from kgce.simulators.sparkplug.encode import asks_for_births
from kgce.simulators.sparkplug.node import EdgeNode, Sent

log = logging.getLogger(__name__)
_FIRST_WAIT_S: Final = 0.2
_LONGEST_WAIT_S: Final = 10.0
_REPLY_TIMEOUT_S: Final = 5.0
_MOST_HISTORY: Final = 1_000  # instants kept while there is no broker; the oldest go first


@dataclass(frozen=True, slots=True)
class Faults:
    """What the node does wrong; every n-th round, 0 = never."""

    lose_every: int = 0  # a message gets its seq and is never sent
    unknown_alias_every: int = 0
    vanish_every: int = 0  # the connection breaks without goodbye: 1 = a reconnect storm
    data_before_birth: bool = False  # at each connection, values go out first


class SparkplugPublisher:
    """Publishes all devices of one node at one interval."""

    def __init__(
        self,
        node: EdgeNode,
        *,
        host: str,
        port: int,
        client_id: str,
        interval_s: float,
        clock: Clock,
        faults: Faults | None = None,
    ) -> None:
        self.node, self.faults = node, faults or Faults()
        self._host, self._port, self._client_id = host, port, client_id
        self._interval_s, self._clock = interval_s, clock
        self._untold: list[int] = []
        self._complained = False
        self._speaking = asyncio.Lock()  # numbers are given when a message is made, so making and sending are one
        self.connections = self.published = self.births = self.rounds = 0

    async def run(self) -> None:
        """Publish until cancelled; reconnect with growing pauses, say so once per outage."""
        wait_s = _FIRST_WAIT_S
        while True:
            before = self.published
            try:
                await self._connection()
            except aiomqtt.MqttError as error:
                if self.published > before:
                    wait_s = _FIRST_WAIT_S
                if not self._complained:
                    self._complained = True
                    log.warning("no broker at %s:%d (%s); will keep trying", self._host, self._port, error)
            self.node.next_connection()
            self._untold = [*self._untold, time_ms_of(self._clock)][-_MOST_HISTORY:]
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, _LONGEST_WAIT_S)

    async def _connection(self) -> None:
        topic, payload = self.node.death(time_ms_of(self._clock))
        will = aiomqtt.Will(topic, payload, qos=1, retain=False)
        async with aiomqtt.Client(
            self._host,
            self._port,
            identifier=self._client_id,
            will=will,
            clean_session=True,
            timeout=_REPLY_TIMEOUT_S,
        ) as client:
            try:
                await self._live(client)
            except asyncio.CancelledError:
                await self._send(client, self.node.death(time_ms_of(self._clock)))
                raise

    async def _live(self, client: aiomqtt.Client) -> None:
        self.connections += 1
        await client.subscribe(self.node.command_topic, qos=1)
        if self.faults.data_before_birth:
            for device in self.node.devices:
                await self._send(client, self.node.data(device, time_ms_of(self._clock)))
        await self._give_birth(client)
        if self._complained:
            self._complained = False
            log.info("broker at %s:%d is there", self._host, self._port)
        task = asyncio.current_task()
        if task is not None and task.cancelling():  # Python 3.11's wait_for can lose a cancellation beside an answer
            raise asyncio.CancelledError
        both = [asyncio.ensure_future(self._obey(client)), asyncio.ensure_future(self._report(client))]
        try:
            await asyncio.gather(*both)
        finally:
            for one in both:
                one.cancel()
            await asyncio.gather(*both, return_exceptions=True)

    async def _obey(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            if not message.retain and asks_for_births(message.payload):
                await self._give_birth(client)

    async def _report(self, client: aiomqtt.Client) -> None:
        while True:
            await asyncio.sleep(self._interval_s)
            self.rounds += 1
            async with self._speaking:
                for device in self.node.devices:
                    await self._tell(client, device)
            self._untold.clear()
            if self._is_turn(self.faults.vanish_every):
                _vanish(client)

    async def _tell(self, client: aiomqtt.Client, device: str) -> None:
        time_ms = time_ms_of(self._clock)
        if self._untold:
            await self._send(client, self.node.history(device, self._untold, time_ms))
        data = self.node.data(device, time_ms)  # a lost message has its number too
        if not self._is_turn(self.faults.lose_every):
            await self._send(client, data)
        if self._is_turn(self.faults.unknown_alias_every):
            await self._send(client, self.node.unknown_alias(device, time_ms))

    def _is_turn(self, every: int) -> bool:
        return every > 0 and self.rounds % every == 0

    async def _give_birth(self, client: aiomqtt.Client) -> None:
        self.births += 1
        async with self._speaking:
            for sent in self.node.births(time_ms_of(self._clock)):
                await self._send(client, sent)

    async def _send(self, client: aiomqtt.Client, sent: Sent) -> None:
        await client.publish(sent[0], sent[1], qos=0)
        self.published += 1


def _vanish(client: aiomqtt.Client) -> None:
    """Break the connection without goodbye, as a pulled cable does: the broker publishes the will."""
    sock = client._client.socket()  # noqa: SLF001 - no public call leaves without saying so
    if isinstance(sock, socket.socket):
        sock.shutdown(socket.SHUT_RDWR)
