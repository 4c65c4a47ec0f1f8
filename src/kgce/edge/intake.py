"""Intake: batches from sources through the checks into the buffer, durable when it returns.

source --emit--> Checks --> Buffer, as one commit for all sources that wait at the moment
"""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from kgce.domain.batch import Batch
from kgce.edge.buffer.buffer import Buffer
from kgce.edge.checks.checks import Checks
from kgce.edge.roster import Roster

log: Final = logging.getLogger(__name__)

_GATHER_S: Final = 0.003  # under load the next commit takes what comes meanwhile along

Stamp = Callable[[Batch], tuple[Batch, str]]  # edge/clock: the batch, and the doubted clock it waits for


class Intake:
    """Takes batches one group at a time; safe to call from several threads."""

    def __init__(
        self,
        checks: Checks,
        buffer: Buffer,
        *,
        stamp: Stamp = lambda batch: (batch, ""),
        observers: Sequence[Callable[[Batch], object]] = (),
    ) -> None:
        """`stamp` marks what a doubted clock stamped and names that clock; observers see what is durable, quickly."""
        self._checks = checks
        self._buffer = buffer
        self._stamp = stamp
        self._observers = observers
        self._roster = Roster()
        self._failing: list[Callable[[Batch], object]] = []
        self._lock = threading.Lock()

    def take(self, batches: Sequence[Batch]) -> None:
        """Check, commit, then remember: a batch that could not be kept is not a repeat when it comes again.

        The batches are of different series: none is compared with another of the same group.

        Raises:
            StoreUnavailable: nothing of them was kept or counted.
        """
        with self._lock:
            stamped = [self._stamp(batch) for batch in self._roster.joined(batches)]
            checked = [self._checks.check(batch) for batch, _ in stamped]
            if checked:
                doubted = next((clock_id for _, clock_id in stamped if clock_id), "")
                self._buffer.put_all([(one.batch, one.otherwise) for one in checked], clock_id=doubted)
            for one in checked:
                self._checks.remember(one)
        for one in checked:
            self._show(one.batch)

    def _show(self, batch: Batch) -> None:
        """The batch is durable whatever an observer does."""
        for observer in self._observers:
            try:
                observer(batch)
            except Exception:
                if observer not in self._failing:
                    self._failing.append(observer)
                    log.exception("an observer fails; the readings are kept all the same")

    def checks_state(self) -> dict[str, Any]:
        """What the checks must remember over a restart, fit for JSON."""
        with self._lock:
            return self._checks.state()

    def replace_checks(self, checks: Checks) -> None:
        """Judge by other limits from now on; what the old checks knew, the new ones know."""
        with self._lock:
            checks.restore(self._checks.state())
            checks.marks.update(self._checks.marks)
            self._checks = checks

    def marks(self) -> dict[str, int]:
        """Rows marked since the start, by rule."""
        with self._lock:
            return {rule: rows for rule, rows in sorted(self._checks.marks.items()) if rows}


@dataclass(slots=True)
class _Waiting:
    sender: Hashable
    batch: Batch
    safe: asyncio.Future[None]


class GroupedIntake:
    """While one commit is under way, batches gather; the next commit takes one of each sender together."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._waiting: list[_Waiting] = []
        self._working: asyncio.Task[None] | None = None
        self._wanted, self._enough = 0, asyncio.Event()

    def take(self, sender: Hashable, batch: Batch) -> asyncio.Future[None]:
        """Done once the batch is durable; batches of one sender are committed in the order they came.

        It raises StoreUnavailable where nothing of the batch was kept or counted.
        """
        safe: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(sender, batch, safe))
        if len(self._waiting) >= self._wanted:
            self._enough.set()
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._work(), name="intake")
        return safe

    async def _work(self) -> None:
        group: list[_Waiting] = []
        while self._waiting:
            try:
                await self._gather(len(group))
                group = self._next_group()
                await self._commit(group)
            except asyncio.CancelledError:
                for one in (*group, *self._waiting):
                    one.safe.cancel()
                self._waiting.clear()
                raise

    async def _gather(self, wanted: int) -> None:
        """Under load: until as many are there as in the commit before, or _GATHER_S have passed."""
        self._wanted = wanted
        if len(self._waiting) < wanted:
            self._enough.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_GATHER_S):
                    await self._enough.wait()

    def _next_group(self) -> list[_Waiting]:
        group: dict[Hashable, _Waiting] = {}
        self._waiting = [one for one in self._waiting if group.setdefault(one.sender, one) is not one]
        return list(group.values())

    async def _commit(self, group: list[_Waiting]) -> None:
        """All in one; where that fails, each by itself, so that no batch suffers for another."""
        try:
            await asyncio.to_thread(self._intake.take, [one.batch for one in group])
        except Exception as error:  # noqa: BLE001 - handed on to the sender, who knows what it can do
            if len(group) == 1:
                _settle(group[0], error)
                return
            for one in group:
                await self._commit([one])
        else:
            for one in group:
                _settle(one, None)


def _settle(one: _Waiting, error: Exception | None) -> None:
    if one.safe.done():
        return  # nobody waits any more
    if error is None:
        one.safe.set_result(None)
    else:
        one.safe.set_exception(error)
