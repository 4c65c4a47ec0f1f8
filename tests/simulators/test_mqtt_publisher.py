import asyncio
import contextlib
import itertools
import json
import logging
import math
from datetime import UTC, datetime

import pytest

from kgce.simulators.mqtt_publisher import MqttPublisher, Report
from tests import servers
from tests.simulators.world import OFFICE, WINTER_MS, frozen_site, one_building_site

TWO_METERS = """
[[building.device]]
id = "w"
model = "water_meter"
interval_s = 0.1
[[building.device]]
id = "g"
model = "gas_meter"
topic = "plant/gas"
interval_s = 0.1
"""


async def mosquitto_sub(port: int, topic: str, count: int) -> list[tuple[str, dict]]:
    """(topic, JSON) of the next messages, as the real mosquitto_sub prints them."""
    command = ["-h", "127.0.0.1", "-p", str(port), "-t", topic, "-v", "-q", "1", "-C", str(count), "-W", "15"]
    process = await asyncio.create_subprocess_exec(
        servers.require_tool("mosquitto_sub"), *command, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 0, output
    return [(line.split(" ", 1)[0], json.loads(line.split(" ", 1)[1])) for line in output.decode().splitlines()]


@contextlib.asynccontextmanager
async def running(publisher: MqttPublisher):
    task = asyncio.create_task(publisher.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def eventually(condition, timeout_s=15.0):
    """Give other tasks their turn until the condition holds."""
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.01)


async def test_mosquitto_sub_receives_what_the_meters_count(mosquitto_port):
    async with one_building_site(TWO_METERS, broker_port=mosquitto_port) as site:
        messages = await mosquitto_sub(mosquitto_port, "#", 6)

    by_topic = dict(messages)
    assert set(by_topic) == {"kgce-sim/i/w", "plant/gas"}
    for topic, device, name, pulses_per_m3 in (("kgce-sim/i/w", "w", "water", 1000), ("plant/gas", "g", "gas", 100)):
        message = by_topic[topic]
        volume = site.truth("i", device, f"{name}_volume", WINTER_MS)
        assert set(message) == {"time", "volume_m3", "flow_m3_h"}
        assert message["volume_m3"] == math.floor(volume * pulses_per_m3) / pulses_per_m3  # whole pulses only
        assert message["flow_m3_h"] == pytest.approx(site.truth("i", device, f"{name}_flow", WINTER_MS), abs=5e-5)
        assert datetime.fromisoformat(message["time"]) == datetime.fromtimestamp(WINTER_MS / 1000, UTC)


async def test_every_meter_of_the_shipped_site_is_heard(mosquitto_port):
    """All meters report at once when they connect; a subscriber that came first hears each of them."""
    listening = asyncio.create_task(mosquitto_sub(mosquitto_port, "kgce-sim/#", 5))
    async with frozen_site(broker_port=mosquitto_port) as site:
        topics = {topic for topic, _ in await listening}
        expected = {entry["topic"] for entry in site.gateway_config()["mqtt"][0]["subscriptions"]}

    assert topics == expected
    assert f"kgce-sim/{OFFICE}/water-meter" in topics


async def test_meters_find_a_broker_that_comes_late_and_complain_once(tmp_path, caplog):
    port = servers.free_port()
    counter = itertools.count()
    report = Report("late", 0.05, lambda time_ms: json.dumps({"n": next(counter)}).encode())
    publisher = MqttPublisher([report], host="127.0.0.1", port=port, client_id="late", clock=lambda: 1.0)
    with caplog.at_level(logging.WARNING, logger="kgce"), contextlib.ExitStack() as broker:
        async with running(publisher):
            await eventually(lambda: publisher.attempts >= 3)
            assert publisher.published == 0
            broker.enter_context(mosquitto_on(tmp_path, port))
            await eventually(lambda: publisher.published >= 2)

    assert [record.message.split(" (")[0] for record in caplog.records] == [f"no broker at 127.0.0.1:{port}"]


async def test_meters_survive_a_broker_restart(tmp_path, caplog):
    port = servers.free_port()
    report = Report("again", 0.05, lambda time_ms: b"{}")
    publisher = MqttPublisher([report], host="127.0.0.1", port=port, client_id="again", clock=lambda: 1.0)
    with caplog.at_level(logging.WARNING, logger="kgce"), contextlib.ExitStack() as second_broker:
        async with running(publisher):
            with mosquitto_on(tmp_path, port):
                await eventually(lambda: publisher.published >= 2)
            await eventually(lambda: any("will keep trying" in record.message for record in caplog.records))
            before = publisher.published
            second_broker.enter_context(mosquitto_on(tmp_path, port))
            await eventually(lambda: publisher.published >= before + 2)


@contextlib.contextmanager
def mosquitto_on(folder, port):
    """A real Mosquitto on a given port."""
    config = folder / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n")
    with servers.process([servers.require_tool("mosquitto"), "-c", str(config)], folder / "mosquitto.log"):
        servers.wait_for_port(port)
        yield


async def test_a_site_without_a_broker_is_quiet_and_says_so_in_its_configuration():
    async with one_building_site(TWO_METERS) as site:
        assert site.gateway_config()["mqtt"] == []
        assert site.gateway_config(1883)["mqtt"][0]["port"] == 1883
