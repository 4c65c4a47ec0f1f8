"""A whole site in one process: every model, protocol and mode; the gateway's own collectors read it."""

import asyncio
import math
import struct

import pytest
from pymodbus import FramerType
from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient

from kgce.collectors.config import CollectorsConfig
from kgce.collectors.drivers import build_sources
from kgce.domain.errors import ConfigError
from kgce.simulators.fault_plan import parse_fault
from kgce.simulators.faults import Busy, Silent, TornFrame
from kgce.simulators.models import Speaks, models
from kgce.simulators.site import Site, load_site
from kgce.simulators.site_config import parse_site
from kgce.simulators.value_faults import ClockOff, CounterDip
from tests.simulators.modbus_client import connected
from tests.simulators.test_mqtt_publisher import eventually, mosquitto_sub
from tests.simulators.world import ONE_BUILDING, WINTER_MS, one_building_site

METER = '[[building.device]]\nid = "m"\nmodel = "sdm630"\n'
WATER = '[[building.device]]\nid = "w"\nmodel = "water_meter"\ninterval_s = 0.05\n'
FRAMERS = {"tcp": FramerType.SOCKET, "rtu": FramerType.RTU, "rtu-over-tcp": FramerType.RTU, "ascii": FramerType.ASCII}


def campus(**options) -> Site:
    return Site(load_site("campus"), clock=lambda: WINTER_MS / 1000, **options)


def test_the_campus_has_hundreds_of_devices_of_every_model():
    config = load_site("campus")
    devices = [device for building in config.buildings for device in building.devices]

    assert len(devices) >= 300
    assert {device.model for device in devices} == set(models())
    assert {str(device.mode) for device in devices if device.facts.speaks is Speaks.MODBUS} == set(FRAMERS)


async def test_every_modbus_device_of_the_campus_answers_pymodbus():
    """Each device's first register, in the mode the gateway's file states."""
    async with campus() as site:
        links = site.gateway_config()["modbus"]
        answered = await asyncio.gather(*(read_first_registers(site, link) for link in links))

    assert sum(answered) == sum(len(link["devices"]) for link in links) >= 150


async def read_first_registers(site, link):
    framer = FRAMERS[link.get("mode", "tcp")]
    if "serial" in link:
        client = AsyncModbusSerialClient(link["serial"], framer=framer)
    else:
        client = AsyncModbusTcpClient(link["host"], port=link["port"], framer=framer)
    assert await client.connect()
    for device in link["devices"]:
        register_map = site.device(device["institution"], device["device"]).register_map
        first = register_map.registers[0]
        read = client.read_holding_registers if register_map.function == 3 else client.read_input_registers
        count = 1 if register_map.habits.enron else first.length
        answer = await read(first.address, count=count, device_id=device["unit"])
        assert not answer.isError(), (device, answer)
        assert len(answer.registers) == first.length
    client.close()
    return len(link["devices"])


async def test_the_collectors_read_every_device_once_and_find_the_planted_truth():
    """Counters of all polled devices, through the configuration the site writes for its gateway."""
    async with campus() as site:
        config = CollectorsConfig.model_validate(site.gateway_config())
        links = [link for name in ("modbus", "dlt645", "cjt188", "mbus") for link in getattr(config, name)]
        sources = [source for source in build_sources(config) if hasattr(source, "poll")]
        found = await asyncio.gather(*(poll_all(site, *pair) for pair in zip(sources, links, strict=True)))
        for source in sources:
            if hasattr(source, "close"):
                source.close()

    devices = sum(len(link.devices) for link in links)
    assert len(found) == len(links)
    assert sum(polled for polled, _ in found) == devices >= 300
    assert sum(compared for _, compared in found) > devices, "most devices have several counters"


async def poll_all(site, source, link):
    compared = 0
    for device in link.devices:
        batch = await source.poll(device.device)
        assert len(batch), device
        truth = site.device(device.institution, device.device).values(WINTER_MS)
        for row, value in zip(batch.index, batch.value, strict=True):
            name = batch.series[row].quantity
            if name in truth and ("energy" in name or "volume" in name):
                compared += 1
                # the coarsest counters: 0.1 kWh at 32-bit floats' seven digits, M-Bus heat in whole kWh
                assert value == pytest.approx(truth[name], rel=1e-6, abs=0.51), (device.device, name)
    return len(link.devices), compared


