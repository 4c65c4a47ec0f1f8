"""Field hazards 38 to 47 of devices.md, each against a real Mosquitto, in both versions of MQTT where it matters."""

import asyncio
import logging
import time
from pathlib import Path

import aiomqtt
import pytest

from tests.collectors.mqtt.live import PLUG, SHELLY, Receiver, broker, gateway, running, send, tasmota, until

NOON_MS = 1_688_205_600_000  # 2023-07-01T12:00 in Berlin is 10:00Z: `date -u -d 2023-07-01T10:00Z +%s`
VERSIONS = pytest.mark.parametrize("version", ["3.1.1", "5"])
POWER = "shellies/em/emeter/0/power"


@pytest.mark.hazard(38)
@VERSIONS
async def test_a_kept_value_without_its_own_time_is_no_sample(mosquitto_port: int, version: str) -> None:
    await send(mosquitto_port, POWER, "999", retain=True)
    await send(mosquitto_port, "tele/plug1/SENSOR", tasmota(5), retain=True)
    source, receiver = gateway(mosquitto_port, SHELLY, PLUG, version=version), Receiver()
    async with running(source, receiver):
        await send(mosquitto_port, POWER, "1500")
        await until(lambda: len(receiver.rows()) == 2)
        assert source.status()[1].online is False, "what was kept proves no life"
    assert (NOON_MS, 0.005) in receiver.rows(), "with its own time a kept message is a reading of then"
    assert 0.999 not in {value for _, value in receiver.rows()}


@pytest.mark.hazard(38)
@VERSIONS
async def test_an_empty_kept_message_clears_and_is_not_zero(mosquitto_port: int, version: str) -> None:
    source, receiver = gateway(mosquitto_port, SHELLY, version=version), Receiver()
    async with running(source, receiver):
        await send(mosquitto_port, POWER, "", retain=True)
        await send(mosquitto_port, POWER, "1500")
        await until(lambda: bool(receiver.rows()))
    assert [value for _, value in receiver.rows()] == [1.5]
    assert source.refused == {"empty payload": 1}


@pytest.mark.hazard(39, 47)
@VERSIONS
async def test_the_gateway_publishes_nothing_so_it_commands_nobody(tmp_path: Path, version: str) -> None:
    """The broker's own log is the witness; a command that was kept is delivered to the device, not to us."""
    with broker(tmp_path) as server:
        await send(server.port, "cmnd/plug1/EnergyReset1", "0", retain=True)
        source, receiver = gateway(server.port, PLUG, version=version), Receiver()
        async with running(source, receiver):
            await send(server.port, "tele/plug1/SENSOR", tasmota(5))
            await until(lambda: bool(receiver.rows()))
        await until(lambda: "PUBACK from kgce-test" in server.said())
        log = server.said()
    assert "Sending PUBLISH to kgce-test" in log
    assert "Received PUBLISH from kgce-test" not in log
    assert "EnergyReset" not in "".join(line for line in log.splitlines() if "to kgce-test" in line)


@pytest.mark.hazard(40)
async def test_a_message_delivered_twice_is_the_same_reading_twice(mosquitto_port: int) -> None:
    """Same series, same time, same value: the store counts a duplicate."""
    source, receiver = gateway(mosquitto_port, PLUG), Receiver()
    async with running(source, receiver):
        await send(mosquitto_port, "tele/plug1/SENSOR", tasmota(5), tasmota(5))
        await until(lambda: len(receiver.rows()) == 2)
    assert receiver.rows() == [(NOON_MS, 0.005)] * 2


@pytest.mark.hazard(40)
async def test_a_frame_the_radio_repeats_counts_once(mosquitto_port: int) -> None:
    sensor = {
        "convention": "openmqttgateway",
        "id": "Acurite/1/77",
        "institution": "office",
        "device": "hall",
        "fields": {"temperature": {"name": "temperature_C", "unit": "degC"}},
    }
    source, receiver = gateway(mosquitto_port, sensor), Receiver()
    topic = "home/OpenMQTTGateway/RTL_433toMQTT/Acurite/1/77"
    async with running(source, receiver):
        await send(mosquitto_port, topic, *['{"temperature_C":21.5}'] * 3, '{"temperature_C":22}')
        await until(lambda: 22 in {value for _, value in receiver.rows("temperature")})
    assert [value for _, value in receiver.rows("temperature")] == [21.5, 22]
    assert source.refused == {"repeated": 2}


@pytest.mark.hazard(41)
@VERSIONS
async def test_a_message_is_forgotten_by_the_broker_only_after_the_commit(mosquitto_port: int, version: str) -> None:
    first = Receiver()
    first.gate.clear()
    async with running(gateway(mosquitto_port, PLUG, version=version), first):
        await send(mosquitto_port, "tele/plug1/SENSOR", tasmota(7))
        await until(lambda: first.asked == 1)
    assert first.rows() == []
    second = Receiver()
    async with running(gateway(mosquitto_port, PLUG, version=version), second):
        await until(lambda: second.rows() == [(NOON_MS, 0.007)])
    third = Receiver()
    async with running(gateway(mosquitto_port, PLUG, version=version), third):
        await send(mosquitto_port, "tele/plug1/SENSOR", tasmota(8))
        await until(lambda: bool(third.rows()))
    assert third.rows() == [(NOON_MS, 0.008)]


