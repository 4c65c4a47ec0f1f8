"""The centre takes what gateways send, once, and answers only to the gateway that asked."""

import threading
import time
import urllib.request
from typing import ClassVar

import orjson
import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from prometheus_client.parser import text_string_to_metric_families

from kgce.collectors.ingest import watch
from kgce.collectors.ingest.letters import DeadLetters, letters_in
from kgce.collectors.ingest.metrics import HeardCollector, exposed
from kgce.collectors.ingest.numbers import Gap
from kgce.collectors.ingest.worker import Worker
from kgce.collectors.mqtt.broker_config import SecureBrokerConfig
from kgce.collectors.uplink import event_message, message, receipt, topics
from kgce.collectors.uplink.message import Message, Number
from kgce.domain.errors import ConfigError, StoreUnavailable
from kgce.domain.events import Event, Severity
from tests.edge.fakes import MemorySink, power_batch
from tests.edge.uplink.centre import centre, listening
from tests.servers import free_port, process, require_tool, wait_for_port


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


def test_many_messages_become_few_appends_and_each_gets_its_own_counts(mosquitto_port, foreign) -> None:
    """While one group is held up, the others gather."""

    class Slow(Store):
        groups: ClassVar[list[int]] = []

        def append_all(self, batches):
            self.groups.append(len(batches))
            time.sleep(0.3)
            return super().append_all(batches)

    with centre(mosquitto_port, Slow()):
        for seq in range(40):
            sent = message.encode(Message(Number("g1", "b", seq + 1, seq + 1), 5, power_batch(seq * 10, seq % 3 + 1)))
            foreign.client.publish(
                "kgce/v1/g1/batch", sent, qos=1, properties=asking("kgce/v1/g1/receipt", b"%d" % seq)
            )
        until(lambda: len(foreign.answers("kgce/v1/g1/receipt")) == 40)
    assert [one.result.stored for one in foreign.answers("kgce/v1/g1/receipt")] == [seq % 3 + 1 for seq in range(40)]
    assert len(Slow.groups) < 10


def asking(answer_to: str, name: bytes) -> Properties:
    properties = Properties(PacketTypes.PUBLISH)
    properties.ResponseTopic = answer_to
    properties.CorrelationData = name
    return properties


def test_one_message_that_breaks_the_store_does_not_take_its_group_along(mosquitto_port, foreign, tmp_path) -> None:
    class Fragile(Store):
        def append_all(self, batches):
            if any(len(batch) == 7 for batch in batches):
                raise ZeroDivisionError("a bug")
            time.sleep(0.1)
            return super().append_all(batches)

    store, letters = Fragile(), DeadLetters(tmp_path, clock=time.time)
    with listening(worker_for(mosquitto_port, store, letters=letters)) as worker:
        for rows in (1, 2, 7, 3):
            foreign.send("kgce/v1/g1/batch", payload(rows=rows), answer_to="kgce/v1/g1/receipt")
        until(lambda: len(foreign.answers("kgce/v1/g1/receipt")) == 4)
        assert (worker.heard.messages, worker.heard.malformed) == (4, 1)
    assert [bool(one.reason) for one in foreign.answers("kgce/v1/g1/receipt")] == [False, False, True, False]
    [letter] = letters_in(tmp_path)
    assert "ZeroDivisionError" in letter.reason
    assert letter.payload == payload(rows=7)


@pytest.mark.parametrize("problem", [ConfigError("wrong token"), OSError("no more files"), StoreUnavailable("away")])
def test_a_centre_that_is_set_up_wrong_buries_nothing(mosquitto_port, foreign, tmp_path, problem) -> None:
    """Readings and events wait until somebody has mended it."""
    problems = [problem] * 2

    class Wrong(Store):
        kept: ClassVar[list] = []

        def append_all(self, batches):
            if problems:
                raise problems.pop()
            return super().append_all(batches)

        def append_events(self, gateway, found) -> None:
            if not self.kept:
                self.kept.append("tried")
                raise problem
            self.kept.append(gateway)

    happened = Event("clock.jumped", 1_767_225_600_000, "gateway", Severity.INFO, "moved", {})
    letters = DeadLetters(tmp_path / "letters", clock=time.time)
    with listening(worker_for(mosquitto_port, Wrong(), letters=letters)) as worker:
        foreign.send("kgce/v1/g1/batch", payload(), answer_to="kgce/v1/g1/receipt")
        foreign.send("kgce/v1/g1/event", event_message.encode([happened]), answer_to="kgce/v1/g1/receipt")
        until(lambda: len(foreign.answers("kgce/v1/g1/receipt")) == 2)
        assert (worker.heard.malformed, worker.heard.stored, worker.heard.events) == (0, 2, 1)
    assert not (tmp_path / "letters").exists()


def worker_for(port: int, store, **keys) -> Worker:
    return Worker(SecureBrokerConfig(host="127.0.0.1", port=port), store, **keys)


