"""Simulated meters for benchmarks: pymodbus servers in a process of their own, so that they share no interpreter.

Each notes when it was asked, so that what a gateway calls "every second" is measured where it matters: at the meter.
"""

import asyncio
import multiprocessing
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from pymodbus.server import StartAsyncTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

START_S = 20.0
REGISTER = 0x4366  # any two of these are a float32 of 230.4
REGISTERS = 400  # past the SDM630's last


@contextmanager
def meters(count: int, asked: Path | None = None) -> Iterator[list[int]]:
    """Ports of so many meters on loopback, each with unit 1; `asked` gets a line `port seconds` for each request."""
    ports = free_ports(count)
    child = multiprocessing.get_context("spawn").Process(target=_serve, args=(ports, asked), daemon=True)
    child.start()
    try:
        for port in ports:
            wait_for(port)
        yield ports
    finally:
        child.terminate()
        child.join()


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]


def wait_for(port: int) -> None:
    """Return once somebody listens.

    Raises:
        TimeoutError: nobody does after 20 s.
    """
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise TimeoutError(f"nobody listens on port {port}")


def _serve(ports: list[int], asked: Path | None) -> None:
    asyncio.run(_serve_all(ports, asked))


async def _serve_all(ports: list[int], asked: Path | None) -> None:
    image = SimData(0, count=REGISTERS, values=REGISTER, datatype=DataType.REGISTERS)
    with ExitStack() as stack:
        notes = stack.enter_context(asked.open("w", buffering=1 << 16)) if asked is not None else None

        def noting(port: int) -> Any:
            if notes is None:
                return None

            def note(sending: bool, pdu: Any) -> Any:  # noqa: FBT001 - pymodbus calls it so
                if not sending:
                    notes.write(f"{port} {time.monotonic():.6f}\n")
                return pdu

            return note

        async def flushed() -> None:
            while notes is not None:
                await asyncio.sleep(0.5)
                notes.flush()

        await asyncio.gather(
            flushed(),
            *(
                StartAsyncTcpServer(SimDevice(1, simdata=image), address=("127.0.0.1", port), trace_pdu=noting(port))
                for port in ports
            ),
        )