async def test_a_count_stands_for_so_many_devices_and_buildings():
    text = ONE_BUILDING + 'count = 3\n[[building.device]]\nid = "m"\nmodel = "b23"\nunit = 10\ncount = 2\n'
    config = parse_site(text, "test")

    assert [building.institution for building in config.buildings] == ["i-1", "i-2", "i-3"]
    assert [(device.id, device.unit) for device in config.buildings[2].devices] == [("m-1", 10), ("m-2", 11)]
    async with Site(config, clock=lambda: WINTER_MS / 1000) as site:
        shares = {site.truth(f"i-{row}", "m-1", "active_energy_import", WINTER_MS) for row in (1, 2, 3)}
    assert len(shares) == 3, "each building lives its own life"


def test_addresses_of_meters_count_up_with_their_zeros():
    text = f'{ONE_BUILDING}[[building.device]]\nid = "m"\nmodel = "dlt645_meter"\naddress = "000000000009"\ncount = 2\n'

    assert [one.address for one in parse_site(text, "test").buildings[0].devices] == ["000000000009", "000000000010"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (METER + "count = 0\n", "count"),
        (METER.replace("sdm630", "sdm999"), "no simulated device 'sdm999'"),
        (METER + 'mode = "rtu"\nport = 5020\n', "a pseudo terminal has no port"),
        (METER + "serial = true\n", "does not go over a terminal"),
        (METER + "ratios = { ct = 40 }\n", "has no ratios"),
        (METER.replace("sdm630", "dlt645_meter"), "needs an address"),
        (METER.replace("sdm630", "multical403"), "heated_area_m2"),
        (METER + '[[fault]]\ndevice = "x"\nkind = "busy"\n', "no such device"),
        (METER + '[[fault]]\ndevice = "m"\nkind = "odd"\n', "no fault 'odd'"),
        (METER + '[[fault]]\ndevice = "m"\nkind = "busy"\nevery_s = 1\nfor_s = 1\n', "not below every_s"),
    ],
)
def test_a_wrong_device_or_fault_is_refused_with_its_reason(text, reason):
    with pytest.raises(ConfigError, match=reason):
        parse_site(ONE_BUILDING + text, "test")


async def test_faults_from_the_file_and_from_the_command_line_reach_the_wire():
    text = METER + '[[building.device]]\nid = "n"\nmodel = "sdm120"\nunit = 2\n[[fault]]\ndevice = "m"\nkind = "busy"\n'
    async with one_building_site(text, faults=[parse_fault("i/n:exception:4")]) as site:
        _, port, _ = site.address("i", "m")
        async with connected(port) as client:
            await asyncio.sleep(0)
            assert await client.read(1, 4, 0, 2) == bytes((0x84, 6))
            assert await client.read(2, 4, 0, 2) == bytes((0x84, 4))


@pytest.mark.hazard(33)
async def test_a_counter_dip_is_zero_once_on_the_wire_and_the_truth_stays():
    async with one_building_site(METER) as site:
        _, port, unit = site.address("i", "m")
        truth = site.truth("i", "m", "active_energy_import", WINTER_MS)
        site.set_fault("i", "m", CounterDip())
        async with connected(port) as client:
            [dip] = await client.floats(unit, 72, 1)
            [back] = await client.floats(unit, 72, 1)

    assert (dip, back) == (0.0, pytest.approx(truth, rel=1e-6))


async def test_healing_takes_both_families_of_faults_away():
    async with one_building_site(METER) as site:
        _, port, unit = site.address("i", "m")
        site.set_fault("i", "m", Busy())
        site.set_fault("i", "m", CounterDip(100))
        site.set_fault("i", "m", None)
        async with connected(port) as client:
            [energy] = await client.floats(unit, 72, 1)

    assert energy == pytest.approx(site.truth("i", "m", "active_energy_import", WINTER_MS), rel=1e-6)