@pytest.mark.hazard(42, 45)
@VERSIONS
async def test_what_was_sent_while_away_comes_late_and_keeps_its_time(mosquitto_port: int, version: str) -> None:
    """A stable name keeps the session; a device that empties its own queue backwards still dates each reading."""
    async with running(gateway(mosquitto_port, PLUG, version=version), Receiver()):
        pass
    late = [tasmota(watts, f"2023-07-01T12:00:0{watts}") for watts in (3, 1, 2)]
    await send(mosquitto_port, "tele/plug1/SENSOR", *late)
    again = Receiver()
    async with running(gateway(mosquitto_port, PLUG, version=version), again):
        await until(lambda: len(again.rows()) == 3)
    assert again.rows() == [(NOON_MS + watts * 1000, watts / 1000) for watts in (3, 1, 2)]


@pytest.mark.hazard(42)
@VERSIONS
async def test_a_wildcard_of_an_older_configuration_is_given_up(tmp_path: Path, version: str) -> None:
    with broker(tmp_path) as server:
        shelly = {**SHELLY, "prefix": "old/place"}
        async with running(gateway(server.port, shelly, PLUG, version=version), Receiver()):
            pass
        source, receiver = gateway(server.port, PLUG, version=version), Receiver()
        async with running(source, receiver):
            await send(server.port, "old/place/em/emeter/0/power", "5")
            await until(lambda: source.refused == {"topic not configured": 1})
            await until(lambda: "Received UNSUBSCRIBE from kgce-test" in server.said())
            await send(server.port, "tele/plug1/SENSOR", tasmota(5))
            await until(lambda: bool(receiver.rows()))
            await send(server.port, "old/place/em/emeter/0/power", "6")
            await send(server.port, "tele/plug1/SENSOR", tasmota(6))
            await until(lambda: len(receiver.rows()) == 2)
    assert source.refused == {"topic not configured": 1}


@pytest.mark.hazard(43)
@VERSIONS
async def test_two_clients_of_one_name_are_noticed_reported_and_slowed_down(
    mosquitto_port: int, version: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR, "kgce.collectors.mqtt")
    source, rival = (gateway(mosquitto_port, PLUG, version=version, timeout_s=0.5) for _ in range(2))
    async with running(source, Receiver()):
        task = asyncio.create_task(rival.run(Receiver().emit))
        await until(
            lambda: any("another client call itself 'kgce-test'" in record.message for record in caplog.records)
        )
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await until(lambda: not source.status()[0].last_error)
    assert len(caplog.records) <= 2, "told once by each"


@pytest.mark.hazard(44)
@VERSIONS
async def test_a_status_topic_counts_until_data_prove_it_stale(mosquitto_port: int, version: str) -> None:
    """The will was kept and no birth ever replaces it: the device sends and is there all the same."""
    await send(mosquitto_port, "tele/plug1/LWT", "Offline", retain=True)
    source, receiver = gateway(mosquitto_port, PLUG, version=version), Receiver()
    async with running(source, receiver):
        await until(lambda: source.status()[0].polls == 1)
        assert not source.status()[0].online
        await send(mosquitto_port, "tele/plug1/SENSOR", tasmota(5))
        await until(lambda: source.status()[0].online)
        await send(mosquitto_port, "tele/plug1/LWT", "Offline", retain=True)
        await until(lambda: not source.status()[0].online)
        await send(mosquitto_port, "tele/plug1/LWT", "Online", retain=True)
        await until(lambda: source.status()[0].online)


@pytest.mark.hazard(44)
async def test_a_will_the_broker_sends_takes_the_device_offline(mosquitto_port: int) -> None:
    source, receiver = gateway(mosquitto_port, PLUG), Receiver()
    async with running(source, receiver):
        will = aiomqtt.Will("tele/plug1/LWT", "Offline", qos=1, retain=True)
        async with aiomqtt.Client("127.0.0.1", mosquitto_port, identifier="plug1", will=will) as plug:
            await plug.publish("tele/plug1/LWT", "Online", qos=1, retain=True)
            await until(lambda: source.status()[0].online)
            async with aiomqtt.Client("127.0.0.1", mosquitto_port, identifier="plug1"):
                await until(lambda: not source.status()[0].online)  # thrown out: the broker publishes the will
            with pytest.raises(aiomqtt.MqttError):
                await anext(plug.messages)


