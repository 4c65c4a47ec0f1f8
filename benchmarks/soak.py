"""Endurance: the shipped gateway through simulated days with faults, and whether it is then what it was at the start.

Its clocks run faster (hurried.py): 10 minutes are two days. It reads meters every minute of its time, hands over to a
real InfluxDB, and on the way meets what days bring: meters that fall silent, a store that is away, reloads, people who
look at its page. Memory, open files, threads and the buffer are looked at all along.
"""

import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from tests.faults.processes import Influx

from benchmarks.meters import meters
from benchmarks.table import Row

METERS = 20
WALL_S = 600.0
SPEED = 288.0  # 10 minutes are 48 hours
WARM_SHARE = 0.5  # caches fill, each outage's backlog teaches the allocator its size
LOOK_S = 2.0
PROFILE = "eastron-sdm630"
DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Look:
    """What the process used at one moment."""

    at_s: float
    resident_mb: float
    open_files: int
    threads: int


@dataclass(frozen=True, slots=True)
class Endured:
    """The looks, and what the gateway said at its end."""

    looks: Sequence[Look]
    final: dict[str, Any]
    stored: int  # readings the store really holds
    faults: int

    def settled(self) -> Sequence[Look]:
        """Without the warm-up."""
        return self.looks[int(len(self.looks) * WARM_SHARE) :]

    def slope_mb_per_day(self, speed: float) -> float:
        """Of the resident memory, in days of the gateway's own time."""
        looks = self.settled()
        days = np.array([look.at_s for look in looks]) * speed / DAY_S
        return float(np.polyfit(days, [look.resident_mb for look in looks], 1)[0])


def run() -> list[Row]:
    """Rows whose ratio is the state at the begin over that at the end: 1.00 is flat."""
    if not shutil.which("influxd"):
        sys.stderr.write("skipping the endurance run: InfluxDB is not installed\n")
        return []
    with tempfile.TemporaryDirectory() as folder:
        done = endure(Path(folder), wall_s=WALL_S, speed=SPEED)
    counts, looks = done.final["counters"], done.settled()
    if not done.final["equation_holds"] or counts["waiting"] or done.stored != counts["stored"]:
        raise RuntimeError(f"the books do not balance: {counts}, the store holds {done.stored}")
    days = WALL_S * SPEED / DAY_S
    fifth = max(len(looks) // 5, 1)
    first, last = looks[:fifth], looks[-fifth:]
    begin, end = (float(np.median([look.resident_mb for look in part])) for part in (first, last))
    tenths = np.array_split(np.array([look.resident_mb for look in done.looks]), 10)
    by_tenths = " ".join(f"{np.median(part):.1f}" for part in tenths)
    parts = " + ".join(f"{counts[part]:,} {part}" for part in ("stored", "duplicate", "refused", "dropped"))
    note = (
        f"{days:.1f} days, {METERS} meters every minute, {done.faults} faults; "
        f"by tenths of the time {by_tenths} MB, {done.slope_mb_per_day(SPEED):+.2f} MB a day in the second half; "
        f"{counts['polled']:,} polled = {parts}"
    )
    rows = [Row("endurance, memory", begin, end, "MB", "itself at the end", note)]
    for what in ("open_files", "threads"):
        most = f"most {max(getattr(look, what) for look in looks)}"
        begin, end = (float(np.median([getattr(look, what) for look in part])) for part in (first, last))
        rows.append(Row(f"endurance, {what.replace('_', ' ')}", begin, end, "", "itself at the end", most))
    return rows


def endure(folder: Path, *, wall_s: float, speed: float, meter_count: int = METERS) -> Endured:
    """Run it, harm it, watch it, stop it in order."""
    looks: list[Look] = []
    with ExitStack() as stack:
        influx = Influx(folder / "influx")
        stack.callback(influx.end)
        influx.start()
        influx.query("CREATE DATABASE kgce", method="POST")
        ports, meter_pid = stack.enter_context(meters_with_pid(meter_count))
        gateway = stack.enter_context(_gateway(folder, ports, influx.url, speed, wall_s))
        harm = _Harm(influx, meter_pid, gateway.pid, folder / "gw")
        began_s = time.monotonic()
        faults = 0
        plan = _plan(wall_s, harm)
        while (passed := time.monotonic() - began_s) < wall_s:
            if gateway.poll() is not None:
                raise RuntimeError(f"the gateway ended by itself: {(folder / 'log').read_text()[-2000:]}")
            while plan and plan[0][0] <= passed:
                plan.pop(0)[1]()
                faults += 1
            looks.append(_look(gateway.pid, passed))
            time.sleep(min(LOOK_S, wall_s / 50))
        harm.heal()
        os.kill(meter_pid, signal.SIGSTOP)  # nothing new: what waits can be handed over whole
        _wait_until_nothing_waits(folder / "gw")
        gateway.terminate()
        if gateway.wait(60):
            raise RuntimeError(f"the gateway ended with {gateway.returncode}")
        os.kill(meter_pid, signal.SIGCONT)
        final = orjson.loads((folder / "final.json").read_bytes())
        return Endured(looks, final, influx.count(), faults)


def _plan(wall_s: float, harm: "_Harm") -> list[tuple[float, Callable[[], None]]]:
    """Ten rounds of the same faults, so that a leak of any of them shows as a slope."""
    rounds, plan = 10, []
    for number in range(rounds):
        begin = wall_s * (number + 0.1) / rounds
        step = wall_s / rounds / 10
        jobs = (harm.freeze_meters, harm.thaw_meters, harm.stop_store, harm.start_store, harm.reload, harm.visit)
        plan += [(begin + place * step, job) for place, job in enumerate(jobs)]
    return plan


class _Harm:
    """What happens to the gateway."""

    def __init__(self, influx: Influx, meter_pid: int, gateway_pid: int, folder: Path) -> None:
        self._influx, self._meter_pid, self._gateway_pid, self._folder = influx, meter_pid, gateway_pid, folder

    def freeze_meters(self) -> None:
        os.kill(self._meter_pid, signal.SIGSTOP)

    def thaw_meters(self) -> None:
        os.kill(self._meter_pid, signal.SIGCONT)

    def stop_store(self) -> None:
        self._influx.kill()

    def start_store(self) -> None:
        if not self._influx.is_alive:
            self._influx.start()

    def reload(self) -> None:
        os.kill(self._gateway_pid, signal.SIGHUP)

    def visit(self) -> None:
        for page in ("", "status.json", "metrics"):
            with suppress(OSError):
                _get(self._folder, page)

    def heal(self) -> None:
        self.thaw_meters()
        if not self._influx.is_alive:
            self._influx.start()


def _wait_until_nothing_waits(folder: Path) -> None:
    deadline = time.monotonic() + 120
    while orjson.loads(_get(folder, "status.json"))["counters"]["waiting"]:
        if time.monotonic() > deadline:
            raise RuntimeError("the gateway does not hand over what waits")
        time.sleep(0.5)


def _get(folder: Path, page: str) -> bytes:
    url = orjson.loads((folder / "local.json").read_bytes())["url"]
    with urllib.request.urlopen(f"{url}/{page}", timeout=20) as answer:
        body: bytes = answer.read()
    return body


def _look(pid: int, at_s: float) -> Look:
    process = Path(f"/proc/{pid}")
    status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines() if ":" in line)
    files = len(list((process / "fd").iterdir()))
    return Look(at_s, int(status["VmRSS"].split()[0]) / 1024, files, int(status["Threads"]))


