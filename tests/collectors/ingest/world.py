"""A client that follows no rules of ours, a store in memory, and workers over a real Mosquitto."""

import time

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from kgce.collectors.ingest.worker import Worker
from kgce.collectors.mqtt.broker_config import SecureBrokerConfig
from kgce.collectors.uplink import message, receipt
from kgce.collectors.uplink.message import Message, Number
from tests.edge.fakes import MemorySink, power_batch


class Store(MemorySink):
    def append_events(self, gateway, events) -> None:
        """Not looked at here."""


class Foreign:
    """A client that follows no rules of ours."""

    def __init__(self, port: int) -> None:
        self.receipts = []
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        self.client.on_message = lambda _client, _data, found: self.receipts.append((found.topic, found.payload))
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        self.client.subscribe("#", 1)

    def send(self, topic: str, payload: bytes, *, answer_to: str = "", correlation: bytes = b"x") -> None:
        properties = Properties(PacketTypes.PUBLISH)
        if answer_to:
            properties.ResponseTopic = answer_to
            properties.CorrelationData = correlation
        self.client.publish(topic, payload, qos=1, properties=properties).wait_for_publish(10)

    def answers(self, topic: str) -> list[receipt.Receipt]:
        return [receipt.decode(bytes(payload)) for where, payload in self.receipts if where == topic]

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()
        self.client._reset_sockets()


def until(condition) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def payload(gateway: str = "g1", rows: int = 2) -> bytes:
    return message.encode(Message(Number(gateway, "b-1-0", 1, 1), 5, power_batch(0, rows)))


def worker_for(port: int, store, **keys) -> Worker:
    return Worker(SecureBrokerConfig(host="127.0.0.1", port=port), store, **keys)
