"""The whole poll path against a bare pymodbus client's same reads, without and with the commit to the disk.

At 1, 10 and 100 links at once: one event loop asks all of them, as one gateway does. "Committed" is what a gateway does
with every batch: checks, then a transaction that a power cut does not take back (SQLite, synchronous = FULL).
"""

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from statistics import median

from pymodbus.client import AsyncModbusTcpClient

from benchmarks.meters import meters
from benchmarks.table import Row
from kgce.collectors.modbus.config import ModbusLinkConfig
from kgce.collectors.modbus.plan import Read, plan_reads
from kgce.collectors.modbus.source import ModbusSource
from kgce.collectors.profile import load_profile
from kgce.edge.buffer.buffer import Buffer
from kgce.edge.checks.config import ChecksTable
from kgce.edge.intake import GroupedIntake, Intake

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
        with meters(links) as ports, tempfile.TemporaryDirectory() as folder, Buffer(Path(folder)) as buffer:
            polled, committed, peer = asyncio.run(_measure(ports, reads, buffer))
        name = f"{links} link{'s' if links > 1 else ''}"
        rows.append(Row(f"Modbus poll path, {name}", polled, peer, "polls/s", "bare pymodbus client", note))
        kept = f"as above, then checked and committed; {committed * values:,.0f} readings/s"
        rows.append(Row(f"  ... to the disk, {name}", committed, peer, "polls/s", "bare pymodbus client", kept))
    return rows


async def _measure(ports: Sequence[int], reads: tuple[Read, ...], buffer: Buffer) -> tuple[float, float, float]:
    sources = [_source(port) for port in ports]
    clients = [AsyncModbusTcpClient("127.0.0.1", port=port) for port in ports]
    await asyncio.gather(*(client.connect() for client in clients))
    values = sum(len(read.points) for read in reads)
    checks = ChecksTable().make(clock=time.time, is_clock_sure=lambda: True, record=lambda _: None)
    intake = GroupedIntake(Intake(checks, buffer))

    async def poll(link: int) -> None:
        assert len(await sources[link].poll("meter")) == values

    under_way: dict[int, asyncio.Future[None]] = {}

    async def commit(link: int) -> None:  # as collectors/turns.py does: the next poll while this one is committed
        batch = await sources[link].poll("meter")
        if link in under_way:
            await under_way[link]
        under_way[link] = intake.take(link, batch)

    async def read_only(link: int) -> None:
        for read in reads:
            answer = await clients[link].read_input_registers(read.address, count=read.count, device_id=1)
            assert len(answer.registers) == read.count

    taken_s: dict[Callable[[int], Awaitable[None]], list[float]] = {poll: [], commit: [], read_only: []}
    for _ in range(ROUNDS + 1):
        for work, seconds in taken_s.items():
            seconds.append(await _seconds(work, len(ports), under_way))
    for source in sources:
        source.close()
    for client in clients:
        client.close()
    polled, committed, peer = (POLLS / median(seconds[1:]) for seconds in taken_s.values())  # the first one connects
    return polled, committed, peer


async def _seconds(
    work: Callable[[int], Awaitable[None]], links: int, under_way: Mapping[int, "asyncio.Future[None]"]
) -> float:
    async def some(link: int) -> None:
        for _ in range(POLLS // links):
            await work(link)

    began = time.perf_counter()
    await asyncio.gather(*(some(link) for link in range(links)))
    await asyncio.gather(*under_way.values())
    return time.perf_counter() - began


def _source(port: int) -> ModbusSource:
    device = {"institution": f"bench-{port}", "device": "meter", "unit": 1, "profile": PROFILE, "interval_s": 10}
    return ModbusSource(ModbusLinkConfig.model_validate({"host": "127.0.0.1", "port": port, "devices": [device]}))
