"""The centre takes what gateways send, once, and answers only to the gateway that asked."""

import threading
import time
from typing import ClassVar

import orjson
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from kgce.collectors.ingest.letters import DeadLetters, letters_in
from kgce.collectors.ingest.worker import Worker
from kgce.collectors.mqtt.broker_config import SecureBrokerConfig
from kgce.collectors.uplink import event_message, message, topics
from kgce.collectors.uplink.message import Message, Number
from kgce.domain.errors import ConfigError, StoreUnavailable
from kgce.domain.events import Event, Severity
from tests.collectors.ingest.world import Store, payload, until, worker_for
from tests.edge.fakes import power_batch
from tests.edge.uplink.centre import centre, listening


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


def test_onlookers_that_fail_and_payloads_that_break_the_decoder_hold_nothing_up(
    mosquitto_port, foreign, tmp_path
) -> None:
    def fails(_batch: object) -> None:
        raise ZeroDivisionError("an onlooker's bug")

    letters = DeadLetters(tmp_path, clock=time.time)
    worker = worker_for(mosquitto_port, Store(), letters=letters, on_kept=fails)
    decode = worker._decoder.decode

    def breaks(found: bytes, gateway: str):
        return 1 // 0 if b"poison" in found else decode(found, gateway)

    worker._decoder.decode = breaks
    with listening(worker):
        foreign.send("kgce/v1/g1/batch", b"poison", answer_to="kgce/v1/g1/receipt")
        foreign.send("kgce/v1/g1/batch", payload(), answer_to="kgce/v1/g1/receipt")
        until(lambda: len(foreign.answers("kgce/v1/g1/receipt")) == 2)
    poisoned, good = foreign.answers("kgce/v1/g1/receipt")
    assert "cannot be read" in poisoned.reason
    assert good.result.stored == 2
    assert [one.payload for one in letters_in(tmp_path)] == [b"poison"]
