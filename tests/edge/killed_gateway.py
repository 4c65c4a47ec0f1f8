"""Run by test_killed.py: a gateway with a counting source and a file for a sink, to be killed at any moment.

    python -m tests.edge.killed_gateway FOLDER FIRST LAST

Prints `acked N` after each emit, and the counters once everything has been handed over.
"""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from kgce.domain.batch import Batch
from kgce.domain.ports import AppendResult, DeviceStatus, Emit
from kgce.domain.tree import Point
from kgce.edge.buffer.buffer import Buffer
from kgce.edge.gateway import Gateway
from kgce.edge.uplink.config import UplinkTable
from tests.edge.fakes import POWER, power_batch

ROWS_PER_BATCH = 3


def line_of(time_ms: int, value: float) -> str:
    return f"{time_ms} {value!r}\n"


class FileSink:
    """One line per series and time; a line already there is a duplicate."""

    def __init__(self, path: Path) -> None:
        whole = path.read_text() if path.exists() else ""
        self.lines = set(whole[: whole.rfind("\n") + 1].splitlines(keepends=True))
        path.write_text("".join(sorted(self.lines)))  # a line cut short by the kill was never answered for
        self.file = path.open("a")

    def append(self, batch: Batch) -> AppendResult:
        given = [line_of(t, v) for t, v in zip(batch.time_ms.tolist(), batch.value.tolist(), strict=True)]
        new = [line for line in given if line not in self.lines]
        self.file.writelines(new)
        self.file.flush()
        self.lines.update(new)
        return AppendResult(stored=len(new), duplicate=len(given) - len(new))


class CountingSource:
    """Emits first, first + 1 ... last and tells when each is safe."""

    def __init__(self, first: int, last: int) -> None:
        self.first, self.last = first, last
        self.finished = asyncio.Event()

    name = "counting"

    def points(self) -> Sequence[Point]:
        return ()

    def status(self) -> Sequence[DeviceStatus]:
        return ()

    async def run(self, emit: Emit) -> None:
        for number in range(self.first, self.last + 1):
            await emit(power_batch(number * ROWS_PER_BATCH, ROWS_PER_BATCH, POWER))
            os.write(1, f"acked {number}\n".encode())
        self.finished.set()
        await asyncio.Event().wait()


async def main(folder: Path, first: int, last: int) -> None:
    source = CountingSource(first, last)
    with Buffer(folder) as buffer:
        gateway = Gateway(
            "killed", [source], FileSink(folder / "sink.txt"), buffer, uplink=UplinkTable(flush_interval_s=0.002)
        )
        running = asyncio.create_task(gateway.run())
        await source.finished.wait()
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        os.write(1, (json.dumps(gateway.counters()) + "\n").encode())


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
