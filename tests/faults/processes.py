"""Processes that a test may kill, stop, freeze and start again on the same port and folder."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urlencode

import orjson

from tests import servers
from tests.conftest import ROOT

PATIENCE_S = 90.0


def eventually(condition: Callable[[], object], what: str, *, timeout_s: float = PATIENCE_S) -> None:
    """Wait until it is true."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"never happened: {what}"
        time.sleep(0.1)


class Process:
    """One child with its log."""

    def __init__(self, command: Sequence[str], log: Path, *, env: dict[str, str] | None = None) -> None:
        self.command, self.log, self.env = list(command), log, env
        self.child: subprocess.Popen[bytes] | None = None

    def start(self, command: Sequence[str] | None = None) -> None:
        with self.log.open("ab") as log, self.log.with_suffix(".out").open("wb") as out:
            self.child = subprocess.Popen(
                list(command or self.command), stdout=out, stderr=log, cwd=ROOT, env={**os.environ, **(self.env or {})}
            )

    @property
    def is_alive(self) -> bool:
        return self.child is not None and self.child.poll() is None

    def kill(self) -> None:
        assert self.child is not None
        self.child.kill()
        self.child.wait(20)

    def signal(self, number: int) -> None:
        assert self.child is not None
        self.child.send_signal(number)

    def stop(self, *, timeout_s: float = 20.0) -> int:
        """In order; how it ended."""
        assert self.child is not None
        self.child.terminate()
        return self.child.wait(timeout_s)

    def died(self) -> int:
        """Wait until it is dead by itself; how it ended."""
        assert self.child is not None
        return self.child.wait(PATIENCE_S)

    def end(self) -> None:
        """Whatever state it is in."""
        if self.is_alive:
            self.signal(signal.SIGCONT)
            self.kill()

    def said(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""


class Broker(Process):
    """Mosquitto, with or without a memory."""

    def __init__(self, folder: Path, *, persistence: bool = True, host: str = "127.0.0.1", more: str = "") -> None:
        folder.mkdir(parents=True)
        folder.chmod(0o777)
        self.port = servers.free_port()
        config = folder / "mosquitto.conf"
        keeps = f"persistence true\npersistence_location {folder}/\nautosave_interval 1\nautosave_on_changes true\n"
        config.write_text(
            f"{more}listener {self.port} {host}\nallow_anonymous true\nmax_queued_messages 0\nuser root\n"
            + (keeps if persistence else "persistence false\n")
        )
        self.host = host
        super().__init__([servers.require_tool("mosquitto"), "-c", str(config)], folder / "broker.log")

    def start(self, command: Sequence[str] | None = None) -> None:
        super().start(command)
        if self.host == "127.0.0.1":
            servers.wait_for_port(self.port)


class Influx(Process):
    """InfluxDB 1.6.7 that keeps its data over a kill."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.port, rpc = servers.free_port(), servers.free_port()
        config = folder / "influxdb.conf"
        config.write_text(
            "reporting-disabled = true\n"
            f'bind-address = "127.0.0.1:{rpc}"\n'
            f'[meta]\ndir = "{folder}/meta"\n'
            f'[data]\ndir = "{folder}/data"\nwal-dir = "{folder}/wal"\n'
            f'[http]\nbind-address = "127.0.0.1:{self.port}"\nlog-enabled = false\n'
            "[monitor]\nstore-enabled = false\n"
        )
        self.url = f"http://127.0.0.1:{self.port}"
        super().__init__([servers.require_tool("influxd"), "run", "-config", str(config)], folder / "influxd.log")

    def start(self, command: Sequence[str] | None = None) -> None:
        super().start(command)
        servers.wait_for_port(self.port)

    def write(self, line: str) -> None:
        """Straight into the server, past kgce."""
        request = urllib.request.Request(f"{self.url}/write?db=kgce", data=line.encode(), method="POST")
        with urllib.request.urlopen(request, timeout=30):
            pass

    def query(self, influxql: str, *, method: str = "GET") -> dict:
        request = urllib.request.Request(
            f"{self.url}/query?{urlencode({'q': influxql, 'db': 'kgce', 'epoch': 'ms'})}",
            method=method,
            data=b"" if method == "POST" else None,
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return orjson.loads(answer.read())

    def rows(self, measurement: str, device: str, field: str) -> list[tuple[int, float]]:
        """(ms, value) of every point, by time; asked in InfluxQL, past our own store."""
        found = self.query(f'SELECT "{field}" FROM "{measurement}" WHERE "device" = \'{device}\'')
        series = found["results"][0].get("series", [])
        return [(int(at), float(value)) for one in series for at, value in one["values"] if value is not None]

    def count(self) -> int:
        """Every reading of every series: each field of each point but the quality bits and what is derived."""
        measurements = self.query("SHOW MEASUREMENTS")["results"][0].get("series", [])
        total = 0
        for (name,) in measurements[0]["values"] if measurements else []:
            if name in {"event", "touched"}:
                continue
            series = self.query(f'SELECT count(*) FROM "{name}"')["results"][0].get("series", [])
            for one in series:
                counts = dict(zip(one["columns"], one["values"][0], strict=True))
                total += sum(n for column, n in counts.items() if is_reading(column))
        return total


def is_reading(column: str) -> bool:
    """A column of `count(*)` that counts readings."""
    return column.startswith("count_") and not column.endswith("_q")


def kgce(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "kgce", *arguments]
