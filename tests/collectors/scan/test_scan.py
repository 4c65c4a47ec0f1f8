"""Scanning real sockets: simulated devices of many maps, and other people's servers."""

import asyncio

import pytest
from pymodbus.pdu.device import ModbusDeviceIdentification
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from kgce.collectors.line.config import LineConfig
from kgce.collectors.modbus.config import ModbusLineConfig
from kgce.collectors.modbus.probe import Prober
from kgce.collectors.scan.guessing import guesses
from kgce.collectors.scan.meters import scan_cjt188, scan_dlt645, scan_mbus
from kgce.collectors.scan.modbus import scan_modbus
from kgce.collectors.scan.places import places, units_of
from kgce.collectors.turns import LineDown
from kgce.domain.errors import InputError
from kgce.simulators.cjt188.server import Cjt188Server
from kgce.simulators.dlt645.server import Dlt645Server
from kgce.simulators.mbus.bus import Bus
from kgce.simulators.mbus.models import WATER
from kgce.simulators.mbus.server import MbusServer, meters_of
from kgce.simulators.modbus_frames import ExceptionCode, Refusal
from kgce.simulators.modbus_server import ModbusServer
from kgce.simulators.site import Site, load_site
from tests.servers import free_port

ENRON = "plum-macbat-5"  # read as plain registers it gives other values; a scan says that it has no idea
TWINS = {"eastron-sdm120": {"eastron-sdm120", "eastron-sdm72d", "eastron-sdm630"}}


def clock() -> float:
    return 1_767_225_600.0


def nobody(_: str) -> None:
    """Nobody watches."""


def line(port: int, **fields) -> ModbusLineConfig:
    return ModbusLineConfig.model_validate({"host": "127.0.0.1", "port": port, "timeout_s": 0.3, **fields})


async def test_the_profile_of_every_simulated_map_is_guessed_first_or_called_unknown() -> None:
    """The maps were written from registers.csv without a look at the profiles; the values are a campus in winter."""
    async with Site(load_site("campus"), clock) as site:
        guessed = {}
        for link in site.gateway_config(1)["modbus"]:
            config = {name: value for name, value in link.items() if name != "devices"} | {"timeout_s": 0.5}
            for device in link["devices"]:
                if device["profile"] in guessed:
                    continue
                async with Prober(ModbusLineConfig.model_validate(config)) as prober:
                    found, sample = await guesses(prober, device["unit"])
                guessed[device["profile"]] = found[0].profile if found else "no idea"
                assert bool(sample) == bool(found)
    assert len(guessed) >= 15
    assert guessed.pop(ENRON) == "no idea"
    wrong = {true: guess for true, guess in guessed.items() if guess not in TWINS.get(true, {true})}
    assert wrong == {}


class Refusing:
    """A unit that has no register anywhere near."""

    def read(self, _function: int, _address: int, _count: int) -> list[int]:
        raise Refusal(ExceptionCode.ILLEGAL_DATA_ADDRESS)


async def test_silent_units_are_left_out_and_those_that_only_refuse_are_no_idea() -> None:
    async with ModbusServer({3: Refusing(), 9: Refusing()}) as server:
        asked: list[str] = []
        found = [one async for one in scan_modbus(line(server.port), range(1, 11), asked.append)]
    assert [one.address for one in found if one.guesses == ()] == ["3", "9"]
    assert len(asked) == 10
    assert "0x02" in found[0].note


async def test_a_device_that_tells_its_name_by_function_2b_is_called_by_it() -> None:
    identity = ModbusDeviceIdentification(
        info_name={"VendorName": "Acme", "ProductCode": "EM9", "MajorMinorRevision": "2.1"}
    )
    port = free_port()
    image = SimData(0, count=10, values=7, datatype=DataType.REGISTERS)
    server = ModbusTcpServer(SimDevice(id=1, simdata=[image]), address=("127.0.0.1", port), identity=identity)
    await server.serve_forever(background=True)
    try:
        (found,) = [one async for one in scan_modbus(line(port), [1], nobody)]
    finally:
        await server.shutdown()
    assert found.identification == "Acme EM9 2.1"


async def test_a_host_nobody_is_at_is_told_at_once() -> None:
    with pytest.raises(LineDown, match="nobody answers"):
        async for _ in scan_modbus(line(free_port()), range(1, 248), nobody):
            pass


class Meter:
    def __init__(self, **values: float) -> None:
        self._values = values

    def values(self, _time_ms: int) -> dict[str, float]:
        return self._values


async def test_meters_on_lines_of_their_own_protocols_are_found_by_their_addresses() -> None:
    dlt = Dlt645Server({"001234567890": Meter(active_energy_import=1.0)}, clock)
    cjt = Cjt188Server({"78331505104145": Meter(water_volume=2.0)}, clock)
    bus = MbusServer(Bus(meters_of({5: Meter(water_volume=3.0), 9: Meter(water_volume=4.0)}, WATER, clock)))
    for server in (dlt, cjt, bus):
        await server.start()
    try:
        at = [LineConfig(host="127.0.0.1", port=server.port, baudrate=38_400) for server in (dlt, cjt, bus)]
        electricity = [one async for one in scan_dlt645(at[0], 0.3, nobody)]
        water = [one async for one in scan_cjt188(at[1], 0.2, nobody)]
        heat = [one async for one in scan_mbus(at[2], range(1, 11), nobody)]
    finally:
        await asyncio.gather(*(server.stop() for server in (dlt, cjt, bus)))
    assert [one.address for one in electricity] == ["001234567890"]
    assert [one.address for one in water] == ["78331505104145"]
    assert [one.address for one in heat] == ["5", "9"]
    assert "water" in heat[0].identification


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10.0.0.5", [{"host": "10.0.0.5", "port": 502}]),
        ("meter.local:5020", [{"host": "meter.local", "port": 5020}]),
        ("10.0.0.254-255", [{"host": "10.0.0.254", "port": 502}, {"host": "10.0.0.255", "port": 502}]),
        ("10.0.0.0/30:1502", [{"host": "10.0.0.1", "port": 1502}, {"host": "10.0.0.2", "port": 1502}]),
        ("/dev/ttyUSB0", [{"serial": "/dev/ttyUSB0"}]),
    ],
)
def test_where_to_look_is_written_as_people_write_it(text: str, expected: list) -> None:
    assert places(text, 502) == expected


@pytest.mark.parametrize("text", ["", "10.0.0.5:0", "10.0.0.5:x", "10.0.0.9-5", "10.0.0.1-300", "10.0.0.0/8", "a/b"])
def test_a_place_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        places(text, 502)


def test_units_are_a_list_of_ranges() -> None:
    assert units_of("1-3,7,2") == [1, 2, 3, 7]
    for text in ("", "a", "5-1", "0-256", "1,,2", "-3"):
        with pytest.raises(InputError):
            units_of(text)
