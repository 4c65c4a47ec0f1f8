import asyncio
import json
import re

import pytest

from kgce.domain.carriers import CARRIERS
from kgce.domain.errors import ConfigError, UnknownInstitution, UnknownPoint
from kgce.domain.quantities import quantity_of
from kgce.simulators.faults import Silent
from kgce.simulators.site import Site, load_site
from kgce.simulators.site_config import parse_site
from tests.simulators.modbus_client import connected
from tests.simulators.world import HOSPITAL, OFFICE, ONE_BUILDING, SCHOOL, WINTER_MS, frozen_site, one_building_site

METER = '[[building.device]]\nid = "m"\nmodel = "sdm630"\n'


async def test_the_shipped_site_has_the_devices_it_promises():
    async with frozen_site(broker_port=1) as site:
        config = site.gateway_config()

    devices = {(entry["institution"], entry["profile"]) for link in config["modbus"] for entry in link["devices"]}
    assert devices == {
        (OFFICE, "eastron-sdm630"),
        (OFFICE, "siemens-lmv5"),
        (OFFICE, "abb-terra-ac"),
        (SCHOOL, "eastron-sdm630"),
        (HOSPITAL, "eastron-sdm630"),
        (HOSPITAL, "siemens-lmv5"),
        (HOSPITAL, "honeywell-sola"),
    }
    meters = {(entry["institution"], entry["measurement"]) for entry in config["mqtt"][0]["subscriptions"]}
    assert meters == {(OFFICE, "water"), (OFFICE, "gas"), (SCHOOL, "water"), (HOSPITAL, "water"), (HOSPITAL, "gas")}


async def test_the_gateway_configuration_is_plain_data_a_gateway_can_use():
    async with frozen_site(broker_port=1234) as site:
        config = site.gateway_config()

    assert json.loads(json.dumps(config)) == config
    for link in config["modbus"]:
        assert set(link) == {"host", "port", "timeout_s", "devices"}
        assert link["host"] == "127.0.0.1"
        assert link["port"] > 0
        units = [device["unit"] for device in link["devices"]]
        assert len(set(units)) == len(units)
        for device in link["devices"]:
            assert set(device) == {
                "device",
                "unit",
                "profile",
                "interval_s",
                "institution",
                "building",
                "region",
                "counts",
            }
            assert link["timeout_s"] < device["interval_s"]
            assert device["counts"] == (device["profile"] == "eastron-sdm630")
    [broker] = config["mqtt"]
    assert set(broker) == {"host", "port", "client_id", "subscriptions"}
    for subscription in broker["subscriptions"]:
        metering = subscription["metering"]
        carrier = next(carrier for carrier in CARRIERS.values() if carrier.quantity == metering)
        assert subscription["measurement"] == carrier.measurement
        assert subscription["time"] == {"path": "time", "format": "iso"}
        for quantity, field in subscription["fields"].items():
            assert quantity_of(quantity).unit == field["unit"]


async def test_a_site_that_is_not_running_knows_no_ports():
    with pytest.raises(ConfigError, match="start the simulated site"):
        frozen_site().gateway_config(1883)


async def test_a_taken_port_is_said_in_one_line_and_nothing_stays_open():
    async with one_building_site(METER) as first:
        _, port, _ = first.address("i", "m")
        second = one_building_site(f"{METER}port = {port}\n")
        with pytest.raises(ConfigError, match=rf"cannot listen on 127\.0\.0\.1:{port}"):
            await second.start()


async def test_a_site_can_be_stopped_and_started_again():
    site = one_building_site(METER)
    for _ in range(2):
        async with site:
            _, port, unit = site.address("i", "m")
            async with connected(port) as client:
                [frequency] = await client.floats(unit, 70, 1)
                assert frequency == pytest.approx(site.truth("i", "m", "frequency", WINTER_MS), rel=1e-6)


async def test_a_fault_hits_the_named_device_only():
    async with frozen_site() as site:
        site.set_fault(OFFICE, "boiler", Silent())
        _, port, unit = site.address(OFFICE, "main-meter")
        async with connected(port) as client:
            with pytest.raises(TimeoutError):
                await client.read(2, 3, 12, 1, timeout_s=0.15)
            assert len(await client.floats(unit, 0, 3)) == 3
        site.set_fault(OFFICE, "boiler", None)
        async with connected(port) as client:
            assert await client.read(2, 3, 12, 1)


