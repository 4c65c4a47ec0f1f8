"""Real servers for tests: each starts its own copy on a free port in a temporary folder and ends it."""

import contextlib
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

DEBIAN_PACKAGE = {
    "influxd": "influxdb",
    "victoria-metrics": "victoria-metrics",
    "mosquitto": "mosquitto",
    "mosquitto_pub": "mosquitto-clients",
    "mosquitto_sub": "mosquitto-clients",
    "chromium": "chromium",
    "mbpoll": "mbpoll",
}
MISSING: list[str] = []  # shown loudly at the end of the run


def lacking(what: str) -> None:
    """Skip loudly; in CI fail, because there everything must be there."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI must have it: {what}")
    MISSING.append(what)
    pytest.skip(what)


def require_tool(name: str) -> str:
    """Path of an installed program, or a loud skip."""
    path = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if path is None:
        lacking(f"{name} is not installed: apt-get install {DEBIAN_PACKAGE.get(name, name)}")
    assert path is not None
    return path


def free_port() -> int:
    """A TCP port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_port(port: int, *, timeout_s: float = 15.0) -> None:
    """Return once something listens on the loopback port."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=0.5):
            return
        time.sleep(0.05)
    raise TimeoutError(f"nothing listens on 127.0.0.1:{port} after {timeout_s} s")


@contextlib.contextmanager
def process(command: list[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server; on the way out terminate it, and kill it if it will not go."""
    with log.open("wb") as sink:
        child = subprocess.Popen(command, stdout=sink, stderr=subprocess.STDOUT)
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.wait(timeout=10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait(timeout=10)


@dataclass(frozen=True)
class Influx:
    """A running InfluxDB 1.x."""

    url: str
    folder: Path

    def query(self, influxql: str, *, db: str = "", method: str = "GET") -> bytes:
        """Raw answer of `/query`."""
        from urllib.parse import urlencode

        request = urllib.request.Request(
            f"{self.url}/query?{urlencode({'q': influxql, 'db': db})}",
            method=method,
            data=b"" if method == "POST" else None,
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return bytes(answer.read())


@contextlib.contextmanager
def influxdb(folder: Path) -> Iterator[Influx]:
    """InfluxDB 1.6.7 from Debian, empty."""
    daemon = require_tool("influxd")
    port, rpc = free_port(), free_port()
    config = folder / "influxdb.conf"
    config.write_text(
        "reporting-disabled = true\n"
        f'bind-address = "127.0.0.1:{rpc}"\n'
        f'[meta]\ndir = "{folder}/meta"\n'
        f'[data]\ndir = "{folder}/data"\nwal-dir = "{folder}/wal"\n'
        f'[http]\nbind-address = "127.0.0.1:{port}"\nlog-enabled = false\n'
        "[monitor]\nstore-enabled = false\n"
    )
    url = f"http://127.0.0.1:{port}"
    with process([daemon, "run", "-config", str(config)], folder / "influxd.log"):
        wait_for_port(port)
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            with contextlib.suppress(urllib.error.URLError), urllib.request.urlopen(f"{url}/ping", timeout=2):
                break
            time.sleep(0.1)
        yield Influx(url, folder)


@contextlib.contextmanager
def victoria_metrics(folder: Path) -> Iterator[str]:
    """VictoriaMetrics 1.79 from Debian, empty; gives its URL."""
    daemon = require_tool("victoria-metrics")
    port = free_port()
    command = [
        daemon, f"-storageDataPath={folder}/data", f"-httpListenAddr=127.0.0.1:{port}", "-retentionPeriod=100y",
        "-memory.allowedBytes=512MB",
    ]  # fmt: skip
    with process(command, folder / "victoria-metrics.log"):
        wait_for_port(port)
        yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def mosquitto(folder: Path) -> Iterator[int]:
    """Mosquitto on a free loopback port; gives the port."""
    broker = require_tool("mosquitto")
    port = free_port()
    config = folder / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n")
    with process([broker, "-c", str(config)], folder / "mosquitto.log"):
        wait_for_port(port)
        yield port