async def test_a_reconnect_storm_ends_every_connection_again_and_again():
    text = METER + '[[fault]]\ndevice = "m"\nkind = "reconnect"\nstart_s = 0.05\nevery_s = 0.05\n'
    async with one_building_site(text) as site:
        server = site.line("i", "m")
        for _ in range(3):
            async with connected(server.port) as client:
                assert await client.closed_by_peer()
        assert server.accepted >= 3


async def test_a_publisher_in_a_reconnect_storm_comes_back_each_time(mosquitto_port):
    text = WATER + '[[fault]]\ndevice = "w"\nkind = "reconnect"\nstart_s = 0.1\nevery_s = 0.1\n'
    async with one_building_site(text, broker_port=mosquitto_port) as site:
        await eventually(lambda: site.publisher is not None and site.publisher.attempts >= 4)
        messages = await mosquitto_sub(mosquitto_port, "#", 3)

    assert {topic for topic, _ in messages} == {"kgce-sim/i/w"}


async def test_a_publishing_meter_can_be_silent_or_have_a_wrong_clock_but_not_torn_frames(mosquitto_port):
    async with one_building_site(WATER + WATER.replace('"w"', '"x"'), broker_port=mosquitto_port) as site:
        site.set_fault("i", "x", Silent())
        site.set_fault("i", "w", ClockOff(86_400))
        await eventually(lambda: site.publisher.published >= 4)
        messages = await mosquitto_sub(mosquitto_port, "#", 3)
        with pytest.raises(ConfigError, match="only be silent"):
            site.set_fault("i", "w", TornFrame())

    assert {topic for topic, _ in messages} == {"kgce-sim/i/w"}
    assert messages[0][1]["time"].startswith("2026-01-15"), "a day ahead"
    volume = site.truth("i", "w", "water_volume", WINTER_MS)
    assert messages[0][1]["volume_m3"] == math.floor(volume * 1000) / 1000


async def test_devices_of_mqtt_conventions_publish_under_their_own_topics(mosquitto_port):
    text = "".join(
        f'[[building.device]]\nid = "{name}"\nmodel = "{name}"\ninterval_s = 0.1\nshare = 0.001\n'
        for name in ("tasmota", "zigbee2mqtt", "shelly_gen2")
    )
    async with one_building_site(text, broker_port=mosquitto_port) as site:
        messages = dict(await mosquitto_sub(mosquitto_port, "+/i-tasmota/SENSOR", 1))
        messages |= dict(await mosquitto_sub(mosquitto_port, "zigbee2mqtt/i-zigbee2mqtt", 1))
        [broker] = site.gateway_config()["mqtt"]
        CollectorsConfig.model_validate({"mqtt": [broker]})

    watts = site.truth("i", "tasmota", "active_power", WINTER_MS) * 1000
    energy = site.truth("i", "zigbee2mqtt", "active_energy_import", WINTER_MS)
    assert messages["tele/i-tasmota/SENSOR"]["ENERGY"]["Power"] == pytest.approx(watts, abs=1e-5)
    assert messages["zigbee2mqtt/i-zigbee2mqtt"]["energy"] == pytest.approx(energy, abs=1e-5)
    assert {device["id"] for device in broker["devices"]} == {"i-tasmota", "i-zigbee2mqtt", "i-shelly_gen2"}


async def test_a_torn_frame_on_an_m_bus_line_is_half_an_answer():
    """The same faults serve the protocols whose exchange is whole frames."""
    text = 'heated_area_m2 = 900\n[[building.device]]\nid = "h"\nmodel = "mbus_heat"\naddress = "5"\n'
    request = bytes((0x10, 0x5B, 5, 0x60, 0x16))  # REQ_UD2 to address 5, EN 13757-2
    async with one_building_site(text) as site:
        port = site.gateway_config()["mbus"][0]["port"]
        async with connected(port) as client:
            await client.send(request)
            head = await client.reader.readexactly(4)
            rest = await client.reader.readexactly(head[1] + 2)
        site.set_fault("i", "h", TornFrame())
        async with connected(port) as client:
            await client.send(bytes((0x10, 0x7B, 5, 0x80, 0x16)))
            half = await client.reader.readexactly((len(head) + len(rest)) // 2)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(client.reader.readexactly(1), 0.1)

    assert struct.unpack("B", half[:1]) == (0x68,)
