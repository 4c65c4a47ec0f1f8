"""Uplink: empties the buffer into the sink, live first, and counts the sink's answer; events go the same way.

Buffer --lanes--> ParcelSink.deliver --AppendResult--> Buffer.done
"""

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import Callable
from enum import StrEnum
from typing import Any, Final

from kgce.domain.errors import InputError, TryAgain
from kgce.domain.ports import AppendResult, SeriesKey, Sink
from kgce.edge.buffer.buffer import Buffer
from kgce.edge.buffer.counters import Count, Tally
from kgce.edge.buffer.parcel import Parcel
from kgce.edge.uplink.backoff import Backoff
from kgce.edge.uplink.config import UplinkTable
from kgce.edge.uplink.culprits import DATA_ERRORS, Stuck, Verdict, judge, refused_rows
from kgce.edge.uplink.lanes import Lanes
from kgce.edge.uplink.ports import ParcelSink, parcel_sink

log: Final = logging.getLogger(__name__)

_EVENTS_PER_MESSAGE: Final = 100


class UplinkState(StrEnum):
    """How the sink answered last."""

    IDLE = "idle"  # nothing handed over yet
    UP = "up"
    DOWN = "down"


class Uplink:
    """One task that hands over; nothing leaves the buffer before the sink has answered for it."""

    def __init__(
        self,
        buffer: Buffer,
        sink: Sink | ParcelSink,
        *,
        gateway: str = "gateway",
        table: UplinkTable | None = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        backoff: Backoff | None = None,
    ) -> None:
        """The wait between rounds is the table's `flush_interval_s`, after a failure that of `backoff`."""
        self._buffer = buffer
        self._sink = parcel_sink(sink)
        self._gateway = gateway
        self._table = table or UplinkTable()
        self._clock = clock
        self._monotonic = monotonic
        self._backoff = backoff or Backoff()
        self._lanes = Lanes(buffer, self._table, clock=monotonic)
        self._stopping = asyncio.Event()
        self._passed = 0  # parcels the sink took
        self._refused_series: set[SeriesKey] = set()
        self._broke: dict[int, tuple[int, int]] = {}  # batch -> (how often it broke a sink that takes others, ...)
        self._state = UplinkState.IDLE
        self._since_ms = self._now_ms()
        self._failures = 0
        self._last_error = ""
        self._last_success_ms: int | None = None

    async def run(self) -> None:
        """Hand over until `stop`, then once more."""
        while not self._stopping.is_set():
            wait_s = self._table.flush_interval_s if await self.drain() else self._backoff.next_s()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), wait_s)
        await self.drain(finishing=True)

    def stop(self) -> None:
        """Finish the parcel under way, try the rest once, end."""
        self._stopping.set()

    def retune(self, table: UplinkTable) -> None:
        """Other rates from here on."""
        self._table = table
        self._lanes.retune(table)

    async def drain(self, *, finishing: bool = False) -> bool:
        """Hand over what may go now; False when the sink (or the buffer) would not. `finishing` knows no rate limit.

        An error nobody planned for is taken for a sink that is down: the readings are kept and tried again.
        """
        try:
            while self._buffer.waiting_batches():
                parcel = await asyncio.to_thread(self._lanes.next, unlimited=finishing)
                if parcel is None:
                    break
                await self._hand_over(parcel)
            await self._tell()
        except Exception as error:  # noqa: BLE001 - a sink's bug must not end the task that empties the buffer
            self._went_down(error)
            return False
        finally:
            self._buffer.release()
        return True

    def status(self) -> dict[str, Any]:
        """Where to, state, since when, failures in a row, last error, how far behind."""
        return {
            **self._sink.status(),
            "state": self._state.value,
            "since_ms": self._since_ms,
            "failures": self._failures,
            "last_error": self._last_error,
            "last_success_ms": self._last_success_ms,
            **self._buffer.waiting_by_lane(self._lanes.boundary),
        }

    async def _hand_over(self, parcel: Parcel) -> None:
        began_s = self._monotonic()
        try:
            result = await self._deliver(parcel)
        except TryAgain:
            raise
        except Exception as error:
            if parcel.first == parcel.last and not isinstance(error, DATA_ERRORS):
                if not self._is_to_blame(parcel):
                    raise
                await self._bury(parcel, error)
            else:
                await self._hand_over_singly(parcel)
        else:
            await self._took(parcel, result)
            self._passed += 1
        self._lanes.delivered(parcel, self._monotonic() - began_s)
        self._came_up()

    async def _hand_over_singly(self, parcel: Parcel) -> None:
        """Find the batches at fault; those that break a sink which takes others are set aside."""
        stuck = await self._each(list(range(parcel.first, parcel.last + 1)))
        if stuck and len(stuck) == parcel.last - parcel.first + 1:
            raise stuck[0].error
        for one in await self._each([one.parcel.first for one in stuck]):
            await self._bury(one.parcel, one.error)

    def _is_to_blame(self, parcel: Parcel) -> bool:
        """Whether this batch has broken the sink often enough while others passed."""
        tries, passed = self._broke.get(parcel.first, (0, self._passed))
        tries += self._passed > passed
        self._broke[parcel.first] = (tries, self._passed)
        if tries < self._table.dead_letter_after:
            return False
        del self._broke[parcel.first]
        return True

    async def _bury(self, parcel: Parcel, error: Exception) -> None:
        reason = f"the sink breaks on it: {error!r}"
        log.error("batch %d becomes a dead letter, %s", parcel.first, reason)
        await asyncio.to_thread(self._buffer.bury, parcel, parcel.batch, reason, Counter())

    async def _each(self, seqs: list[int]) -> list[Stuck]:
        stuck: list[Stuck] = []
        for seq in seqs:
            parcel = await asyncio.to_thread(self._buffer.peek_oldest, 1, after=seq - 1)
            if parcel is None or parcel.first != seq:
                continue
            found = await judge(parcel, self._deliver, tries=self._table.dead_letter_after)
            if isinstance(found, Stuck):
                stuck.append(found)
            else:
                await self._settle(found)
        return stuck

    async def _settle(self, verdict: Verdict) -> None:
        if not len(verdict.refused):
            await self._done(verdict.parcel, verdict.result)
            return
        outcome = _outcome(verdict.result)
        await asyncio.to_thread(self._buffer.bury, verdict.parcel, verdict.refused, verdict.reason, outcome)

    async def _deliver(self, parcel: Parcel) -> AppendResult:
        return await asyncio.to_thread(self._sink.deliver, parcel)

    async def _took(self, parcel: Parcel, result: AppendResult) -> None:
        """Delivered; rows that the sink took exception to are kept as a dead letter."""
        if not result.refused:
            await self._done(parcel, result)
            return
        rows = await refused_rows(parcel, self._deliver, self._refused_series)
        others = max(0, result.refused - len(rows))
        result = AppendResult(result.stored, result.duplicate, others, result.replaced)
        if not len(rows):
            await self._done(parcel, result)
            return
        reason = "the store took the rest of the batch and refuses these for good"
        await asyncio.to_thread(self._buffer.bury, parcel, parcel.batch.select(rows), reason, _outcome(result))

    async def _done(self, parcel: Parcel, result: AppendResult) -> None:
        await asyncio.to_thread(self._buffer.done, parcel, _outcome(result))

    async def _tell(self) -> None:
        """Hand over events; one that nobody takes is dropped, so that the others pass."""
        while self._buffer.waiting_events():
            numbered = await asyncio.to_thread(self._buffer.peek_events, _EVENTS_PER_MESSAGE)
            if not numbered:
                return
            try:
                await asyncio.to_thread(self._sink.tell, self._gateway, [event for _, event in numbered])
            except InputError as error:
                log.warning("%d events are refused for good: %s", len(numbered), error)
            await asyncio.to_thread(self._buffer.events_done, [number for number, _ in numbered])
            self._came_up()

    def _came_up(self) -> None:
        self._backoff.reset()
        self._failures, self._last_error = 0, ""
        self._last_success_ms = self._now_ms()
        if self._state is not UplinkState.UP:
            log.info("uplink is up", extra={"state": "up"})
            self._change(UplinkState.UP)

    def _went_down(self, error: Exception) -> None:
        self._failures += 1
        self._last_error = str(error) or repr(error)
        self._lanes.failed()
        if self._state is not UplinkState.DOWN:
            expected = isinstance(error, TryAgain)
            text = "uplink is down, readings wait in the buffer: %s"
            log.warning(text, error, exc_info=None if expected else error, extra={"state": "down"})
            self._change(UplinkState.DOWN)

    def _change(self, state: UplinkState) -> None:
        self._state, self._since_ms = state, self._now_ms()

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)


def _outcome(result: AppendResult) -> Tally:
    return Counter(
        {
            (Count.STORED, ""): result.stored,
            (Count.DUPLICATE, "stored before"): result.duplicate,
            (Count.REFUSED, "sink.refused"): result.refused,
        }
    )