async def test_a_stranger_on_a_watched_wildcard_is_told_once_and_never_stored(
    mosquitto_port: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "kgce.collectors.mqtt")
    source, receiver = gateway(mosquitto_port, SHELLY, watch=["shelly_gen1"]), Receiver()
    async with running(source, receiver):
        await send(mosquitto_port, "shellies/other/emeter/0/power", "1", "2")
        await send(mosquitto_port, POWER, "1500")
        await until(lambda: bool(receiver.rows()))
    assert [value for _, value in receiver.rows()] == [1.5]
    assert source.unknown_devices == ("other",)
    assert source.refused == {"device not configured": 2}
    assert len([record for record in caplog.records if "'other' is not configured" in record.message]) == 1


async def test_many_devices_in_one_message_each_get_their_own(mosquitto_port: int) -> None:
    """The shape of the ThingsBoard gateway: times and devices mixed in one message."""
    rooms = [
        {
            "convention": "thingsboard",
            "id": name,
            "institution": "office",
            "device": name,
            "fields": {"temperature": {"name": "temperature", "unit": "degC"}},
        }
        for name in ("Room 1", "Room 2")
    ]
    source, receiver = gateway(mosquitto_port, *rooms), Receiver()
    message = (
        '{"Room 1":[{"ts":1483228801000,"values":{"temperature":43}},{"ts":1483228800000,"values":{"temperature":42}}],'
        '"Room 2":[{"ts":1483228800000,"values":{"temperature":20}}],"Cellar":[{"ts":1483228800000,"values":{"temperature":9}}]}'
    )
    async with running(source, receiver):
        await send(mosquitto_port, "v1/gateway/telemetry", message)
        await until(lambda: len(receiver.rows("temperature")) == 3)
    assert sorted(receiver.rows("temperature")) == [(1483228800000, 20), (1483228800000, 42), (1483228801000, 43)]
    assert source.unknown_devices == ("Cellar",)


async def test_homie_values_wait_for_their_unit(mosquitto_port: int) -> None:
    meter = {
        "convention": "homie4",
        "id": "meter",
        "institution": "office",
        "device": "meter",
        "fields": {"active_power": {"name": "main/power"}},
    }
    source, receiver = gateway(mosquitto_port, meter), Receiver()
    async with running(source, receiver):
        await send(mosquitto_port, "homie/meter/main/power", "100")
        await until(lambda: source.refused == {"active_power unit not said yet": 1})
        await send(mosquitto_port, "homie/meter/main/power/$unit", "W", retain=True)
        await send(mosquitto_port, "homie/meter/main/power", "512.4")
        await until(lambda: bool(receiver.rows()))
    assert [value for _, value in receiver.rows()] == [pytest.approx(0.5124)]


async def test_a_message_that_expired_while_away_is_not_delivered(mosquitto_port: int) -> None:
    """MQTT 5: the publisher says how long a message is worth something, and the broker drops it then."""
    async with running(gateway(mosquitto_port, PLUG, version="5"), Receiver()):
        pass
    expiry = ("-V", "5", "-D", "publish", "message-expiry-interval", "1")
    await send(mosquitto_port, "tele/plug1/SENSOR", tasmota(1), extra=expiry)
    expired = time.monotonic() + 2.1  # the broker counts whole seconds
    await until(lambda: time.monotonic() > expired)
    await send(mosquitto_port, "tele/plug1/SENSOR", tasmota(2), extra=("-V", "5"))
    receiver = Receiver()
    async with running(gateway(mosquitto_port, PLUG, version="5"), receiver):
        await until(lambda: bool(receiver.rows()))
    assert [value for _, value in receiver.rows()] == [0.002]


async def test_the_broker_holds_back_what_we_cannot_take(tmp_path: Path) -> None:
    """MQTT 5 receive maximum: with 3 unacknowledged, the fourth waits at the broker, and nothing is lost."""
    with broker(tmp_path) as server:
        source, receiver = gateway(server.port, PLUG, version="5", receive_maximum=3), Receiver()
        receiver.gate.clear()
        async with running(source, receiver):
            await send(server.port, "tele/plug1/SENSOR", *(tasmota(watts) for watts in range(8)))
            await until(lambda: receiver.asked == 1)
            held = server.said().count("Sending PUBLISH to kgce-test")
            receiver.gate.set()
            await until(lambda: len(receiver.rows()) == 8)
    assert held == 3
    assert [value for _, value in receiver.rows()] == [watts / 1000 for watts in range(8)]


@VERSIONS
async def test_a_refused_password_is_said_with_the_brokers_reason(tmp_path: Path, version: str) -> None:
    secret = tmp_path / "secret"
    secret.write_text("wrong\n")
    with broker(tmp_path, "allow_anonymous false") as server:
        source = gateway(server.port, PLUG, version=version, username="gateway", password_file=str(secret))
        task = asyncio.create_task(source.run(Receiver().emit))
        await until(lambda: "uthori" in source.status()[0].last_error)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert not source.status()[0].online
