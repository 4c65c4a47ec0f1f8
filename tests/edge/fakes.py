"""Sources and sinks in memory that keep what their ports promise."""

import asyncio
import math
import threading
from collections.abc import Callable, Iterable, Sequence

from kgce.domain.batch import Batch
from kgce.domain.errors import InputError, StoreUnavailable
from kgce.domain.ports import AppendResult, DeviceStatus, Emit
from kgce.domain.tree import Point, Series

NOW_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z
NOW_S = NOW_MS / 1000

ENERGY = Series("office-1", "main", "active_energy_import", "electricity", "b1", "370102")
VOLTAGE = Series("office-1", "main", "voltage_l1_n", "electricity", "b1", "370102")
POWER = Series("office-1", "main", "active_power_total", "electricity", "b1", "370102")


def clock() -> float:
    return NOW_S


def rows_of(batch: Batch) -> list[tuple[Series, int, float, int]]:
    return [
        (batch.series[index], time_ms, value, quality)
        for index, time_ms, value, quality in zip(
            batch.index.tolist(), batch.time_ms.tolist(), batch.value.tolist(), batch.quality.tolist(), strict=True
        )
    ]


def power_batch(first: int, count: int = 1, series: Series = POWER) -> Batch:
    """`count` readings of one series, one per second from NOW + first seconds before."""
    return Batch.from_rows(
        (series, NOW_MS - 86_400_000 + (first + i) * 1000, float(first + i), 0) for i in range(count)
    )


def corrupt_waiting(buffer, seq: int, at: int = -1) -> None:
    """Flip the bits of one byte of a waiting batch on disk."""
    (body,) = buffer._db.execute("SELECT body FROM batch WHERE seq = ?", (seq,)).fetchone()
    damaged = bytearray(body)
    damaged[at] ^= 0xFF
    buffer._db.execute("UPDATE batch SET body = ? WHERE seq = ?", (bytes(damaged), seq))


def full_disk(buffer, *, is_full: bool) -> None:
    """Let the database grow no further than it is, or as it likes again."""
    pages = buffer._db.execute("PRAGMA page_count").fetchone()[0] if is_full else 1_000_000
    buffer._db.execute(f"PRAGMA max_page_count = {pages}")


class MemorySink:
    """Idempotent, keyed by series and time, with true counts."""

    def __init__(self) -> None:
        self.rows: dict[tuple[tuple[str, str, str], int], tuple[float, int]] = {}
        self.order: list[int] = []  # times in order of arrival
        self.appends = 0
        self.lock = threading.Lock()

    def append(self, batch: Batch) -> AppendResult:
        with self.lock:
            self.appends += 1
            result = AppendResult()
            for series, time_ms, value, quality in rows_of(batch):
                result += self._keep(series, time_ms, value, quality)
            return result

    def append_all(self, batches: Sequence[Batch]) -> list[AppendResult]:
        return [self.append(batch) for batch in batches]

    def append_events(self, gateway, events) -> None:
        """Not looked at here."""

    def _keep(self, series: Series, time_ms: int, value: float, quality: int) -> AppendResult:
        if math.isnan(value) and not quality & 1:
            return AppendResult(refused=1)
        self.order.append(time_ms)
        key, new = (series.key, time_ms), (None if math.isnan(value) else value, quality)
        if key not in self.rows:
            self.rows[key] = new
            return AppendResult(stored=1)
        if self.rows[key] == new:
            return AppendResult(duplicate=1)
        self.rows[key] = new
        return AppendResult(stored=1, replaced=1)


class MoodySink:
    """A MemorySink that fails as told, one mood per append; `ok` once the moods are used up."""

    def __init__(self, moods: Iterable[str] = (), poison: Callable[[Batch], bool] = lambda _: False) -> None:
        self.inner = MemorySink()
        self.moods = list(moods)
        self.poison = poison
        self.attempts = 0
        self.permanent = InputError("not acceptable")

    def append(self, batch: Batch) -> AppendResult:
        self.attempts += 1
        mood = self.moods.pop(0) if self.moods else "ok"
        if mood == "down":
            raise StoreUnavailable("the sink is down")
        if mood == "lost answer":  # kept it, but the answer never arrived
            self.inner.append(batch)
            raise StoreUnavailable("no answer")
        if mood == "bug":
            raise RuntimeError("a bug in the sink")
        if self.poison(batch):
            raise self.permanent
        return self.inner.append(batch)


class FakeSource:
    """Emits what its script yields, then waits to be cancelled like a real source."""

    def __init__(self, name: str, batches: Sequence[Batch | BaseException] = ()) -> None:
        self._name = name
        self.batches = list(batches)
        self.acknowledged = 0
        self.starts = 0
        self.emitted = asyncio.Event()

    @property
    def name(self) -> str:
        return self._name

    def points(self) -> Sequence[Point]:
        return ()

    def status(self) -> Sequence[DeviceStatus]:
        return [DeviceStatus(self._name, "office-1", True, NOW_MS, polls=self.acknowledged)]

    async def run(self, emit: Emit) -> None:
        self.starts += 1
        while self.batches:
            step = self.batches.pop(0)
            if isinstance(step, BaseException):
                raise step
            await emit(step)
            self.acknowledged += 1
        self.emitted.set()
        await asyncio.Event().wait()


async def until(condition: Callable[[], bool], timeout_s: float = 10.0) -> None:
    """Await a condition; polling it is the only way to watch a thread from outside."""
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.005)
