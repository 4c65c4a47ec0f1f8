"""RTU and ASCII on ptys and sockets, answered by other people's slaves: pymodbus' serial server and libmodbus."""

import asyncio
import ctypes
import threading

import pytest
from pymodbus.framer import FramerType
from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from kgce.collectors.modbus.link import DeviceRefused, ModbusLink
from kgce.collectors.modbus.plan import Read
from kgce.collectors.turns import LineDown
from kgce.domain.errors import DeviceUnreachable
from tests import servers
from tests.collectors.modbus.meter import IMAGE, LINKS, collected, line, source_for, values
from tests.collectors.modbus.wire import Asked, Pieces, answer, encoded, null_modem, serial_peer

REGISTERS = list(range(1000, 1200))
FRAMERS = {"rtu": FramerType.RTU, "ascii": FramerType.ASCII}


def slave(unit: int) -> SimDevice:
    """Registers count up from 1000; nothing behind number 199."""
    return SimDevice(unit, simdata=SimData(0, values=REGISTERS, datatype=DataType.REGISTERS))


def meter_slave(unit: int) -> SimDevice:
    words = [IMAGE.get(address, 0) for address in range(41)]
    return SimDevice(unit, simdata=SimData(0, values=words, datatype=DataType.REGISTERS))


def serial_link(path: str, **options) -> ModbusLink:
    LINKS.append(ModbusLink(line(0, **{"serial": path, "pause_ms": 1, "timeout_s": 0.3} | options)))
    return LINKS[-1]


@pytest.mark.parametrize("mode", ["rtu", "ascii"])
async def test_pymodbus_serial_server_is_read_over_a_pty(mode: str) -> None:
    async with null_modem() as (ours, theirs):
        server = ModbusSerialServer([slave(1), slave(17)], framer=FRAMERS[mode], port=theirs)
        await server.listen()
        link = serial_link(ours, mode=mode)
        assert list(await link.read(17, Read("holding", 0, 125, ()))) == REGISTERS[:125]
        assert list(await link.read(1, Read("input", 199, 1, ()))) == [1199]
        with pytest.raises(DeviceRefused, match=r"exception 0x02 .illegal data address."):
            await link.read(1, Read("holding", 199, 2, ()))
        assert list(await link.read(17, Read("holding", 3, 2, ()))) == [1003, 1004]
        link.close()
        await server.shutdown()


@pytest.mark.parametrize("mode", ["rtu", "ascii"])
async def test_pymodbus_server_is_read_over_a_converter_on_tcp(mode: str) -> None:
    port = servers.free_port()
    server = ModbusTcpServer([slave(1), slave(17)], framer=FRAMERS[mode], address=("127.0.0.1", port))
    await server.listen()
    LINKS.append(ModbusLink(line(port, mode="rtu-over-tcp" if mode == "rtu" else "ascii", pause_ms=1)))
    assert list(await LINKS[-1].read(17, Read("holding", 0, 125, ()))) == REGISTERS[:125]
    with pytest.raises(DeviceRefused):
        await LINKS[-1].read(1, Read("holding", 199, 2, ()))
    LINKS[-1].close()
    await server.shutdown()


async def test_a_source_polls_its_devices_on_a_serial_line(profile: str) -> None:
    async with null_modem() as (ours, theirs):
        server = ModbusSerialServer([meter_slave(1), meter_slave(2)], framer=FramerType.RTU, port=theirs)
        await server.listen()
        source = source_for(0, profile, serial=ours, units=2, interval_s=0.3, timeout_s=0.25, pause_ms=1)
        batches = await collected(source, lambda batches: len(batches) >= 4)
        await server.shutdown()
    assert source.name == f"modbus {ours}"
    assert {batch.series[0].device for batch in batches} == {"m1", "m2"}
    for batch in batches:
        assert values(batch) == pytest.approx(
            {"active_power_total": 2.5, "active_energy_import": 1234.56, "frequency": 50.01}
        )