@contextmanager
def meters_with_pid(count: int) -> Iterator[tuple[list[int], int]]:
    """Simulated meters and the process they live in."""
    with meters(count) as ports:
        child = multiprocessing.active_children()[-1]
        yield ports, int(child.pid or 0)


@contextmanager
def _gateway(
    folder: Path, ports: Sequence[int], url: str, speed: float, wall_s: float
) -> "Iterator[subprocess.Popen[bytes]]":
    links = "".join(
        f'\n[[modbus]]\nhost = "127.0.0.1"\nport = {port}\ntimeout_s = 50\ndevices = [{{ institution = "soak",'
        f' device = "m{number}", profile = "{PROFILE}", interval_s = 60, unit = 1 }}]\n'
        for number, port in enumerate(ports)
    )
    file = folder / "gateway.toml"
    file.write_text(
        f'[gateway]\nid = "soak"\nfolder = "gw"\n[local]\nlisten = "127.0.0.1:0"\n[uplink]\nlongest_wait_s = 300\n'
        f'[sink]\nkind = "influxdb"\nurl = "{url}"\ndatabase = "kgce"\n{links}'
    )
    command = [sys.executable, "-m", "benchmarks.hurried", str(speed), "--days", str(wall_s * speed / DAY_S)]
    command += ["edge", "run", str(file), "--json"]
    with (folder / "log").open("wb") as log, (folder / "final.json").open("wb") as final:
        child = subprocess.Popen(command, stdout=final, stderr=log)
    try:
        deadline = time.monotonic() + 30
        while not (folder / "gw" / "local.json").exists() and time.monotonic() < deadline and child.poll() is None:
            time.sleep(0.1)
        yield child
    finally:
        child.kill()
        child.wait()
