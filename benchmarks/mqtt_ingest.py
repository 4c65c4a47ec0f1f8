"""MQTT to the store: one ingest worker against a bare paho subscriber that drops what it hears.

The broker holds the messages ready; the clock runs from a tenth of them to the last one. Both have a session, quality
of service 1, and up to 1000 messages unacknowledged. 20 readings a message is what an institution sends (1.6 million
points of 80 000 institutions).
"""

import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from tests.servers import free_port, process, require_tool, wait_for_port

from benchmarks.table import Row
from kgce.collectors.ingest.worker import Worker
from kgce.collectors.mqtt.broker_config import SecureBrokerConfig
from kgce.collectors.uplink import message
from kgce.collectors.uplink.message import Message, Number
from kgce.domain.batch import Batch
from kgce.domain.tree import Series
from kgce.store.duckdb.store import DuckDbStore

SIZES = {20: 40_000, 100: 40_000, 1000: 4_000}  # readings a message -> messages
GATEWAYS = 50
ROUNDS = 3
START_MS = 1_767_225_600_000
FILTER = "$share/ingest/kgce/v1/+/batch"


def run() -> list[Row]:
    """Messages/s; the best of three alternating rounds of each."""
    rows = []
    for size, count in SIZES.items():
        payloads = _payloads(size, count)
        peers, ours = [], []
        for _ in range(ROUNDS):
            peers.append(_drained(payloads, _bare))
            ours.append(_drained(payloads, _kgce))
        note = (
            f"{size} readings, {len(payloads[0][1]):,} bytes a message; {max(ours) * size:,.0f} readings/s into DuckDB"
        )
        rows.append(Row(f"MQTT to store, {size} readings each", max(ours), max(peers), "messages/s", "bare paho", note))
    return rows


def _payloads(size: int, count: int) -> list[tuple[str, bytes]]:
    rng = np.random.default_rng(1)
    tables = [
        tuple(
            Series(f"institution-{gateway:04}", f"meter-{at}", "active_energy_import", "electricity", "main", "370102")
            for at in range(size)
        )
        for gateway in range(GATEWAYS)
    ]
    found = []
    for number in range(count):
        gateway = number % GATEWAYS
        value = np.round(rng.uniform(0, 1e6, size), 2)
        batch = Batch.of(tables[gateway], np.arange(size), np.full(size, START_MS + number * 1000), value)
        name = Number(f"g{gateway}", "b-1-0", number + 1, number + 1)
        found.append((f"kgce/v1/g{gateway}/batch", message.encode(Message(name, START_MS, batch))))
    return found


def _drained(payloads: list[tuple[str, bytes]], drain: Callable[[int, int], float]) -> float:
    """Fill a fresh broker's queue for one subscriber, then let him have it."""
    with tempfile.TemporaryDirectory() as folder:
        port, config = free_port(), Path(folder) / "mosquitto.conf"
        config.write_text(
            f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n"
            "max_queued_messages 0\nmax_queued_bytes 0\nmax_inflight_messages 1000\n"
        )
        with process([require_tool("mosquitto"), "-c", str(config)], Path(folder) / "log"):
            wait_for_port(port)
            waiting = _client(port, "kgce-ingest-bench")
            granted = threading.Event()
            waiting.on_subscribe = lambda *_: granted.set()
            waiting.subscribe(FILTER, 1)
            granted.wait(10)
            waiting.disconnect()
            waiting.loop_stop()
            publisher = _client(port, "publisher", inflight=1000)
            for topic, payload in payloads:
                last = publisher.publish(topic, payload, qos=1)
            last.wait_for_publish(120)
            publisher.disconnect()
            publisher.loop_stop()
            return drain(port, len(payloads))


def _client(port: int, name: str, on_message: Any = None, *, inflight: int = 20) -> mqtt.Client:
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=name, protocol=MQTTProtocolVersion.MQTTv5)
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval, properties.ReceiveMaximum = 3600, 1000
    client.max_inflight_messages_set(inflight)
    connected = threading.Event()
    client.on_connect = lambda *_: connected.set()
    client.on_message = on_message
    client.connect("127.0.0.1", port, clean_start=False, properties=properties)
    client.loop_start()
    connected.wait(10)
    return client


def _bare(port: int, count: int) -> float:
    """In a process of its own, as a worker is."""
    code = f"from benchmarks.mqtt_ingest import bare_rate; print(bare_rate({port}, {count}))"
    return float(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout)


def _kgce(port: int, count: int) -> float:
    code = f"from benchmarks.mqtt_ingest import kgce_rate; print(kgce_rate({port}, {count}))"
    return float(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout)


def bare_rate(port: int, count: int) -> float:
    """Messages/s of a subscriber that only counts."""
    heard, done, began = 0, threading.Event(), 0.0

    def on_message(*_: Any) -> None:
        nonlocal heard, began
        heard += 1
        if heard == count // 10:
            began = time.perf_counter()
        if heard == count:
            done.set()

    client = _client(port, "kgce-ingest-bench", on_message)
    done.wait(300)
    rate = (count - count // 10) / (time.perf_counter() - began)
    client.disconnect()
    client.loop_stop()
    return rate


def kgce_rate(port: int, count: int) -> float:
    """Messages/s of a worker that stores what it hears in DuckDB, committed."""
    sys.setswitchinterval(0.0005)  # as `kgce ingest` sets it
    with tempfile.TemporaryDirectory() as folder, DuckDbStore(Path(folder) / "readings.duckdb") as store:
        worker = Worker(SecureBrokerConfig(host="127.0.0.1", port=port), store, worker="bench")
        stopping = threading.Event()
        thread = threading.Thread(target=worker.run, args=(stopping,))
        thread.start()
        while worker.heard.messages < count // 10:
            time.sleep(0.001)
        first, began = worker.heard.messages, time.perf_counter()
        while worker.heard.messages < count:
            time.sleep(0.001)
        rate = (count - first) / (time.perf_counter() - began)
        stopping.set()
        thread.join()
        assert worker.heard.stored == worker.heard.rows
    return rate
