"""Uplink: empties the buffer into the sink, oldest first, and counts the sink's answer.

Buffer --peek--> Sink.append --AppendResult--> Buffer.done
"""

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import Callable
from enum import StrEnum
from typing import Any, Final

import numpy as np

from kgce.domain.batch import Batch
from kgce.domain.errors import InputError, TryAgain, UnknownItem
from kgce.domain.ports import AppendResult, Sink
from kgce.edge.buffer.buffer import Buffer
from kgce.edge.buffer.counters import Count, Tally
from kgce.edge.uplink.backoff import Backoff

log: Final = logging.getLogger(__name__)

Lease = list[tuple[int, Batch]]
_DATA_ERRORS: Final = (InputError, UnknownItem)  # the batch is at fault, not the sink: asking again cannot help
_ROWS_PER_APPEND: Final = 10_000  # coalesces a backlog of small batches; a store takes this in well under a second


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
        sink: Sink,
        *,
        clock: Callable[[], float] = time.time,
        flush_interval_s: float = 0.5,
        backoff: Backoff | None = None,
    ) -> None:
        """The wait between rounds is `flush_interval_s`, after a failure that of `backoff`."""
        self._buffer = buffer
        self._sink = sink
        self._clock = clock
        self._flush_interval_s = flush_interval_s
        self._backoff = backoff or Backoff()
        self._stopping = asyncio.Event()
        self._state = UplinkState.IDLE
        self._since_ms = int(clock() * 1000)
        self._failures = 0
        self._last_error = ""

    async def run(self) -> None:
        """Hand over until `stop`, then once more."""
        while not self._stopping.is_set():
            wait_s = self._flush_interval_s if await self.drain() else self._backoff.next_s()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), wait_s)
        await self.drain()

    def stop(self) -> None:
        """Finish the append under way, try the rest once, end."""
        self._stopping.set()

    async def drain(self) -> bool:
        """Hand over everything that waits; False when the sink (or the buffer) would not.

        An error nobody planned for is taken for a sink that is down: the readings are kept and tried again.
        """
        try:
            while self._buffer.waiting_batches():
                lease = await asyncio.to_thread(self._buffer.peek, _ROWS_PER_APPEND)
                if lease:
                    await self._hand_over(lease)
                    self._came_up()
        except TryAgain as error:
            self._went_down(error)
            return False
        except Exception as error:  # noqa: BLE001 - a sink's bug must not end the task that empties the buffer
            self._went_down(error)
            return False
        finally:
            self._buffer.release()
        return True

    def status(self) -> dict[str, Any]:
        """State, since when, failures in a row, last error."""
        return {
            "state": self._state.value,
            "since_ms": self._since_ms,
            "failures": self._failures,
            "last_error": self._last_error,
        }

    async def _hand_over(self, lease: Lease) -> None:
        try:
            result = await self._append(Batch.concat(batch for _, batch in lease))
        except TryAgain:
            raise
        except Exception as error:
            if len(lease) == 1 and not isinstance(error, _DATA_ERRORS):
                raise
            await self._hand_over_singly(lease)
        else:
            await self._done([seq for seq, _ in lease], result)

    async def _hand_over_singly(self, lease: Lease) -> None:
        """Find the batch at fault: it is set aside only if the sink takes others, else the sink is at fault."""
        stuck = await self._each(lease)
        if len(stuck) == len(lease):
            raise stuck[0][2]
        for seq, _, error in await self._each([(seq, batch) for seq, batch, _ in stuck]):
            log.error("batch %d set aside in quarantine, the sink cannot take it: %r", seq, error)
            await asyncio.to_thread(self._buffer.set_aside, [seq], Count.REFUSED, "sink.failed")

    async def _each(self, lease: Lease) -> list[tuple[int, Batch, Exception]]:
        stuck: list[tuple[int, Batch, Exception]] = []
        for seq, batch in lease:
            try:
                result = await self._append_what_fits(batch)
            except TryAgain:
                raise
            except Exception as error:  # noqa: BLE001 - judged by the caller, who compares with the other batches
                stuck.append((seq, batch, error))
            else:
                await self._done([seq], result)
        return stuck

    async def _append_what_fits(self, batch: Batch) -> AppendResult:
        """Append; where the sink objects to the data, halve until only the rows at fault are refused."""
        try:
            return await self._append(batch)
        except _DATA_ERRORS as error:
            if len(batch) == 1:
                log.warning("reading refused by the sink: %s", error)
                return AppendResult(refused=1)
        half = len(batch) // 2
        first, second = batch.select(np.arange(half)), batch.select(np.arange(half, len(batch)))
        return await self._append_what_fits(first) + await self._append_what_fits(second)

    async def _append(self, batch: Batch) -> AppendResult:
        return await asyncio.to_thread(self._sink.append, batch)

    async def _done(self, seqs: list[int], result: AppendResult) -> None:
        outcome: Tally = Counter(
            {
                (Count.STORED, ""): result.stored,
                (Count.DUPLICATE, "stored before"): result.duplicate,
                (Count.REFUSED, "sink.refused"): result.refused,
            }
        )
        await asyncio.to_thread(self._buffer.done, seqs, outcome)

    def _came_up(self) -> None:
        self._backoff.reset()
        self._failures, self._last_error = 0, ""
        if self._state is not UplinkState.UP:
            log.info("uplink is up")
            self._change(UplinkState.UP)

    def _went_down(self, error: Exception) -> None:
        self._failures += 1
        self._last_error = str(error) or repr(error)
        if self._state is not UplinkState.DOWN:
            expected = isinstance(error, TryAgain)
            log.warning("uplink is down, readings wait in the buffer: %s", error, exc_info=None if expected else error)
            self._change(UplinkState.DOWN)

    def _change(self, state: UplinkState) -> None:
        self._state, self._since_ms = state, int(self._clock() * 1000)
