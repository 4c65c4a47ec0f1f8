"""A made-up meter of three points behind the responder, and sources that read it."""

import asyncio
import struct

from kgce.collectors.modbus.config import ModbusLineConfig, ModbusLinkConfig
from kgce.collectors.modbus.link import ModbusLink
from kgce.collectors.modbus.source import ModbusSource
from kgce.domain.batch import Batch
from tests.collectors.modbus.responder import Request

MADE: list[ModbusSource] = []  # closed after each test by conftest.py
LINKS: list[ModbusLink] = []  # these too

PROFILE = """
[device]
brand = "Test"
model = "T1"
measurement = "electricity"
protocol = "modbus"
confidence = "high"
source = "this test"
[[point]]
name = "active_power_total"
register = { table = "input", address = 0, type = "float32" }
unit = "W"
kind = "gauge"
confidence = "high"
[[point]]
name = "active_energy_import"
register = { table = "input", address = 2, type = "uint32" }
scale = 0.01
unit = "kWh"
kind = "counter"
metering = true
confidence = "high"
[[point]]
name = "frequency"
register = { table = "input", address = 40, type = "uint16" }
scale = 0.01
unit = "Hz"
kind = "gauge"
confidence = "high"
"""

IMAGE = dict(enumerate(struct.unpack(">4H", struct.pack(">fI", 2500.0, 123_456)))) | {40: 5001}


def image(request: Request) -> list[int]:
    return [IMAGE.get(address, 0) for address in range(request.address, request.address + request.count)]


def line(port: int, **options) -> ModbusLineConfig:
    where = {} if "serial" in options else {"host": "127.0.0.1", "port": port}
    return ModbusLineConfig.model_validate(where | options)


def source_for(
    port: int, profile: str, *, units: int = 1, interval_s: float = 0.2, timeout_s: float = 0.1, **options
) -> ModbusSource:
    devices = [
        {"institution": "office", "device": f"m{unit}", "unit": unit, "profile": profile, "interval_s": interval_s}
        for unit in range(1, units + 1)
    ]
    where = {} if "serial" in options else {"host": "127.0.0.1", "port": port}
    config = ModbusLinkConfig.model_validate(where | {"timeout_s": timeout_s, "devices": devices} | options)
    MADE.append(ModbusSource(config))
    return MADE[-1]


def values(batch: Batch) -> dict[str, float]:
    return {batch.series[place].quantity: value for place, value in zip(batch.index, batch.value.tolist(), strict=True)}


async def collected(source: ModbusSource, enough) -> list[Batch]:
    """Run the source until `enough(batches)` holds."""
    batches: list[Batch] = []
    ready = asyncio.Event()

    async def emit(batch: Batch) -> None:
        batches.append(batch)
        if enough(batches):
            ready.set()

    task = asyncio.create_task(source.run(emit))
    try:
        async with asyncio.timeout(20):
            await ready.wait()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    return batches