def test_while_the_store_is_away_memory_is_bounded_and_the_connection_lives(mosquitto_port, foreign, tmp_path) -> None:
    """The broker holds what does not fit here; a keepalive of 5 s passes three times."""
    is_away = threading.Event()
    is_away.set()

    class Away(Store):
        def append_all(self, batches):
            if is_away.is_set():
                raise StoreUnavailable("gone fishing")
            return super().append_all(batches)

    store = Away()
    config = SecureBrokerConfig(host="127.0.0.1", port=mosquitto_port, keepalive_s=5)
    with listening(Worker(config, store, most_rows=20, receive_maximum=50)) as worker:
        for seq in range(300):
            sent = message.encode(Message(Number("g1", "b", seq + 1, seq + 1), 5, power_batch(seq * 10, 5)))
            foreign.client.publish("kgce/v1/g1/batch", sent, qos=1)
        time.sleep(16)
        assert worker.is_listening
        assert 5 <= worker.heard.waiting_messages <= 50
        assert worker.heard.messages == 0
        is_away.clear()
        until(lambda: worker.heard.messages >= 300)
        assert worker.heard.store_failures > 0
        assert (worker.heard.waiting_messages, worker.heard.waiting_rows) == (0, 0)
    assert len(store.rows) == 1500


def test_workers_tell_each_other_what_they_took_and_only_a_real_hole_is_a_gap(mosquitto_port, foreign) -> None:
    store = Store()
    with (
        listening(worker_for(mosquitto_port, store, worker="1")) as one,
        listening(worker_for(mosquitto_port, store, worker="2")) as two,
    ):
        for seq in [*range(1, 41), *range(45, 60)]:
            sent = message.encode(Message(Number("g1", "b", seq, seq), 5, power_batch(seq * 10, 1)))
            foreign.send("kgce/v1/g1/batch", sent)
        until(lambda: one.heard.messages + two.heard.messages == 55)
        assert min(one.heard.messages, two.heard.messages) > 10, "they share the work"
        for worker in (one, two):
            until(lambda worker=worker: worker._watch._numbers.gaps(for_s=0) == [Gap("g1", "b", 41, 44)])
        assert one.heard.gaps == two.heard.gaps == [], "it has not stood long enough to be told"


def test_a_gap_that_stays_is_told_once_and_kept_as_an_event(mosquitto_port, foreign, monkeypatch, caplog) -> None:
    monkeypatch.setattr(watch, "_LOOK_S", 0.1)
    events = []

    class Keeps(Store):
        def append_events(self, gateway, found) -> None:
            events.extend((gateway, one.id, one.message) for one in found)

    worker = worker_for(mosquitto_port, Keeps())
    worker._watch._gap_s = 0.5
    with listening(worker):
        for seq in (1, 2, 5):
            foreign.send(
                "kgce/v1/g1/batch", message.encode(Message(Number("g1", "b", seq, seq), 5, power_batch(seq * 10, 1)))
            )
        until(lambda: worker.heard.gaps == [Gap("g1", "b", 3, 4)])
        time.sleep(1)
        foreign.send("kgce/v1/g1/batch", message.encode(Message(Number("g1", "b", 3, 4), 5, power_batch(30, 1))))
        until(lambda: worker.heard.gaps == [])
    assert [(gateway, name) for gateway, name, _ in events] == [("g1", "ingest.gap"), ("g1", "ingest.gap_closed")]
    assert "batches 3 to 4 of start b never came" in events[0][2]


def test_newest_values_are_told_after_they_are_stored(mosquitto_port, foreign) -> None:
    seen = []
    with listening(worker_for(mosquitto_port, Store(), on_kept=seen.append)):
        foreign.send("kgce/v1/g1/batch", payload(rows=3))
        until(lambda: any(topic == "kgce/ingest/live" for topic, _ in foreign.receipts))
    [told] = [message.decode(bytes(found)) for topic, found in foreign.receipts if topic == "kgce/ingest/live"]
    assert len(told.batch) == 1, "the newest row of the one series"
    assert told.batch.time_ms[0] == power_batch(0, 3).time_ms.max()
    assert len(seen) == 1


def test_metrics_are_what_prometheus_reads(mosquitto_port, foreign) -> None:
    with listening(worker_for(mosquitto_port, Store())) as worker:
        foreign.send("kgce/v1/g1/status", orjson.dumps({"state": "online"}))
        foreign.send("kgce/v1/g1/batch", payload(rows=3))
        foreign.send("kgce/v1/g1/batch", b"{}")
        until(lambda: worker.heard.messages == 2)
        with exposed(HeardCollector(worker.heard, "1", lambda: worker.is_listening), "127.0.0.1", 0) as port:
            text = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10).read().decode()
    found = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert found["kgce_ingest_stored_total", "1"] == 3
    assert found["kgce_ingest_malformed_total", "1"] == 1
    assert found["kgce_ingest_listening", "1"] == 1
    assert found["kgce_ingest_gateways", "1", "online"] == 1


def test_a_broker_that_refuses_ends_the_worker_with_what_to_do(tmp_path) -> None:
    port, config = free_port(), tmp_path / "closed.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous false\n")
    with process([require_tool("mosquitto"), "-c", str(config)], tmp_path / "log"):
        wait_for_port(port)
        with pytest.raises(ConfigError, match="refuses"):
            worker_for(port, Store()).run(threading.Event())


def test_two_workers_of_one_name_are_told(mosquitto_port, caplog) -> None:
    """Each connection of one ends that of the other."""
    with listening(worker_for(mosquitto_port, Store())), listening(worker_for(mosquitto_port, Store())):
        until(lambda: "does another worker use the name '1' too?" in caplog.text)
