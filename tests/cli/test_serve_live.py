"""`kgce serve --broker`: what gateways send is seen at once, with the embedded store and beside workers elsewhere."""

import contextlib
import json
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kgce.domain.errors import StoreUnavailable
from kgce.domain.ports import AppendResult
from kgce.edge.buffer.parcel import Parcel
from kgce.edge.uplink.config import MqttSink
from kgce.edge.uplink.mqtt_sink import MqttParcelSink
from tests.edge.fakes import power_batch
from tests.servers import free_port, wait_for_port


@contextlib.contextmanager
def running(folder: Path, *arguments: str) -> Iterator[None]:
    with (folder / f"{arguments[0]}.log").open("wb") as log:
        child = subprocess.Popen([sys.executable, "-m", "kgce", *arguments], cwd=folder, stdout=log, stderr=log)
    try:
        yield
        assert child.poll() is None, (folder / f"{arguments[0]}.log").read_text()
        child.terminate()
        assert child.wait(30) == 0
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()


@contextlib.contextmanager
def stream(port: int) -> Iterator[Callable[[], dict]]:
    """Server-sent events: each call gives the next readings."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/live", timeout=40) as answer:
        assert answer.readline().startswith(b": connected")

        def read() -> dict:
            while not (line := answer.readline()).startswith(b"data: "):
                pass
            return json.loads(line.removeprefix(b"data: "))[0]

        yield read


def gateway(port: int) -> MqttParcelSink:
    table = MqttSink(kind="mqtt", host="127.0.0.1", port=port, receipt_timeout_s=30.0)
    return MqttParcelSink(table, "g1", boot=lambda: "b-1-0")


@pytest.mark.parametrize("kind", ["embedded", "influxdb"])
def test_a_reading_is_on_the_live_stream_a_moment_after_its_receipt(tmp_path, mosquitto_port, influx_server, kind):
    broker, port = f"127.0.0.1:{mosquitto_port}", free_port()
    store = ("--store", f"{influx_server.url}/live_{uuid.uuid4().hex}") if kind == "influxdb" else ()
    with contextlib.ExitStack() as stack:
        if kind == "influxdb":
            stack.enter_context(running(tmp_path, "ingest", "--broker", broker, *store))
        stack.enter_context(running(tmp_path, "serve", "--port", str(port), "--broker", broker, *store))
        wait_for_port(port, timeout_s=60)
        read = stack.enter_context(stream(port))
        sink = gateway(mosquitto_port)
        batch = power_batch(0, 1)
        assert delivered(sink, Parcel("b-1-0", 1, 1, batch)) == AppendResult(stored=1)
        seen = read()
        sink.close()
    assert (seen["value"], seen["quantity"]) == (batch.value[0], batch.series[0].quantity)


def delivered(sink: MqttParcelSink, parcel: Parcel) -> AppendResult:
    """A gateway sends until it has its receipt."""

    deadline = time.monotonic() + 60
    while True:
        try:
            return sink.deliver(parcel)
        except StoreUnavailable:
            assert time.monotonic() < deadline
            time.sleep(0.5)
