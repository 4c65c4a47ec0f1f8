"""One connection to a broker by the rules of a host application: clean session, STATE as will and as birth."""

import ssl
from typing import Final

import aiomqtt
from paho.mqtt.reasoncodes import ReasonCode

from kgce.collectors.sparkplug.config import SparkplugConfig
from kgce.collectors.sparkplug.state import state_payload, state_topic

WAITING_AT_MOST: Final = 20_000  # messages between the broker and us; beyond, the loss shows as a sequence gap

_PROTOCOLS: Final = {"3.1.1": aiomqtt.ProtocolVersion.V311, "5": aiomqtt.ProtocolVersion.V5}


def new_client(config: SparkplugConfig, connect_ms: int) -> aiomqtt.Client:
    """A client whose will says that this host, connected at that time, is gone."""
    will = aiomqtt.Will(
        state_topic(config.host_id), state_payload(online=False, time_ms=connect_ms), qos=1, retain=True
    )
    is_5 = config.version == "5"
    client = aiomqtt.Client(
        config.host,
        config.port,
        identifier=config.client_id,
        protocol=_PROTOCOLS[config.version],
        clean_session=None if is_5 else True,
        clean_start=True if is_5 else 3,  # without a session expiry interval it is 0 (MQTT 5, 3.1.2.11.2)
        will=will,
        username=config.username,
        password=config.password,
        keepalive=config.keepalive_s,
        timeout=config.timeout_s,
        max_queued_incoming_messages=WAITING_AT_MOST,
        tls_context=_tls(config) if config.tls else None,
    )
    client._client.connect_timeout = config.timeout_s  # noqa: SLF001 - aiomqtt does not hand this on
    return client


async def subscribe(client: aiomqtt.Client, topic: str, qos: int) -> bool:
    """Ask for a topic; False when the broker refuses it."""
    granted = await client.subscribe(topic, qos=qos)
    return not any(
        code.is_failure if isinstance(code, ReasonCode) else code >= 0x80  # noqa: PLR2004 - MQTT 3.1.1, 3.9.3: failure
        for code in granted
    )


async def say(client: aiomqtt.Client, config: SparkplugConfig, *, online: bool, time_ms: int) -> None:
    """Publish this host's STATE."""
    payload = state_payload(online=online, time_ms=time_ms)
    await client.publish(state_topic(config.host_id), payload, qos=1, retain=True)


def _tls(config: SparkplugConfig) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=config.ca_file)
    if config.cert_file is not None:
        context.load_cert_chain(config.cert_file, config.key_file)
    return context
