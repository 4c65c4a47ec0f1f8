"""Simulated devices read by programs that know nothing of this project: mbpoll and libmodbus."""

import asyncio
import ctypes
import re
import struct

import pytest

from kgce.simulators.site import Site, load_site
from tests import servers
from tests.simulators.world import OFFICE, WINTER_MS, frozen_site, one_building_site

# Truths in canonical units; registers carry W and Wh.
KILO = 1000


@pytest.fixture
async def site():
    async with frozen_site() as running:
        yield running


async def mbpoll(site: Site, device: str, *options: str) -> list[str]:
    """The values mbpoll prints, as text."""
    host, port, unit = site.address(OFFICE, device)
    tool = servers.require_tool("mbpoll")
    command = [tool, "-m", "tcp", "-p", str(port), "-a", str(unit), "-0", "-1", "-B", "-o", "5", *options, host]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await asyncio.wait_for(process.communicate(), 20)
    text = output.decode()
    assert process.returncode == 0, text
    return re.findall(r"^\[\d+\]:\s+(\S+)", text, flags=re.MULTILINE)


class Libmodbus:
    """The C library through ctypes."""

    def __init__(self) -> None:
        try:
            self.c = ctypes.CDLL("libmodbus.so.5", use_errno=True)
        except OSError:
            servers.lacking("libmodbus.so.5 is not installed: apt-get install libmodbus5")
        self.c.modbus_new_tcp.restype = ctypes.c_void_p
        self.c.modbus_strerror.restype = ctypes.c_char_p
        self.c.modbus_get_float_abcd.restype = ctypes.c_float

    def read(self, address: tuple[str, int, int], function: int, start: int, count: int) -> list[int]:
        """Registers from `start`; OSError with the library's number when the device refuses."""
        host, port, unit = address
        context = ctypes.c_void_p(self.c.modbus_new_tcp(host.encode(), port))
        try:
            assert self.c.modbus_set_slave(context, unit) == 0
            assert self.c.modbus_connect(context) == 0
            words = (ctypes.c_uint16 * count)()
            call = {3: self.c.modbus_read_registers, 4: self.c.modbus_read_input_registers}[function]
            if call(context, start, count, words) != count:
                number = ctypes.get_errno()
                raise OSError(number, self.c.modbus_strerror(number).decode())
            return list(words)
        finally:
            self.c.modbus_close(context)
            self.c.modbus_free(context)

    def floats(self, words: list[int]) -> list[float]:
        """Big-endian floats, decoded by the library itself."""
        array = (ctypes.c_uint16 * len(words))(*words)
        return [self.c.modbus_get_float_abcd(ctypes.byref(array, 2 * at)) for at in range(0, len(words), 2)]


@pytest.fixture
def libmodbus():
    return Libmodbus()


def truths(site: Site, device: str, *quantities: str, per_canonical: float = 1.0) -> list[float]:
    return [site.truth(OFFICE, device, quantity, WINTER_MS) * per_canonical for quantity in quantities]


async def test_mbpoll_reads_the_meters_power_and_energy(site):
    [power_w] = await mbpoll(site, "main-meter", "-t", "3:float", "-r", "52")
    [energy_kwh] = await mbpoll(site, "main-meter", "-t", "3:float", "-r", "72")

    # mbpoll prints six significant digits
    assert float(power_w) == pytest.approx(truths(site, "main-meter", "active_power_total")[0] * KILO, rel=1e-5)
    assert float(energy_kwh) == pytest.approx(truths(site, "main-meter", "active_energy_import")[0], rel=1e-5)


async def test_mbpoll_sees_the_exact_registers_of_the_energy_counter(site):
    words = [int(word, 16) for word in await mbpoll(site, "main-meter", "-t", "3:hex", "-r", "72", "-c", "2")]

    [truth_kwh] = truths(site, "main-meter", "active_energy_import")
    assert struct.pack(">HH", *words) == struct.pack(">f", truth_kwh)


async def test_mbpoll_reads_the_charger(site):
    names = ("current_l1", "current_l2", "current_l3")
    currents_ma = await mbpoll(site, "charger", "-t", "4:int", "-r", str(0x4010), "-c", "3")
    [power_w, session_wh] = await mbpoll(site, "charger", "-t", "4:int", "-r", str(0x401C), "-c", "2")

    assert [int(value) for value in currents_ma] == pytest.approx(
        truths(site, "charger", *names, per_canonical=KILO), abs=0.5
    )
    assert int(power_w) == pytest.approx(truths(site, "charger", "active_power")[0] * KILO, abs=0.5)
    assert int(session_wh) == pytest.approx(truths(site, "charger", "session_energy")[0] * KILO, abs=0.5)
    assert int(power_w) > 0, "the frozen morning was chosen with a car charging"


