"""The whole poll path, read, checked, decoded and stamped into a Batch, against a bare pymodbus client's same reads."""

import asyncio
import multiprocessing
import socket
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from statistics import median

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.server import StartAsyncTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from benchmarks.table import Row
from kgce.collectors.modbus.config import ModbusLinkConfig
from kgce.collectors.modbus.plan import Read, plan_reads
from kgce.collectors.modbus.source import ModbusSource
from kgce.collectors.profile import load_profile

PROFILE = "eastron-sdm630"
POLLS = 100  # a round; each is 4 requests for 39 values
ROUNDS = 15  # short and alternating, so that other work on the machine disturbs both alike
START_S = 20.0
REGISTER = 0x4366  # any two of these are a float32 of 230.4
REGISTERS = 400  # past the meter's last


def run() -> list[Row]:
    """Polls/s of one simulated meter on loopback, from another process; the median of 15 alternating rounds."""
    reads = plan_reads(load_profile(PROFILE))
    with _server() as port:
        ours, peer = asyncio.run(_measure(port, reads))
    values = sum(len(read.points) for read in reads)
    note = f"{len(reads)} requests, {values} values a poll; the peer throws the registers away"
    return [Row("Modbus poll path", ours, peer, "polls/s", "bare pymodbus client", note)]


async def _measure(port: int, reads: tuple[Read, ...]) -> tuple[float, float]:
    source, client = _source(port), AsyncModbusTcpClient("127.0.0.1", port=port)
    await client.connect()

    async def poll() -> None:
        assert len(await source.poll("meter")) == sum(len(read.points) for read in reads)

    async def read_only() -> None:
        for read in reads:
            answer = await client.read_input_registers(read.address, count=read.count, device_id=1)
            assert len(answer.registers) == read.count

    ours_s, peer_s = [], []
    for _ in range(ROUNDS):
        ours_s.append(await _seconds(poll))
        peer_s.append(await _seconds(read_only))
    source.close()
    client.close()
    return POLLS / median(ours_s), POLLS / median(peer_s)


async def _seconds(work: Callable[[], Awaitable[None]]) -> float:
    began = time.perf_counter()
    for _ in range(POLLS):
        await work()
    return time.perf_counter() - began


def _source(port: int) -> ModbusSource:
    device = {"institution": "bench", "device": "meter", "unit": 1, "profile": PROFILE, "interval_s": 10}
    return ModbusSource(ModbusLinkConfig.model_validate({"host": "127.0.0.1", "port": port, "devices": [device]}))


@contextmanager
def _server() -> Iterator[int]:
    """A pymodbus server in a process of its own, so that it does not share our interpreter."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    child = multiprocessing.get_context("spawn").Process(target=_serve, args=(port,), daemon=True)
    child.start()
    try:
        _wait_for(port)
        yield port
    finally:
        child.terminate()
        child.join()


def _serve(port: int) -> None:
    image = SimData(0, count=REGISTERS, values=REGISTER, datatype=DataType.REGISTERS)
    asyncio.run(StartAsyncTcpServer(SimDevice(1, simdata=image), address=("127.0.0.1", port)))


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise TimeoutError(f"the benchmark's server does not listen on port {port}")
