"""The whole poll path, read, checked, decoded and stamped into a Batch, against a bare pymodbus client's same reads.

At 1, 10 and 100 links at once: one event loop asks all of them, as one gateway does.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from statistics import median

from pymodbus.client import AsyncModbusTcpClient

from benchmarks.meters import meters
from benchmarks.table import Row
from kgce.collectors.modbus.config import ModbusLinkConfig
from kgce.collectors.modbus.plan import Read, plan_reads
from kgce.collectors.modbus.source import ModbusSource
from kgce.collectors.profile import load_profile

PROFILE = "eastron-sdm630"
LINKS = (1, 10, 100)
POLLS = 100  # a round, over all links
ROUNDS = 15  # short and alternating, so that other work on the machine disturbs both alike


def run() -> list[Row]:
    """Polls/s of simulated meters on loopback, from another process; the median of 15 alternating rounds."""
    reads = plan_reads(load_profile(PROFILE))
    values = sum(len(read.points) for read in reads)
    note = f"{len(reads)} requests, {values} values a poll; the peer throws the registers away"
    rows = []
    for links in LINKS:
        with meters(links) as ports:
            ours, peer = asyncio.run(_measure(ports, reads))
        name = f"Modbus poll path, {links} link{'s' if links > 1 else ''}"
        rows.append(Row(name, ours, peer, "polls/s", "bare pymodbus client", note))
    return rows


async def _measure(ports: Sequence[int], reads: tuple[Read, ...]) -> tuple[float, float]:
    sources = [_source(port) for port in ports]
    clients = [AsyncModbusTcpClient("127.0.0.1", port=port) for port in ports]
    await asyncio.gather(*(client.connect() for client in clients))
    values = sum(len(read.points) for read in reads)

    async def poll(link: int) -> None:
        assert len(await sources[link].poll("meter")) == values

    async def read_only(link: int) -> None:
        for read in reads:
            answer = await clients[link].read_input_registers(read.address, count=read.count, device_id=1)
            assert len(answer.registers) == read.count

    ours_s, peer_s = [], []
    for _ in range(ROUNDS + 1):
        ours_s.append(await _seconds(poll, len(ports)))
        peer_s.append(await _seconds(read_only, len(ports)))
    for source in sources:
        source.close()
    for client in clients:
        client.close()
    return POLLS / median(ours_s[1:]), POLLS / median(peer_s[1:])  # the first round opens connections


async def _seconds(work: Callable[[int], Awaitable[None]], links: int) -> float:
    async def some(link: int) -> None:
        for _ in range(POLLS // links):
            await work(link)

    began = time.perf_counter()
    await asyncio.gather(*(some(link) for link in range(links)))
    return time.perf_counter() - began


def _source(port: int) -> ModbusSource:
    device = {"institution": "bench", "device": "meter", "unit": 1, "profile": PROFILE, "interval_s": 10}
    return ModbusSource(ModbusLinkConfig.model_validate({"host": "127.0.0.1", "port": port, "devices": [device]}))
