"""TLS against a real Mosquitto: both sides are checked, and what fails says what to do."""

import asyncio
import gc
from pathlib import Path
from typing import Any

import pytest

from kgce.collectors.mqtt.config import MqttConfig
from kgce.collectors.mqtt.source import MqttSource
from kgce.domain.errors import ConfigError
from tests.collectors.mqtt.certificates import Authority, Pair
from tests.collectors.mqtt.live import PLUG, Receiver, broker, gateway, running, send, tasmota, until

pytestmark = pytest.mark.filterwarnings("ignore:.*ssl.SSLSocket:pytest.PytestUnraisableExceptionWarning")


def server_lines(pair: Pair, *more: str) -> tuple[str, ...]:
    return (f"certfile {pair.certificate}", f"keyfile {pair.key}", *more)


async def failure(port: int, **tls: Any) -> str:
    """What the source says about a connection that cannot be made."""
    source = gateway(port, PLUG, tls=True, **tls)
    task = asyncio.create_task(source.run(Receiver().emit))
    try:
        await until(lambda: source.status()[0].last_error not in {"", "not connected yet"})
        assert not source.status()[0].online
        return source.status()[0].last_error
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        gc.collect()  # paho leaves the socket of a failed handshake to the collector: here, not in another test


@pytest.mark.parametrize("version", ["3.1.1", "5"])
async def test_readings_come_through_tls_with_certificates_of_both_sides(tmp_path: Path, version: str) -> None:
    authority = Authority(tmp_path, "authority")
    server, client = authority.sign("server"), authority.sign("client")
    lines = server_lines(server, f"cafile {authority.file}", "require_certificate true")
    own = {"ca_file": str(authority.file), "cert_file": str(client.certificate), "key_file": str(client.key)}
    with broker(tmp_path, *lines) as mosquitto:
        source, receiver = gateway(mosquitto.port, PLUG, version=version, tls=True, **own), Receiver()
        async with running(source, receiver):
            extra = ("--cafile", own["ca_file"], "--cert", own["cert_file"], "--key", own["key_file"])
            await send(mosquitto.port, "tele/plug1/SENSOR", tasmota(5), extra=extra)
            await until(lambda: [value for _, value in receiver.rows()] == [0.005])


@pytest.mark.hazard(46)
async def test_a_certificate_not_valid_yet_says_that_the_clock_is_the_likely_cause(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "authority")
    with broker(tmp_path, *server_lines(authority.sign("server", days=(10, 20)))) as mosquitto:
        # the wall clock is the one shown; OpenSSL compares with the machine's own
        text = await failure(mosquitto.port, ca_file=str(authority.file), wall_clock=lambda: 946_684_800.0)
    assert "clock says 2000-01-01 00:00 UTC and is probably wrong" in text


@pytest.mark.hazard(46)
async def test_an_expired_certificate_names_both_causes(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "authority")
    with broker(tmp_path, *server_lines(authority.sign("server", days=(-20, -10)))) as mosquitto:
        text = await failure(mosquitto.port, ca_file=str(authority.file))
    assert "has expired, or this machine's clock is wrong" in text


async def test_a_certificate_of_another_name_is_refused(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "authority")
    with broker(tmp_path, *server_lines(authority.sign("server", host="other.invalid"))) as mosquitto:
        assert "is for another name" in await failure(mosquitto.port, ca_file=str(authority.file))


async def test_a_certificate_of_another_authority_is_refused(tmp_path: Path) -> None:
    authority, other = Authority(tmp_path, "authority"), Authority(tmp_path, "other")
    with broker(tmp_path, *server_lines(authority.sign("server"))) as mosquitto:
        assert "authority unknown here" in await failure(mosquitto.port, ca_file=str(other.file))


async def test_a_broker_that_wants_a_client_certificate_stays_closed_without_one(tmp_path: Path) -> None:
    """Under TLS 1.3 the refusal comes after the handshake, as a lost connection: the reason need not be said."""
    authority = Authority(tmp_path, "authority")
    lines = server_lines(authority.sign("server"), f"cafile {authority.file}", "require_certificate true")
    with broker(tmp_path, *lines) as mosquitto:
        assert await failure(mosquitto.port, ca_file=str(authority.file), timeout_s=1)


def test_a_file_that_holds_no_certificate_is_refused_before_connecting(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing here")
    config = {"host": "127.0.0.1", "client_id": "kgce-test", "devices": [PLUG], "tls": True, "ca_file": str(empty)}
    with pytest.raises(ConfigError, match=r"cannot use the certificates of .*empty\.pem"):
        MqttSource(MqttConfig.model_validate(config))
