"""The gateway's process: a changed file is followed on SIGHUP without losing a poll, a wrong one refused whole."""

import signal
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from tests import servers
from tests.faults.processes import eventually
from tests.faults.world import Gateway, Meter

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def meter(tmp_path: Path) -> Iterator[Meter]:
    (tmp_path / "meter").mkdir()
    found = Meter(tmp_path / "meter")
    found.start()
    servers.wait_for_port(found.port)
    yield found
    found.end()


def toml(meter: Meter, *, second: str = "") -> str:
    """A gateway whose store is away; `second` is another link."""
    return (
        '[gateway]\nid = "gw"\nfolder = "gw"\n[local]\nlisten = "127.0.0.1:0"\n[buffer]\nmin_free_mb = 0\n'
        'min_free_percent = 0\n[sink]\nkind = "influxdb"\nurl = "http://127.0.0.1:9"\ndatabase = "x"\n'
        f'[[modbus]]\nhost = "127.0.0.1"\nport = {meter.port}\ntimeout_s = 0.4\n'
        'devices = [{ device = "main", unit = 1, profile = "eastron-sdm630", interval_s = 0.5, institution = "hall" }]\n'
        + second
    )


@pytest.fixture
def gateway(tmp_path: Path, meter: Meter) -> Iterator[Gateway]:
    made = Gateway(tmp_path / "one", toml(meter))
    made.start()
    eventually(lambda: made.status().get("counters", {}).get("waiting"), "readings wait")
    yield made
    made.end()


def test_a_changed_file_is_followed_without_losing_a_poll(gateway: Gateway, meter: Meter, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Meter(tmp_path / "other")
    other.start()
    servers.wait_for_port(other.port)
    try:
        second = toml(other).partition("[[modbus]]")[2].replace('"main"', '"annexe"')
        gateway.file.write_text(toml(meter, second=f"[[modbus]]{second}"))
        gateway.signal(signal.SIGHUP)
        eventually(other.served, "the new meter is read")
        before = len(meter.served())
        eventually(lambda: len(meter.served()) > before + 3, "the old one is read on")
        gateway.file.write_text(toml(meter))
        gateway.signal(signal.SIGHUP)
        eventually(lambda: len(gateway.status()["devices"]) == 1, "the new one is gone again")
    finally:
        other.end()
    status = gateway.final()
    assert [one["failures"] for one in status["devices"]] == [0]
    assert [one["restarts"] for one in status["sources"]] == [0]
    assert status["equation_holds"]


def test_a_wrong_file_is_refused_whole_and_everything_goes_on(gateway: Gateway, meter: Meter) -> None:
    gateway.file.write_text(toml(meter).replace("eastron-sdm630", "no-such-profile"))
    gateway.signal(signal.SIGHUP)
    eventually(lambda: gateway.status()["config"]["refused"], "told")
    assert "no-such-profile" in gateway.status()["config"]["refused"]["reason"]
    before = len(meter.served())
    eventually(lambda: len(meter.served()) > before + 2, "the meter is read on")
    assert any("configuration" in one["what"] for one in gateway.status()["problems"])


def test_a_gateway_stops_in_order_while_its_store_hangs(meter: Meter, tmp_path: Path) -> None:
    """A store that takes the connection and says nothing; the gateway ends all the same, and keeps everything."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as deaf:
        text = toml(meter).replace("127.0.0.1:9", f"127.0.0.1:{deaf.getsockname()[1]}")
        gateway = Gateway(tmp_path / "one", text)
        gateway.start()
        try:
            eventually(lambda: gateway.status().get("counters", {}).get("waiting"), "readings wait")
            assert gateway.stop(timeout_s=10) == 0, gateway.said()
        finally:
            gateway.end()
    last = orjson.loads(gateway.log.with_suffix(".out").read_bytes())
    assert last["equation_holds"]
    assert last["counters"]["waiting"] == last["counters"]["polled"] > 0
