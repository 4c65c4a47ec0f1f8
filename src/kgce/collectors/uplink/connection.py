"""One MQTT 5 connection with a persistent session; it is made when asked for, and says why it ended.

No reconnecting of its own: who uses it decides when to try again.
"""

import contextlib
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from paho.mqtt.client import Client, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from kgce.collectors.mqtt.broker_config import BrokerConfig
from kgce.collectors.mqtt.tls import explained, tls_context
from kgce.domain.errors import StoreUnavailable

TAKEN_OVER: Final = 0x8E  # MQTT 5: somebody connected with the same client id
_LEAVE_S: Final = 2.0
_NOBODY_LISTENS: Final = 0x10  # MQTT 5: no matching subscribers


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker publishes, retained, when this client vanishes."""

    topic: str
    payload: bytes


class Connection:
    """A client under a stable id. Callbacks run in its own thread."""

    def __init__(
        self,
        config: BrokerConfig,
        client_id: str,
        *,
        session_expiry_s: int,
        will: Will | None = None,
        on_message: Callable[[MQTTMessage], None] = lambda _: None,
        on_acknowledged: Callable[[int, str], None] = lambda _mid, _why_not: None,
        on_lost: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Nothing is opened yet.

        Raises:
            ConfigError: the certificates cannot be used.
        """
        self._config = config
        self._session_expiry_s = session_expiry_s
        self._on_lost = on_lost
        self._came = threading.Event()  # CONNACK, or the end
        self._ended = threading.Event()
        self._refused = ""
        self._connected = False
        self.lost_code = 0  # reason code of the last end
        self.largest_bytes = 0  # of a packet the broker takes; 0 = it does not say
        self._client = self._new_client(client_id)
        self._client.on_message = lambda _client, _data, message: on_message(message)
        self._client.on_publish = lambda _client, _data, mid, code, _props: on_acknowledged(mid, _failure(code))
        if will is not None:
            self._client.will_set(will.topic, will.payload, qos=1, retain=True)

    def open(self) -> None:
        """Connect, and wait until the broker has accepted us.

        Raises:
            StoreUnavailable: it cannot be reached, or it refuses; the text says what to do.
        """
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho types this class half
        properties.SessionExpiryInterval = self._session_expiry_s
        address = f"{self._config.host}:{self._config.port}"
        try:
            self._client.connect(
                self._config.host,
                self._config.port,
                keepalive=self._config.keepalive_s,
                clean_start=False,
                properties=properties,
            )
        except (OSError, ssl.SSLError, ValueError) as error:
            self.close()
            why = explained(str(error), time.time)
            raise StoreUnavailable(f"broker {address} cannot be reached: {why}") from error
        self._client.loop_start()
        if not self._came.wait(self._config.timeout_s) or self._refused:
            self.close()
            raise StoreUnavailable(f"broker {address} {self._refused or 'does not answer: is it an MQTT 5 broker?'}")

    @property
    def is_open(self) -> bool:
        """Whether the broker has accepted us and has not gone since."""
        return self._connected

    def subscribe(self, topic: str, qos: int = 1) -> None:
        """Ask for a topic; what we say on it ourselves does not come back, which a shared one does not allow.

        Raises:
            StoreUnavailable: the connection is gone.
        """
        code, _mid = self._client.subscribe(
            topic, options=SubscribeOptions(qos, noLocal=not topic.startswith("$share/"))
        )
        if code:
            raise StoreUnavailable(f"broker {self._config.host} went away")

    def publish(
        self, topic: str, payload: bytes, *, retain: bool = False, answer_to: str = "", correlation: bytes = b""
    ) -> int:
        """Send with QoS 1; the number under which `on_acknowledged` will hear of it.

        Raises:
            StoreUnavailable: the connection is gone.
        """
        properties = None
        if answer_to or correlation:
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            if answer_to:
                properties.ResponseTopic = answer_to
            properties.CorrelationData = correlation
        info = self._client.publish(topic, payload, qos=1, retain=retain, properties=properties)
        if info.rc:
            raise StoreUnavailable(f"broker {self._config.host} went away")
        return info.mid

    def close(self, goodbye: Will | None = None) -> None:
        """Leave properly (a goodbye instead of the last will), then end the thread."""
        if self._connected:
            with contextlib.suppress(OSError, ValueError, RuntimeError):
                if goodbye is not None:
                    said = self._client.publish(goodbye.topic, goodbye.payload, qos=1, retain=True)
                    said.wait_for_publish(_LEAVE_S)
                self._client.disconnect()
            self._ended.wait(_LEAVE_S)  # stopping the thread at once would leave the goodbye unsent
        self._client.loop_stop()
        self._client._reset_sockets()  # noqa: SLF001 - paho leaves its sockets to the garbage collector
        self._connected = False

    def _new_client(self, client_id: str) -> Client:
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
        )
        client.connect_timeout = self._config.timeout_s
        if self._config.username is not None:
            client.username_pw_set(self._config.username, self._config.password)
        context = tls_context(self._config)
        if context is not None:
            client.tls_set_context(context)
        client.on_connect = self._connect_answer
        client.on_disconnect = self._gone
        return client

    def _connect_answer(
        self, _client: Client, _data: Any, _flags: Any, code: ReasonCode, properties: Properties | None
    ) -> None:
        if code.is_failure:
            self._refused = f"refuses this gateway: {code}; check username, password and its access list"
        else:
            self._connected = True
            self.largest_bytes = int(getattr(properties, "MaximumPacketSize", 0) or 0)
        self._came.set()

    def _gone(
        self, _client: Client, _data: Any, _flags: DisconnectFlags, code: ReasonCode, _properties: Properties | None
    ) -> None:
        was_open, self._connected = self._connected, False
        self.lost_code = code.value
        self._came.set()
        self._ended.set()
        if was_open:
            self._on_lost(str(code))


def _failure(code: ReasonCode | None) -> str:
    """Why the broker did not keep a message; a message that nobody has asked for is thrown away."""
    if code is None:
        return ""
    return str(code) if code.is_failure or code.value == _NOBODY_LISTENS else ""
