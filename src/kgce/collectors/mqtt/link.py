"""One connection to a broker with manual acknowledgement, and whether it stands; logged once per change."""

import asyncio
import logging
import ssl
from typing import Final

import aiomqtt
from paho.mqtt.client import MQTT_CLEAN_START_FIRST_ONLY
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from kgce.collectors.mqtt.config import MqttConfig
from kgce.collectors.mqtt.listening import Wanted

LOG = logging.getLogger(__name__)

NOT_YET: Final = "not connected yet"
MOST_WAITING: Final = 20_000  # messages; beyond, QoS 0 is let go: what has an acknowledgement is bounded by the broker


class _Inbox(asyncio.Queue[aiomqtt.Message]):
    """Bounded for messages nobody will repeat; one of QoS 1 let go here would block its place at the broker."""

    def put_nowait(self, item: aiomqtt.Message) -> None:
        if item.qos == 0 and self.qsize() >= MOST_WAITING:
            raise asyncio.QueueFull
        super().put_nowait(item)


def new_client(config: MqttConfig, context: ssl.SSLContext | None) -> aiomqtt.Client:
    """A client that acknowledges nothing by itself; its session outlives the connection."""
    is_five = config.version == "5"
    client = aiomqtt.Client(
        config.host,
        config.port,
        identifier=config.client_id,
        protocol=aiomqtt.ProtocolVersion.V5 if is_five else aiomqtt.ProtocolVersion.V311,
        clean_session=None if is_five else False,  # the broker keeps what arrives while we are away
        clean_start=False if is_five else MQTT_CLEAN_START_FIRST_ONLY,
        properties=_session(config) if is_five else None,
        username=config.username,
        password=config.password,
        keepalive=config.keepalive_s,
        timeout=config.timeout_s,
        tls_context=context,
        queue_type=_Inbox,
    )
    paho = client._client  # noqa: SLF001 - aiomqtt hands on neither manual acknowledgement nor this timeout
    paho.manual_ack_set(on=True)
    paho.connect_timeout = config.timeout_s
    return client


def _session(config: MqttConfig) -> Properties:
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho types this class half
    properties.SessionExpiryInterval = config.session_expiry_s
    properties.ReceiveMaximum = config.receive_maximum
    return properties


def acknowledge(client: aiomqtt.Client, message: aiomqtt.Message) -> None:
    """Tell the broker to forget the message; on a lost connection it will simply deliver it again."""
    client._client.ack(message.mid, message.qos)  # noqa: SLF001 - see new_client


async def subscribe(client: aiomqtt.Client, wanted: Wanted, *, version: str) -> str:
    """Ask for a topic; the reason when the broker refuses it, else nothing."""
    if version == "5":
        handling = SubscribeOptions.RETAIN_SEND_ON_SUBSCRIBE if wanted.kept else SubscribeOptions.RETAIN_DO_NOT_SEND
        options = SubscribeOptions(wanted.qos, retainHandling=handling)
        granted = await client.subscribe(wanted.filter, options=options)
    else:
        granted = await client.subscribe(wanted.filter, qos=wanted.qos)
    return next((str(code) for code in granted if isinstance(code, ReasonCode) and code.is_failure), "")


def reason_of(error: BaseException) -> tuple[str, int | None]:
    """Why the connection ended: the innermost error that has a reason code says it best."""
    at: BaseException | None = error
    while at is not None:
        if isinstance(at, aiomqtt.MqttCodeError):
            code = at.rc.value if isinstance(at.rc, ReasonCode) else at.rc
            return str(at), code
        at = at.__cause__
    return str(error), None


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