async def test_two_hundred_meters_on_one_loop_keep_answering():
    """200 units behind two ports, each read three times by its own client at once, each with its own truth."""
    buildings = "".join(
        f'[[building]]\ninstitution = "i{row}"\nbuilding = "b"\nregion = "370199"\nname = "{row}"\nuse = "office"\n'
        f'area_m2 = {500 + row}\npeople = 20\n[[building.device]]\nid = "m"\nmodel = "sdm630"\n'
        for row in range(200)
    )
    config = parse_site(f'[site]\nname = "many"\nseed = 1\n{buildings}', "test")

    async def read_one(site, row):
        _, port, unit = site.address(f"i{row}", "m")
        async with connected(port) as client:
            for _ in range(3):
                [energy_kwh] = await client.floats(unit, 72, 1)
        return energy_kwh

    early_ms = 1_420_041_600_000 + 40 * 86_400_000  # 40 days after the simulation's epoch
    async with Site(config, clock=lambda: early_ms / 1000) as site:
        seen = await asyncio.wait_for(asyncio.gather(*(read_one(site, row) for row in range(200))), 30)
        truth = [site.truth(f"i{row}", "m", "active_energy_import", early_ms) for row in range(200)]

    assert seen == pytest.approx(truth, rel=1e-6)
    assert len(set(seen)) == 200


class TestTruth:
    site = frozen_site()

    def test_it_is_in_canonical_units(self):
        """A 6 200 m2 office draws tens of kW, not tens of thousands."""
        assert 20 < self.site.truth(OFFICE, "main-meter", "active_power_total", WINTER_MS) < 300

    def test_all_parts_of_the_meter_agree(self):
        def meter(quantity):
            return self.site.truth(OFFICE, "main-meter", quantity, WINTER_MS)

        phases = ("l1", "l2", "l3")
        assert sum(meter(f"active_power_{phase}") for phase in phases) == pytest.approx(meter("active_power_total"))
        assert sum(meter(f"active_energy_import_{phase}") for phase in phases) == pytest.approx(
            meter("active_energy_import")
        )
        volt_ampere = sum(meter(f"voltage_{phase}_n") * meter(f"current_{phase}") for phase in phases)
        assert volt_ampere / 1000 == pytest.approx(meter("apparent_power_total"))
        assert meter("active_power_total") ** 2 + meter("reactive_power_total") ** 2 == pytest.approx(
            meter("apparent_power_total") ** 2
        )

    def test_unknown_names_are_answered_with_the_known_ones(self):
        with pytest.raises(UnknownInstitution, match="nobody"):
            self.site.truth("nobody", "main-meter", "frequency", WINTER_MS)
        with pytest.raises(UnknownPoint, match="main-meter"):
            self.site.truth(OFFICE, "nothing", "frequency", WINTER_MS)
        with pytest.raises(UnknownPoint, match="frequency"):
            self.site.truth(OFFICE, "main-meter", "wind", WINTER_MS)
        with pytest.raises(UnknownPoint, match="publishes MQTT"):
            self.site.address(OFFICE, "water-meter")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("[site", "not TOML", id="not TOML"),
        pytest.param('[site]\nname = "n"\nseed = 1\n', "building: Field required", id="no building"),
        pytest.param(ONE_BUILDING + "colour = 3\n", "building.0.colour: Extra inputs", id="unknown field"),
        pytest.param(ONE_BUILDING.replace('"office"', '"castle"'), "building.0.use", id="unknown use"),
        pytest.param(ONE_BUILDING.replace("= 1000", "= -1"), "building.0.area_m2", id="negative area"),
        pytest.param(ONE_BUILDING.replace("seed = 7", 'seed = 7\ntimezone = "Europe/London"'), "timezone", id="zone"),
        pytest.param(ONE_BUILDING + METER + METER, "same device twice", id="device twice"),
        pytest.param(ONE_BUILDING + METER + METER.replace('"m"', '"n"'), "same unit on one port", id="unit twice"),
        pytest.param(
            ONE_BUILDING + METER + 'topic = "a"\n', "a sdm630 has no topic", id="a Modbus device has no topic"
        ),
        pytest.param(
            ONE_BUILDING + METER.replace("sdm630", "water_meter") + "unit = 3\n",
            "a water_meter has no unit",
            id="a meter with MQTT has no unit",
        ),
        pytest.param(ONE_BUILDING + METER.replace("sdm630", "lmv5"), "heated_area_m2", id="boiler without heated area"),
        pytest.param(
            ONE_BUILDING + METER.replace("sdm630", "water_meter") + 'topic = "a/#"\n', "device.0.topic", id="wild card"
        ),
    ],
)
def test_a_wrong_site_is_refused_with_file_and_reason(text, reason):
    with pytest.raises(ConfigError, match=re.escape(reason)) as caught:
        parse_site(text, "my-site.toml")
    assert str(caught.value).startswith("my-site.toml: ")
    assert "\n" not in str(caught.value)


def test_a_site_is_read_from_a_path(tmp_path):
    path = tmp_path / "site.toml"
    path.write_text(ONE_BUILDING + METER, encoding="utf-8")

    assert load_site(path).buildings[0].devices[0].id == "m"


def test_a_site_that_is_not_there_is_answered_with_the_shipped_ones(tmp_path):
    with pytest.raises(ConfigError, match="shipped sites: campus, county, county_archive"):
        load_site(tmp_path / "nowhere.toml")
