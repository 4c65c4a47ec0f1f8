"""A whole gateway, meter to broker, against thingsboard-gateway: CPU time for the same readings of the same meters.

Both poll the same simulated meters every second, keep every reading in SQLite before it is sent, and publish it with
QoS 1 to the same Mosquitto. Counted is what arrives at the broker; the CPU time is the gateway process's own.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks import thingsboard
from benchmarks.meters import free_ports, meters, wait_for
from benchmarks.table import Row

METERS = 20
PROFILE = "eastron-sdm630"
WARM_S = 20.0  # both have connected and polled by then
MEASURED_S = 30.0
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def run() -> list[Row]:
    """Readings per CPU second of the gateway process; empty, with a word why, where the peer cannot be set up."""
    why_not = thingsboard.lacking() or ("" if shutil.which("mosquitto") else "Mosquitto is not installed")
    if why_not:
        sys.stderr.write(f"skipping the gateway benchmark: {why_not}\n")
        return []
    with tempfile.TemporaryDirectory() as folder, meters(METERS) as ports, _broker(Path(folder)) as broker:
        ours, ours_s = _measure(_kgce(Path(folder) / "kgce", ports, broker), broker, _count_kgce)
        peer, peer_s = _measure(
            thingsboard.start(Path(folder) / "tb", ports, broker, PROFILE), broker, thingsboard.count_readings
        )
    note = (
        f"{METERS} meters x 39 values every second, SQLite buffer, MQTT QoS 1; "
        f"CPU s per 1 000 readings: {1000 / ours:.3f} and {1000 / peer:.3f}; "
        f"{ours_s:.0f} and {peer_s:.0f} readings/s arrived"
    )
    return [Row("gateway, meter to broker", ours, peer, "readings per CPU s", "thingsboard-gateway 3.8.5", note)]


Answer = Callable[[mqtt.Client, mqtt.MQTTMessage], int]


def _measure(gateway: subprocess.Popen[bytes], broker: int, count: Answer) -> tuple[float, float]:
    """(readings per CPU second, readings per second) while a gateway runs warm; ends it."""
    arrived = _Arrived(broker, count)
    try:
        time.sleep(WARM_S)
        if gateway.poll() is not None:
            raise RuntimeError(f"a gateway ended by itself with {gateway.returncode}")
        readings, cpu_s = arrived.readings, _cpu_s(gateway.pid)
        time.sleep(MEASURED_S)
        readings, cpu_s = arrived.readings - readings, _cpu_s(gateway.pid) - cpu_s
    finally:
        gateway.kill()
        gateway.wait()
        arrived.close()
    if not readings:
        raise RuntimeError("no reading of a gateway arrived at the broker")
    return readings / cpu_s, readings / MEASURED_S


class _Arrived:
    """Counts the readings that reach the broker."""

    def __init__(self, broker: int, count: Answer) -> None:
        self.readings = 0
        self._lock = threading.Lock()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self._client.on_message = lambda client, _, message: self._add(count(client, message))
        self._client.connect("127.0.0.1", broker)
        self._client.subscribe("#", 0)
        self._client.loop_start()

    def _add(self, readings: int) -> None:
        with self._lock:
            self.readings += readings

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def _cpu_s(pid: int) -> float:
    """User and system time of a process with all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def _kgce(folder: Path, ports: list[int], broker: int) -> subprocess.Popen[bytes]:
    folder.mkdir()
    devices = [
        {
            "host": "127.0.0.1",
            "port": port,
            "devices": [
                {"institution": "bench", "device": f"m{port}", "profile": PROFILE, "interval_s": 1.0, "unit": 1}
            ],
            "timeout_s": 0.9,
        }
        for port in ports
    ]
    tables: dict[str, Any] = {"gateway": {"id": "bench", "folder": str(folder)}, "modbus": devices}
    (folder / "gateway.json").write_bytes(orjson.dumps(tables))
    command = [sys.executable, "-m", "benchmarks.kgce_gateway", str(folder / "gateway.json"), str(broker)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL)


def _count_kgce(_: mqtt.Client, message: mqtt.MQTTMessage) -> int:
    return len(orjson.loads(message.payload)["v"]) if message.topic.startswith("kgce/") else 0


@contextmanager
def _broker(folder: Path) -> Iterator[int]:
    port = free_ports(1)[0]
    file = folder / "mosquitto.conf"
    file.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nlog_type none\n")
    child = subprocess.Popen([shutil.which("mosquitto") or "mosquitto", "-c", str(file)], stderr=subprocess.DEVNULL)
    try:
        wait_for(port)
        yield port
    finally:
        child.terminate()
        child.wait()