class LibmodbusSlave:
    """The C library as a slave, in a thread of its own; registers count up from 1000."""

    def __init__(self) -> None:
        try:
            self.c = ctypes.CDLL("libmodbus.so.5", use_errno=True)
        except OSError:
            servers.lacking("libmodbus.so.5 is not installed: apt-get install libmodbus5")
        for name in ("modbus_new_tcp", "modbus_new_rtu", "modbus_mapping_new"):
            getattr(self.c, name).restype = ctypes.c_void_p
        self.context = ctypes.c_void_p()
        self.map = ctypes.c_void_p(self.c.modbus_mapping_new(16, 16, len(REGISTERS), len(REGISTERS)))
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.listening = -1
        self.is_over = False

    def fill(self) -> None:
        """modbus_mapping_t: eight ints, then pointers to bits, input bits, input registers, holding registers."""
        tables = ctypes.cast(self.map.value + 8 * ctypes.sizeof(ctypes.c_int), ctypes.POINTER(ctypes.c_void_p))
        for table in (2, 3):
            words = ctypes.cast(tables[table], ctypes.POINTER(ctypes.c_uint16))
            for at, word in enumerate(REGISTERS):
                words[at] = word

    def start_rtu(self, path: str, unit: int) -> None:
        self.context = ctypes.c_void_p(self.c.modbus_new_rtu(path.encode(), 9600, ord("N"), 8, 1))
        self.c.modbus_set_slave(self.context, unit)
        self.c.modbus_set_indication_timeout(self.context, 0, 50_000)  # a closed port does not wake its reader
        assert self.c.modbus_connect(self.context) == 0
        self.fill()
        self.thread.start()

    def start_tcp(self, port: int) -> None:
        self.context = ctypes.c_void_p(self.c.modbus_new_tcp(b"127.0.0.1", port))
        self.listening = self.c.modbus_tcp_listen(self.context, 1)
        assert self.listening >= 0
        self.fill()
        self.thread.start()

    def serve(self) -> None:
        if self.listening >= 0:
            self.c.modbus_tcp_accept(self.context, ctypes.byref(ctypes.c_int(self.listening)))
        request = (ctypes.c_uint8 * 260)()
        while not self.is_over:
            length = self.c.modbus_receive(self.context, request)
            if length < 0 and self.listening >= 0:
                return
            if length > 0:
                self.c.modbus_reply(self.context, request, length, self.map)

    def stop(self) -> None:
        self.is_over = True
        self.thread.join(10)
        assert not self.thread.is_alive()
        self.c.modbus_close(self.context)
        self.c.modbus_mapping_free(self.map)
        self.c.modbus_free(self.context)


async def test_libmodbus_is_read_as_a_tcp_slave() -> None:
    slave_, port = LibmodbusSlave(), servers.free_port()
    slave_.start_tcp(port)
    link = ModbusLink(line(port, timeout_s=5))
    LINKS.append(link)
    assert list(await link.read(1, Read("holding", 0, 125, ()))) == REGISTERS[:125]
    assert list(await link.read(1, Read("input", 5, 2, ()))) == [1005, 1006]
    assert list(await link.read(1, Read("coil", 0, 10, ()))) == [0] * 10
    with pytest.raises(DeviceRefused, match="0x02"):
        await link.read(1, Read("holding", 190, 20, ()))
    link.close()
    await asyncio.to_thread(slave_.stop)


async def test_libmodbus_is_read_as_an_rtu_slave() -> None:
    slave_ = LibmodbusSlave()
    async with null_modem() as (ours, theirs):
        slave_.start_rtu(theirs, 17)
        link = serial_link(ours, timeout_s=5)
        assert list(await link.read(17, Read("holding", 0, 125, ()))) == REGISTERS[:125]
        assert list(await link.read(17, Read("discrete", 0, 9, ()))) == [0] * 9
        with pytest.raises(DeviceRefused, match="0x02"):
            await link.read(17, Read("input", 190, 20, ()))
        link.close()
        await asyncio.to_thread(slave_.stop)


async def test_an_adapter_pulled_out_is_a_line_that_is_down_and_no_reading() -> None:
    async with serial_peer("rtu", lambda asked: [answer("rtu", asked, [7])]) as peer:
        link = serial_link(peer.path)
        assert list(await link.read(1, Read("holding", 0, 1, ()))) == [7]
    with pytest.raises(DeviceUnreachable):
        await link.read(1, Read("holding", 0, 1, ()))
    with pytest.raises(LineDown, match=f"cannot open {peer.path}|next attempt soon"):
        await link.read(1, Read("holding", 0, 1, ()))


async def test_a_poll_asked_for_beside_the_schedule_waits_for_its_turn(profile: str) -> None:
    """Two polls of one device at once could both change its plan."""

    def refusing(asked: Asked) -> Pieces:
        if asked.address <= 2 < asked.address + asked.count:
            return [encoded("rtu", bytes([asked.function | 0x80, 2]), asked.unit)]
        return [answer("rtu", asked, [1] * asked.count)]

    async with serial_peer("rtu", refusing) as peer:
        source = source_for(0, profile, serial=peer.path, pause_ms=1, timeout_s=5, interval_s=10)
        batches = await asyncio.gather(*(source.poll("m1") for _ in range(4)))
    assert [len(batch) for batch in batches] == [2] * 4