async def test_mbpoll_reads_the_boiler(site):
    names = ("actual_temperature", "flame_signal", "fuel_throughput")
    values = await mbpoll(site, "boiler", "-t", "4", "-r", "12", "-c", "3")
    [starts, hours] = await mbpoll(site, "boiler", "-t", "4:int", "-r", "21", "-c", "2")

    assert [int(value) for value in values] == pytest.approx(truths(site, "boiler", *names), abs=0.5)
    assert int(starts) == truths(site, "boiler", "startups_total")[0]
    assert int(hours) == pytest.approx(truths(site, "boiler", "operating_hours")[0], abs=0.5)


async def test_libmodbus_reads_the_whole_first_block_of_the_meter(site, libmodbus):
    words = await asyncio.to_thread(libmodbus.read, site.address(OFFICE, "main-meter"), 4, 0, 80)
    values = libmodbus.floats(words)

    voltages = truths(site, "main-meter", "voltage_l1_n", "voltage_l2_n", "voltage_l3_n")
    powers_w = truths(site, "main-meter", "active_power_l1", "active_power_l2", "active_power_l3", per_canonical=KILO)
    assert values[0:3] == pytest.approx(voltages, rel=1e-6)  # 32-bit floats hold seven digits
    assert values[6:9] == pytest.approx(powers_w, rel=1e-6)
    assert sum(values[6:9]) == pytest.approx(values[26], rel=1e-6), "phases add up to register 52"
    assert values[36] == pytest.approx(truths(site, "main-meter", "active_energy_import")[0], rel=1e-6)


async def test_libmodbus_reads_charger_and_boiler(site, libmodbus):
    charger = await asyncio.to_thread(libmodbus.read, site.address(OFFICE, "charger"), 3, 0x4000, 34)
    boiler = await asyncio.to_thread(libmodbus.read, site.address(OFFICE, "boiler"), 3, 9, 17)

    serial = int.from_bytes(struct.pack(">4H", *charger[0:4]), "big")
    assert serial == truths(site, "charger", "serial_number")[0]
    assert charger[13] >> 8 & 0x7F == truths(site, "charger", "charging_state")[0] == 4  # charging
    assert charger[31] == pytest.approx(truths(site, "charger", "session_energy")[0] * KILO, abs=0.5)
    assert boiler[15 - 9] / 10 == pytest.approx(truths(site, "boiler", "flue_gas_o2")[0], abs=0.05)


@pytest.mark.parametrize(
    ("device", "function", "start", "count", "message"),
    [  # libmodbus' own words for exceptions 01 and 02
        pytest.param("main-meter", 3, 0, 2, "Illegal function", id="the SDM630 has input registers only"),
        pytest.param("charger", 4, 0x4000, 2, "Illegal function", id="the Terra AC has holding registers only"),
        pytest.param("boiler", 4, 12, 1, "Illegal function", id="the LMV5 has holding registers only"),
        pytest.param("main-meter", 4, 80, 2, "Illegal data address", id="past the first block of the meter"),
        pytest.param("charger", 3, 0x4020, 4, "Illegal data address", id="past the end of the charger"),
        pytest.param("boiler", 3, 0, 1, "Illegal data address", id="before the boiler's first register"),
    ],
)
async def test_libmodbus_is_refused_what_the_device_does_not_have(
    site, libmodbus, device, function, start, count, message
):
    with pytest.raises(OSError, match=message):
        await asyncio.to_thread(libmodbus.read, site.address(OFFICE, device), function, start, count)


async def test_libmodbus_reads_a_device_on_a_fixed_port(libmodbus):
    port = servers.free_port()
    devices = f'[[building.device]]\nid = "m"\nmodel = "sdm630"\nport = {port}\nunit = 17\n'
    async with one_building_site(devices) as site:
        assert site.address("i", "m") == ("127.0.0.1", port, 17)
        words = await asyncio.to_thread(libmodbus.read, ("127.0.0.1", port, 17), 4, 70, 2)

    assert libmodbus.floats(words) == pytest.approx([site.truth("i", "m", "frequency", WINTER_MS)], rel=1e-6)


async def test_live_counters_grow_between_two_reads(libmodbus):
    """Only this test uses a moving clock: one simulated hour for each read."""
    now_s = iter(range(WINTER_MS // 1000, WINTER_MS // 1000 + 36_000, 3600))
    async with Site(load_site("county"), clock=lambda: float(next(now_s))) as site:
        address = site.address(OFFICE, "main-meter")
        seen = [libmodbus.floats(await asyncio.to_thread(libmodbus.read, address, 4, 72, 2))[0] for _ in range(4)]

    assert seen == sorted(set(seen)), seen
    truth = [
        site.truth(OFFICE, "main-meter", "active_energy_import", WINTER_MS // 1000 * 1000 + h * 3_600_000)
        for h in range(4)
    ]
    assert seen == pytest.approx(truth, rel=1e-6)
