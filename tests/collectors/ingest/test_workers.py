"""Workers beside each other, and what they tell: gaps, newest values, metrics, brokers that refuse."""

import threading
import time
import urllib.request

import orjson
import pytest
from prometheus_client.parser import text_string_to_metric_families

from kgce.collectors.ingest import watch
from kgce.collectors.ingest.metrics import HeardCollector, exposed
from kgce.collectors.ingest.numbers import Gap
from kgce.collectors.uplink import message
from kgce.collectors.uplink.message import Message, Number
from kgce.domain.errors import ConfigError
from tests.collectors.ingest.world import Store, payload, until, worker_for
from tests.edge.fakes import power_batch
from tests.edge.uplink.centre import listening
from tests.servers import free_port, process, require_tool, wait_for_port


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
