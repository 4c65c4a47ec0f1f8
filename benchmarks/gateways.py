"""A whole gateway, meter to broker, against thingsboard-gateway on the same meters: CPU, memory and punctuality.

1 000 points every second. Both keep every reading in SQLite before it is sent, and publish it with QoS 1 to the same
Mosquitto. Counted is what arrives at the broker; CPU time and memory are the gateway process's own; when a meter is
asked is noted by the meter.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import orjson
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks import thingsboard
from benchmarks.meters import free_ports, meters, wait_for
from benchmarks.table import Row

METERS = 26  # of 39 values each: 1 014 points
PROFILE = "eastron-sdm630"
PEER = f"thingsboard-gateway {thingsboard.VERSION}"
WARM_S = 20.0  # both have connected and polled by then
MEASURED_S = 60.0
ROUND_S = 1.0
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Measured:
    """What a gateway took for its work."""

    readings_per_cpu_s: float
    readings_per_s: float
    core_share: float  # of one core
    resident_mb: float
    late_ms: tuple[float, float, float]  # p50, p99, most: how far a round lies from its schedule


def run() -> list[Row]:
    """Three rows; empty, with a word why, where the peer cannot be set up."""
    why_not = thingsboard.lacking() or ("" if shutil.which("mosquitto") else "Mosquitto is not installed")
    if why_not:
        sys.stderr.write(f"skipping the gateway benchmark: {why_not}\n")
        return []
    with tempfile.TemporaryDirectory() as folder:
        ours = _measured(Path(folder) / "kgce", _kgce, _count_kgce)
        peer = _measured(Path(folder) / "tb", _thingsboard, thingsboard.count_readings)
    return rows(ours, peer)


def rows(ours: Measured, peer: Measured) -> list[Row]:
    """CPU, memory and punctuality, each so that more is better."""
    points = METERS * 39
    note = (
        f"{points} points every second, SQLite buffer, MQTT QoS 1; {100 * ours.core_share:.1f} % and "
        f"{100 * peer.core_share:.1f} % of one core; {ours.readings_per_s:.0f} and {peer.readings_per_s:.0f} readings/s"
    )
    memory = f"resident: {ours.resident_mb:.0f} MB and {peer.resident_mb:.0f} MB"
    late = "asked off schedule, p50/p99/most ms: {:.1f}/{:.1f}/{:.1f} and {:.1f}/{:.1f}/{:.1f}".format(
        *ours.late_ms, *peer.late_ms
    )
    return [
        Row("gateway, CPU", ours.readings_per_cpu_s, peer.readings_per_cpu_s, "readings per CPU s", PEER, note),
        Row("gateway, memory", points / ours.resident_mb, points / peer.resident_mb, "points per MB", PEER, memory),
        Row("gateway, punctuality", 1000 / ours.late_ms[1], 1000 / peer.late_ms[1], "1 / s late (p99)", PEER, late),
    ]


Start = Callable[[Path, list[int], int], "subprocess.Popen[bytes]"]
Count = Callable[[mqtt.Client, mqtt.MQTTMessage], int]


def _measured(folder: Path, start: Start, count: Count) -> Measured:
    """A gateway that runs warm; ends it."""
    folder.mkdir()
    with meters(METERS, folder / "asked.txt") as ports, _broker(folder) as broker:
        arrived = _Arrived(broker, count)
        gateway = start(folder, ports, broker)
        try:
            time.sleep(WARM_S)
            if gateway.poll() is not None:
                raise RuntimeError(f"a gateway ended by itself with {gateway.returncode}")
            readings, cpu_s, began_s = arrived.readings, _cpu_s(gateway.pid), time.monotonic()
            time.sleep(MEASURED_S)
            readings, cpu_s, ended_s = arrived.readings - readings, _cpu_s(gateway.pid) - cpu_s, time.monotonic()
            resident_mb = _resident_mb(gateway.pid)
        finally:
            gateway.kill()
            gateway.wait()
            arrived.close()
        time.sleep(1.0)  # the meters' notes reach the disk
    if not readings:
        raise RuntimeError("no reading of a gateway arrived at the broker")
    late_ms = lateness(folder / "asked.txt", began_s, ended_s)
    seconds = ended_s - began_s
    return Measured(readings / cpu_s, readings / seconds, cpu_s / seconds, resident_mb, late_ms)


def lateness(asked: Path, began_s: float, ended_s: float) -> tuple[float, float, float]:
    """p50, p99 and most (ms) by which rounds lie from each meter's own schedule of one a second."""
    times: dict[str, list[float]] = defaultdict(list)
    for line in asked.read_text().splitlines():
        port, _, at_s = line.partition(" ")
        if began_s <= float(at_s) <= ended_s:
            times[port].append(float(at_s))
    late: list[float] = []
    for one in times.values():
        starts = np.array(one)[np.r_[True, np.diff(one) > ROUND_S / 2]]  # the first request of each round
        phase = starts - ROUND_S * np.round((starts - starts[0]) / ROUND_S)
        late += np.abs(phase - np.median(phase)).tolist()
    p50, p99 = np.percentile(late, [50, 99])
    return 1000 * float(p50), 1000 * float(p99), 1000 * max(late)


class _Arrived:
    """Counts the readings that reach the broker."""

    def __init__(self, broker: int, count: Count) -> None:
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


def _resident_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _kgce(folder: Path, ports: list[int], broker: int) -> "subprocess.Popen[bytes]":
    """The gateway as it ships; the broker's word is enough, as it is for the peer."""
    links = "".join(
        f'\n[[modbus]]\nhost = "127.0.0.1"\nport = {port}\ntimeout_s = 0.9\ndevices = [{{ institution = "bench",'
        f' device = "m{port}", profile = "{PROFILE}", interval_s = 1.0, unit = 1 }}]\n'
        for port in ports
    )
    file = folder / "gateway.toml"
    file.write_text(
        f'[gateway]\nid = "bench"\nfolder = "gw"\n[local]\nlisten = "127.0.0.1:0"\n[uplink]\nflush_interval_s = 1\n'
        f'[sink]\nkind = "mqtt"\nhost = "127.0.0.1"\nport = {broker}\nconfirm = "broker"\n{links}'
    )
    command = [sys.executable, "-m", "kgce", "edge", "run", str(file)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _thingsboard(folder: Path, ports: list[int], broker: int) -> "subprocess.Popen[bytes]":
    return thingsboard.start(folder / "tb", ports, broker, PROFILE)


def _count_kgce(_: mqtt.Client, message: mqtt.MQTTMessage) -> int:
    return len(orjson.loads(message.payload)["v"]) if message.topic.endswith("/batch") else 0


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
