"""Subscriber: an MQTT 5 connection that takes many messages fast, with a session the broker keeps.

One thread at a time. It reads whole buffers, acknowledges whole groups, and reads nothing while nobody asks: then the
broker keeps what comes. No reconnecting of its own: who uses it decides when to try again.
"""

import contextlib
import select
import socket
import ssl
import time
from collections.abc import Sequence
from typing import Final

from kgce.collectors.ingest import packets
from kgce.collectors.ingest.packets import Arrived, Control, MalformedPacket, PacketReader
from kgce.collectors.mqtt.broker_config import BrokerConfig
from kgce.collectors.mqtt.tls import explained, tls_context
from kgce.domain.errors import ConfigError, StoreUnavailable

_CHUNK: Final = 1 << 20
_REFUSED: Final = 0x80  # reason codes from here on are refusals
_BAD_CREDENTIALS: Final = frozenset({0x86, 0x87, 0x8C})
_TAKEN_OVER: Final = 0x8E
_WHY: Final = {
    0x84: "does not speak MQTT 5",
    0x86: "refuses the user name or password",
    0x87: "refuses this client: check its access list",
    0x8E: "says that another worker uses the same name: give each its own --worker",
    0x9E: "has no shared subscriptions",
}


class Subscriber:
    """A connection under a stable client id."""

    def __init__(self, config: BrokerConfig, client_id: str, *, session_expiry_s: int, receive_maximum: int) -> None:
        """Nothing is opened yet.

        Raises:
            ConfigError: the certificates cannot be used.
        """
        self._config = config
        self._client_id = client_id
        self._session_expiry_s = session_expiry_s
        self._receive_maximum = receive_maximum
        self._tls = tls_context(config)
        self._socket: socket.socket | None = None
        self._wake, self._woken = socket.socketpair()
        self._woken.setblocking(False)
        self._reader = PacketReader()
        self._early: list[Arrived] = []  # messages that came before somebody asked
        self._next_id = 0
        self._unacknowledged: dict[int, tuple[str, bytes]] = {}  # what we published with quality of service 1
        self._window = 0
        self._sent_s = self._heard_s = 0.0
        self._is_pinged = False

    @property
    def address(self) -> str:
        """HOST:PORT of the broker."""
        return f"{self._config.host}:{self._config.port}"

    @property
    def is_open(self) -> bool:
        """Whether the broker has accepted us and has not gone since, as far as we have looked."""
        return self._socket is not None

    def open(self, filters: Sequence[str]) -> None:
        """Connect, and subscribe.

        Raises:
            StoreUnavailable: it cannot be reached, or it refuses for now; the text says what to do.
            ConfigError: it refuses who we are.
        """
        self.close()
        self._reader, self._early = PacketReader(), []
        try:
            raw = socket.create_connection((self._config.host, self._config.port), self._config.timeout_s)
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket = raw if self._tls is None else self._tls.wrap_socket(raw, server_hostname=self._config.host)
        except (OSError, ssl.SSLError) as error:
            raise StoreUnavailable(
                f"broker {self.address} cannot be reached: {explained(str(error), time.time)}"
            ) from error
        self._greet()
        packet_id = self._number()
        self._send(packets.subscribe(packet_id, filters))
        number, codes = packets.granted(self._await(packets.SUBACK).body)
        refused = [name for name, code in zip(filters, codes, strict=False) if code >= _REFUSED]
        if number != packet_id or len(codes) != len(filters) or refused:
            self.close()
            raise ConfigError(f"broker {self.address} refuses {', '.join(refused)}: check its access list")
        for again, (topic, payload) in self._unacknowledged.items():
            self._send(packets.publish(topic, payload, packet_id=again))

    def _greet(self) -> None:
        self._send(
            packets.connect(
                self._client_id,
                keepalive_s=self._config.keepalive_s,
                session_expiry_s=self._session_expiry_s,
                receive_maximum=self._receive_maximum,
                username=self._config.username,
                password=self._config.password,
            )
        )
        answer = packets.accepted(self._await(packets.CONNACK).body)
        if answer.code:
            self.close()
            why = answer.reason or _WHY.get(answer.code, f"refuses the connection (reason {answer.code:#04x})")
            kind = ConfigError if answer.code in _BAD_CREDENTIALS else StoreUnavailable
            raise kind(f"broker {self.address} {why}")
        self._window = max(1, min(answer.receive_maximum, 1000))

    def _await(self, kind: int) -> Control:
        """The next packet of this kind; messages that come before it wait."""
        deadline = time.monotonic() + self._config.timeout_s
        while (left_s := deadline - time.monotonic()) > 0:
            wanted: Control | None = None
            for packet in self._read(left_s):
                if isinstance(packet, Control) and packet.kind == kind and wanted is None:
                    wanted = packet
                elif isinstance(packet, Arrived):
                    self._early.append(packet)
                else:
                    self._control(packet)
            if wanted is not None:
                return wanted
        self.close()
        raise StoreUnavailable(f"broker {self.address} does not answer: is it an MQTT 5 broker?")

    def wake(self) -> None:
        """Let a `receive` that waits return; from any thread."""
        with contextlib.suppress(OSError):
            self._wake.send(b"\0")

    def receive(self, timeout_s: float) -> list[Arrived]:
        """Messages that have come; waits for some, but not longer than this, nor once woken.

        Raises:
            StoreUnavailable: the connection ended.
        """
        found, self._early = self._early, []
        self._require_life()
        self.keep_alive()
        for packet in self._read(0.0 if found else timeout_s):
            if isinstance(packet, Arrived):
                found.append(packet)
            else:
                self._control(packet)
        return found

    def keep_alive(self) -> None:
        """Say that we are still there, when it is time; nothing is read.

        Raises:
            StoreUnavailable: the connection ended.
        """
        if time.monotonic() - self._sent_s > self._config.keepalive_s / 2:
            self._is_pinged = True
            self._send(packets.PING)

    def acknowledge(self, packet_ids: Sequence[int]) -> None:
        """Tell the broker to forget these messages; on a lost connection it will simply deliver them again."""
        wanted = [packet_id for packet_id in packet_ids if packet_id]
        if wanted:
            self._send(packets.acknowledgements(wanted))

    def publish(self, topic: str, payload: bytes, *, correlation: bytes | None = None) -> None:
        """Say something once; who is not there misses it."""
        self._send(packets.publish(topic, payload, correlation=correlation))

    def send(self, ready: Sequence[bytes]) -> None:
        """Send ready-made packets in one go.

        Raises:
            StoreUnavailable: the connection ended.
        """
        self._send(b"".join(ready))

    def publish_surely(self, topic: str, payload: bytes) -> bool:
        """Say something until the broker has it, over reconnections too; False while too much is under way."""
        if len(self._unacknowledged) >= self._window:
            return False
        packet_id = self._number()
        self._unacknowledged[packet_id] = (topic, payload)
        self._send(packets.publish(topic, payload, packet_id=packet_id))
        return True

    def close(self) -> None:
        """Leave; the broker keeps the session."""
        ending, self._socket = self._socket, None
        if ending is not None:
            with contextlib.suppress(OSError):
                ending.sendall(packets.GOODBYE)
            ending.close()

    def end(self) -> None:
        """Leave for good."""
        self.close()
        self._wake.close()
        self._woken.close()

    def _number(self) -> int:
        self._next_id = self._next_id % 0xFFFF + 1
        while self._next_id in self._unacknowledged:
            self._next_id = self._next_id % 0xFFFF + 1
        return self._next_id

    def _control(self, packet: Arrived | Control) -> None:
        if not isinstance(packet, Control):
            return
        if packet.kind == packets.PUBACK:
            self._unacknowledged.pop(int.from_bytes(packet.body[:2]), None)
        elif packet.kind == packets.PINGRESP:
            self._is_pinged = False
        elif packet.kind == packets.DISCONNECT:
            code = packet.body[0] if packet.body else 0
            self.close()
            raise StoreUnavailable(
                f"broker {self.address} {_WHY.get(code, f'ended the connection (reason {code:#04x})')}"
            )

    def _read(self, timeout_s: float) -> list[Arrived | Control]:
        connection = self._there()
        is_pending = isinstance(connection, ssl.SSLSocket) and connection.pending() > 0
        ready = [connection] if is_pending else select.select([connection, self._woken], [], [], timeout_s)[0]
        if self._woken in ready:
            with contextlib.suppress(BlockingIOError):
                self._woken.recv(4096)
        if connection not in ready:
            return []
        try:
            data = connection.recv(_CHUNK)
            if not data:
                raise ConnectionResetError("it closed the connection")
            self._heard_s = time.monotonic()
            return self._reader.feed(data)
        except TimeoutError:
            return []  # a part of a TLS record: the rest comes
        except (OSError, MalformedPacket) as error:
            self.close()
            raise StoreUnavailable(f"broker {self.address} went away: {error}") from error

    def _send(self, data: bytes) -> None:
        connection = self._there()
        try:
            connection.sendall(data)
        except OSError as error:
            self.close()
            raise StoreUnavailable(f"broker {self.address} went away: {error}") from error
        self._sent_s = time.monotonic()

    def _require_life(self) -> None:
        """Who does not answer a ping is gone, even where the network does not say so."""
        silent_s = time.monotonic() - max(self._sent_s, self._heard_s)
        if self._is_pinged and silent_s > self._config.keepalive_s:
            self.close()
            raise StoreUnavailable(f"broker {self.address} has been silent for {silent_s:.0f} s")

    def _there(self) -> socket.socket:
        if self._socket is None:
            raise StoreUnavailable(f"broker {self.address} went away")
        return self._socket
