"""Parcels over a real Mosquitto to a real listener: safe means the centre's receipt is here."""

import threading
import time

import orjson
import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from kgce.domain.errors import InputError, StoreUnavailable
from kgce.domain.events import Event, Severity
from kgce.domain.ports import AppendResult
from kgce.edge.buffer.parcel import Parcel
from kgce.edge.uplink.config import MqttSink
from kgce.edge.uplink.mqtt_sink import MqttParcelSink
from tests.edge.fakes import NOW_MS, MemorySink, power_batch
from tests.edge.uplink.centre import centre
from tests.servers import free_port


class CentreStore(MemorySink):
    """Keeps readings and events in memory; `moods` as in MoodySink."""

    def __init__(self) -> None:
        super().__init__()
        self.events = []
        self.problems: list[Exception] = []

    def append(self, batch) -> AppendResult:
        if self.problems:
            raise self.problems.pop(0)
        return super().append(batch)

    def append_events(self, gateway, events) -> None:
        self.events += [(gateway, event) for event in events]


def sink_for(port: int, gateway: str = "g1", boot: str = "b-1-0", **keys) -> MqttParcelSink:
    keys = {"receipt_timeout_s": 20.0, **keys}
    return MqttParcelSink(MqttSink(kind="mqtt", host="127.0.0.1", port=port, **keys), gateway, boot=lambda: boot)


def parcel(first: int, last: int | None = None, rows: int = 3) -> Parcel:
    return Parcel("b-1-0", first, last or first, power_batch(first * 1000, rows))


def test_a_parcel_is_safe_once_the_centre_has_stored_it_and_said_so(mosquitto_port) -> None:
    store = CentreStore()
    sink = sink_for(mosquitto_port)
    with centre(mosquitto_port, store) as listener:
        assert sink.deliver(parcel(1)) == AppendResult(stored=3)
        assert len(store.rows) == 3
        assert sink.deliver(parcel(1)) == AppendResult(duplicate=3), "sent twice it changes nothing"
        assert len(store.rows) == 3
        assert (listener.heard.rows, listener.heard.stored, listener.heard.duplicate) == (6, 3, 3)
    sink.close()


def test_where_nobody_listens_the_broker_throws_away_and_the_parcel_stays(mosquitto_port) -> None:
    sink = sink_for(mosquitto_port)
    with pytest.raises(StoreUnavailable, match=r"No matching subscribers.*that ingest runs at the centre"):
        sink.deliver(parcel(1))
    sink.close()


def test_a_brokers_word_alone_is_not_enough(mosquitto_port) -> None:
    with centre(mosquitto_port, CentreStore()):
        pass  # the broker keeps messages for it
    sink = sink_for(mosquitto_port, receipt_timeout_s=0.5)
    with pytest.raises(StoreUnavailable, match=r"no receipt came from the centre.*does ingest run"):
        sink.deliver(parcel(1))
    sink.close()


def test_a_brokers_word_is_enough_where_the_file_says_so(mosquitto_port) -> None:
    with centre(mosquitto_port, CentreStore()):
        pass
    sink = sink_for(mosquitto_port, confirm="broker")
    assert sink.deliver(parcel(1)) == AppendResult(stored=3)
    sink.close()


def test_what_the_broker_kept_while_the_centre_was_away_is_taken_once_and_its_late_receipt_counts(
    mosquitto_port,
) -> None:
    store = CentreStore()
    with centre(mosquitto_port, store):
        pass  # its session is known to the broker from here on
    sink = sink_for(mosquitto_port, receipt_timeout_s=0.5)
    with pytest.raises(StoreUnavailable, match="no receipt"):
        sink.deliver(parcel(1))
    with centre(mosquitto_port, store) as listener:
        deadline = time.monotonic() + 20
        while not sink._late and time.monotonic() < deadline:
            time.sleep(0.01)
        assert sink.deliver(parcel(1)) == AppendResult(stored=3)
        assert listener.heard.messages == 1, "the receipt that came late spared a second sending"
    sink.close()


def test_a_parcel_larger_than_a_message_goes_in_parts_that_add_up(mosquitto_port) -> None:
    store = CentreStore()
    sink = sink_for(mosquitto_port, max_message_kb=1)
    with centre(mosquitto_port, store) as listener:
        assert sink.deliver(parcel(1, 4, rows=100)) == AppendResult(stored=100)
        assert listener.heard.messages == 6  # 1 024 // 56 = 18 rows a message
    assert len(store.rows) == 100
    sink.close()


