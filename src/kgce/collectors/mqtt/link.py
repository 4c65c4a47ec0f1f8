"""One connection to a broker with manual acknowledgement, and whether it stands; logged once per change."""

import logging
import ssl
from typing import Final

import aiomqtt
from paho.mqtt.reasoncodes import ReasonCode

from kgce.collectors.mqtt.config import MqttConfig

LOG = logging.getLogger(__name__)

NOT_YET: Final = "not connected yet"


def new_client(config: MqttConfig) -> aiomqtt.Client:
    """A client that acknowledges nothing by itself; its session outlives the connection."""
    client = aiomqtt.Client(
        config.host,
        config.port,
        identifier=config.client_id,
        clean_session=False,  # the broker keeps what arrives while we are away
        username=config.username,
        password=config.password,
        keepalive=config.keepalive_s,
        timeout=config.timeout_s,
        tls_context=ssl.create_default_context(cafile=config.ca_file) if config.tls else None,
    )
    paho = client._client  # noqa: SLF001 - aiomqtt hands on neither manual acknowledgement nor this timeout
    paho.manual_ack_set(on=True)
    paho.connect_timeout = config.timeout_s
    return client


def acknowledge(client: aiomqtt.Client, message: aiomqtt.Message) -> None:
    """Tell the broker to forget the message; on a lost connection it will simply deliver it again."""
    client._client.ack(message.mid, message.qos)  # noqa: SLF001 - see new_client


async def subscribe(client: aiomqtt.Client, topic: str, qos: int) -> bool:
    """Ask for a topic; False when the broker refuses it."""
    granted = await client.subscribe(topic, qos=qos)
    return not any(isinstance(code, ReasonCode) and code.is_failure for code in granted)


class BrokerState:
    """Connected or not, since when, why not."""

    def __init__(self, name: str) -> None:
        """Not connected yet, which is no news."""
        self.name = name
        self.since_ms = 0
        self.error = NOT_YET

    def connected(self, now_ms: int) -> None:
        """The broker accepted us."""
        if self.error != NOT_YET:
            LOG.warning("%s is back", self.name)
        self.since_ms, self.error = now_ms, ""

    def lost(self, error: str, now_ms: int) -> None:
        """The broker does not answer or threw us out."""
        if self.error in {"", NOT_YET}:
            LOG.warning("%s is not there: %s", self.name, error)
            self.since_ms = now_ms
        self.error = error or "connection lost"

    def left(self, now_ms: int) -> None:
        """We ended the connection ourselves."""
        if not self.error:
            self.since_ms, self.error = now_ms, NOT_YET
