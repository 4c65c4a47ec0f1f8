"""The centre takes what gateways send, once, and answers only to the gateway that asked."""

import time

import orjson
import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from kgce.collectors.uplink import message, receipt, topics
from kgce.collectors.uplink.message import Message, Number
from tests.edge.fakes import MemorySink, power_batch
from tests.edge.uplink.centre import centre


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


@pytest.fixture
def foreign(mosquitto_port):
    client = Foreign(mosquitto_port)
    yield client
    client.close()


def until(condition) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def payload(gateway: str = "g1", rows: int = 2) -> bytes:
    return message.encode(Message(Number(gateway, "b-1-0", 1, 1), 5, power_batch(0, rows)))


def test_a_batch_is_stored_and_answered_with_its_counts(mosquitto_port, foreign) -> None:
    store = Store()
    with centre(mosquitto_port, store):
        for _ in range(2):
            foreign.send("kgce/v1/g1/batch", payload(), answer_to="kgce/v1/g1/receipt")
        until(lambda: len(foreign.answers("kgce/v1/g1/receipt")) == 2)
    first, second = foreign.answers("kgce/v1/g1/receipt")
    assert (first.result.stored, first.result.duplicate) == (2, 0)
    assert (second.result.stored, second.result.duplicate) == (0, 2)
    assert abs(first.at_ms - time.time() * 1000) < 60_000
    assert len(store.rows) == 2


def test_what_is_no_batch_is_answered_with_the_reason_and_the_next_one_is_taken(mosquitto_port, foreign) -> None:
    store = Store()
    with centre(mosquitto_port, store) as listener:
        foreign.send("kgce/v1/g1/batch", b"{}", answer_to="kgce/v1/g1/receipt")
        foreign.send("kgce/v1/g1/batch", payload("another"), answer_to="kgce/v1/g1/receipt")
        foreign.send("kgce/v1/g1/batch", payload(), answer_to="kgce/v1/g1/receipt")
        until(lambda: len(foreign.answers("kgce/v1/g1/receipt")) == 3)
        assert listener.heard.malformed == 2
    empty, stranger, good = foreign.answers("kgce/v1/g1/receipt")
    assert "gateway is no text" in empty.reason
    assert "the topic says 'g1', the message 'another'" in stranger.reason
    assert not good.reason
    assert len(store.rows) == 2


def test_a_receipt_goes_nowhere_but_to_the_gateways_own_topic(mosquitto_port, foreign) -> None:
    with centre(mosquitto_port, Store()):
        foreign.send("kgce/v1/g1/batch", payload(), answer_to="somebody/elses/topic")
        foreign.send("kgce/v1/g1/batch", payload(), answer_to="kgce/v1/g2/receipt")
        foreign.send("kgce/v1/g1/batch", payload(), answer_to="kgce/v1/g1/receipt")
        until(lambda: foreign.answers("kgce/v1/g1/receipt"))
    heard = {topic for topic, _ in foreign.receipts}
    assert "somebody/elses/topic" not in heard
    assert "kgce/v1/g2/receipt" not in heard


def test_a_gateways_state_is_known_at_the_centre(mosquitto_port, foreign) -> None:
    with centre(mosquitto_port, Store()) as listener:
        foreign.send("kgce/v1/g1/status", orjson.dumps({"state": "online"}))
        foreign.send("kgce/v1/g2/status", b"rubbish")
        foreign.send("kgce/v1/g3/status", orjson.dumps({"state": "lost"}))
        until(lambda: len(listener.heard.gateways) == 2)
    assert listener.heard.gateways == {"g1": "online", "g3": "lost"}


@pytest.mark.parametrize(
    ("name", "gateway"), [("kgce/v1/g1/batch", "g1"), ("kgce/v2/g1/batch", ""), ("a/kgce/v1/g1/batch", ""), ("x", "")]
)
def test_only_topics_of_ours_belong_to_a_gateway(name, gateway) -> None:
    assert topics.gateway_of(name) == gateway