def test_a_centre_whose_store_is_away_answers_once_it_is_back(mosquitto_port) -> None:
    store = CentreStore()
    store.problems = [StoreUnavailable("away"), StoreUnavailable("away")]
    sink = sink_for(mosquitto_port)
    with centre(mosquitto_port, store):
        assert sink.deliver(parcel(1)) == AppendResult(stored=3)
    sink.close()


def test_what_the_centre_can_never_take_is_told_with_its_reason(mosquitto_port) -> None:
    store = CentreStore()
    store.problems = [InputError("not acceptable")]
    sink = sink_for(mosquitto_port)
    with centre(mosquitto_port, store):
        with pytest.raises(InputError, match="not acceptable"):
            sink.deliver(parcel(1))
        assert sink.deliver(parcel(2)) == AppendResult(stored=3), "the next one is not held up"
    sink.close()


def test_events_arrive_with_their_evidence(mosquitto_port) -> None:
    store = CentreStore()
    sink = sink_for(mosquitto_port)
    event = Event("clock.jumped", NOW_MS, "gateway", Severity.WARNING, "the clock jumped", {"by_s": 86_400})
    with centre(mosquitto_port, store):
        sink.tell("g1", [event])
    assert store.events == [("g1", event)]
    sink.close()


def test_the_centres_time_is_heard_with_each_receipt(mosquitto_port) -> None:
    heard = []
    table = MqttSink(kind="mqtt", host="127.0.0.1", port=mosquitto_port)
    sink = MqttParcelSink(table, "g1", heard=lambda utc_s, took_s: heard.append((utc_s, took_s)))
    before = time.time()
    with centre(mosquitto_port, CentreStore()):
        sink.deliver(parcel(1))
    ((utc_s, took_s),) = heard
    assert before - 0.001 <= utc_s <= time.time()
    assert 0 < took_s < 20
    sink.close()


def test_a_gateway_is_online_then_stopped_and_lost_when_it_vanishes(mosquitto_port) -> None:
    states = []
    seen = threading.Condition()

    def on_message(_client, _data, message) -> None:
        with seen:
            states.append((orjson.loads(message.payload)["state"], message.topic))
            seen.notify_all()

    watcher = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
    watcher.on_message = on_message
    watcher.connect("127.0.0.1", mosquitto_port)
    watcher.subscribe("kgce/v1/+/status", 1)
    watcher.loop_start()
    try:
        with centre(mosquitto_port, CentreStore()):
            sink = sink_for(mosquitto_port)
            sink.deliver(parcel(1))
            sink.close()
            sink = sink_for(mosquitto_port)
            sink.deliver(parcel(2))
            sink._connection._client.socket().shutdown(2)  # the cable is pulled
            with seen:
                assert seen.wait_for(lambda: len(states) >= 4, timeout=20)
            sink.close()
        assert [state for state, _ in states[:4]] == ["online", "stopped", "online", "lost"]
        assert {topic for _, topic in states} == {"kgce/v1/g1/status"}
    finally:
        watcher.disconnect()
        watcher.loop_stop()


def test_two_gateways_with_one_id_are_both_told_and_both_deliver(mosquitto_port) -> None:
    store = CentreStore()
    with centre(mosquitto_port, store):
        first, second = (sink_for(mosquitto_port, boot=name, taken_over_wait_s=0.2) for name in ("b-1-0", "c-1-0"))
        waiting = {first: [parcel(n) for n in range(1, 6)], second: [parcel(n) for n in range(11, 16)]}
        told = dict.fromkeys(waiting, False)
        deadline = time.monotonic() + 60
        while (any(waiting.values()) or not all(told.values())) and time.monotonic() < deadline:
            for sink, parcels in waiting.items():
                try:
                    sink.deliver(parcels[0] if parcels else parcel(1))
                    del parcels[:1]
                except StoreUnavailable:
                    time.sleep(0.02)
                told[sink] |= sink.status()["taken_over"]
        assert not any(waiting.values())
        assert len(store.rows) == 30
        assert all(told.values())
        first.close()
        second.close()


def test_a_broker_that_is_not_there_is_named() -> None:
    port = free_port()
    with pytest.raises(StoreUnavailable, match=rf"127\.0\.0\.1:{port} cannot be reached"):
        sink_for(port).deliver(parcel(1))


def test_off_this_machine_tls_is_on_unless_the_file_says_otherwise() -> None:
    assert MqttSink(kind="mqtt", host="broker.example.org").tls
    assert MqttSink(kind="mqtt", host="broker.example.org").port == 8883
    assert not MqttSink(kind="mqtt", host="broker.example.org", tls=False).tls
    assert not MqttSink(kind="mqtt", host="127.0.0.1").tls
    assert not MqttSink(kind="mqtt", host="localhost").tls
    assert MqttSink(kind="mqtt", host="10.0.0.7").tls
