"""ModbusSource against pymodbus's own server, which shares no code with our planning and decoding."""

import json
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from kgce.collectors.modbus.config import ModbusLinkConfig
from kgce.collectors.modbus.source import ModbusSource
from kgce.domain.quantities import quantity_of
from kgce.domain.units import convert
from tests.servers import free_port

NOTHING = [SimData(65_000, values=[0], datatype=DataType.REGISTERS)]
NO_BITS = [SimData(65_000, values=[False], datatype=DataType.BITS)]


@asynccontextmanager
async def serving(*devices: SimDevice) -> AsyncIterator[int]:
    port = free_port()
    server = ModbusTcpServer(list(devices), address=("127.0.0.1", port))
    await server.serve_forever(background=True)
    try:
        yield port
    finally:
        await server.shutdown()


def registers(words: dict[int, int]) -> list[SimData]:
    return [SimData(address, values=[word], datatype=DataType.REGISTERS) for address, word in sorted(words.items())]


def meter(port: int, profile: str, unit: int = 1) -> ModbusSource:
    device = {"institution": "o", "device": "d", "unit": unit, "profile": profile, "interval_s": 10}
    return ModbusSource(ModbusLinkConfig.model_validate({"host": "127.0.0.1", "port": port, "devices": [device]}))


async def poll(source: ModbusSource) -> dict[str, float]:
    try:
        batch = await source.poll("d")
    finally:
        source.close()
    return {batch.series[place].quantity: value for place, value in zip(batch.index, batch.value.tolist(), strict=True)}


@pytest.mark.parametrize(
    ("vector_id", "profile", "table"),
    [("img-sdm630", "eastron-sdm630", "input"), ("img-terra-ac", "abb-terra-ac", "holding")],
)
async def test_a_published_image_is_read_through_a_real_server(
    vector_id: str, profile: str, table: str, shared_facts: Path
) -> None:
    """Registers the image lacks are refused with exception 02, so the holes of the map are proven on the way."""
    found = json.loads((shared_facts / "protocol_vectors.json").read_text(encoding="utf-8"))["vectors"]
    vector = next(entry for entry in found if entry["id"] == vector_id)
    image = registers({int(address): int(word, 16) for address, word in vector["registers"].items()})
    blocks = (NO_BITS, NO_BITS, image, NOTHING) if table == "holding" else (NO_BITS, NO_BITS, NOTHING, image)
    async with serving(SimDevice(7, simdata=blocks)) as port:
        readings = await poll(meter(port, profile, unit=7))
    expected = {
        reading["name"]: convert(reading["value"], reading["unit"], quantity_of(reading["name"]).unit)
        for reading in vector["expect"]["readings"]
    }
    assert readings == pytest.approx(expected, rel=vector["expect"]["tolerance_rel"])


MIXED = """
[device]
brand = "Test"
model = "Heat pump with everything"
measurement = "heat"
protocol = "modbus"
word_order = "little"
confidence = "high"
source = "this test"
[[point]]
name = "state_running"
register = { table = "coil", address = 3, type = "bool" }
kind = "state"
confidence = "high"
[[point]]
name = "state_locked"
register = { table = "discrete", address = 9, type = "bool" }
kind = "state"
confidence = "high"
[[point]]
name = "heat_energy"
register = { table = "holding", address = 10, type = "uint64" }
unit = "Wh"
kind = "counter"
metering = true
confidence = "high"
[[point]]
name = "supply_temperature"
register = { table = "holding", address = 14, type = "int16" }
scale = 0.1
unit = "degC"
unit_from = { point = "temperature_unit", units = { 0 = "degC", 1 = "degF" } }
kind = "gauge"
confidence = "high"
[[point]]
name = "temperature_unit"
register = { table = "holding", address = 20, type = "uint16" }
kind = "state"
confidence = "high"
[[point]]
name = "heat_power"
register = { table = "input", address = 0, type = "float32" }
word_order = "big"
unit = "W"
kind = "gauge"
confidence = "high"
"""


@pytest.mark.parametrize(("code", "supply_c"), [(0, 149.0), (1, 65.0)])
async def test_one_profile_may_use_every_table_and_let_the_device_say_its_unit(
    code: int, supply_c: float, tmp_path: Path
) -> None:
    """149.0 degF are 65 degC: (149 - 32) / 1.8."""
    path = tmp_path / "mixed.toml"
    path.write_text(MIXED)
    low_word_first = struct.unpack(">4H", struct.pack(">Q", 123_456_789_000))[::-1]
    holding = dict(zip(range(10, 14), low_word_first, strict=True)) | {14: 1490, 20: code}
    power = dict(enumerate(struct.unpack(">2H", struct.pack(">f", 2500.0))))
    blocks = (
        [SimData(3, values=[True], datatype=DataType.BITS)],
        [SimData(9, values=[False], datatype=DataType.BITS)],
        registers(holding),
        registers(power),
    )
    async with serving(SimDevice(1, simdata=blocks)) as port:
        readings = await poll(meter(port, str(path)))
    assert readings == pytest.approx(
        {
            "state_running": 1.0,
            "state_locked": 0.0,
            "heat_energy": 123_456_789.0,
            "supply_temperature": supply_c,
            "temperature_unit": float(code),
            "heat_power": 2.5,
        },
        rel=1e-12,
    )
