"""GatewayClock: UTC that neither a boot in 1970 nor a leap of the machine's clock can spoil.

    wall clock --followed while it makes sense--> anchor + time since boot --now()--> sources, checks
    kernel (NTP), centre, operator --witnesses--> trusted again: shift of what was stamped meanwhile

While the wall clock is doubted, the clock goes on from its anchor and the gateway's own stamps are marked and held.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from kgce.domain.batch import Batch
from kgce.domain.events import Event, Severity
from kgce.edge.clock.machine import boot_id as machine_boot_id
from kgce.edge.clock.machine import kernel_is_synchronised, since_boot
from kgce.edge.clock.memory import ClockMemory, Doubt, Remembered
from kgce.edge.clock.stamps import is_own, marked

# Older than this software: a clock before it is unset.
EARLIEST_SANE_S: Final = 1_704_067_200.0  # 2024-01-01T00:00:00Z
_AHEAD_S: Final = 10 * 365 * 86_400.0  # of the last good time: no gateway is off for ten years
_AFTER_GOOD_S: Final = 120.0  # the last good time is saved once a minute; go on after anything stamped since
_SAVE_S: Final = 60.0
_BACK_RATE: Final = 0.2  # a correction backwards is followed so slowly that no two readings share a time
_SETTLE_S: Final = 60.0  # batches stamped before the trust may still be on their way


@dataclass(frozen=True, slots=True)
class _Anchor:
    wall_s: float
    boot_s: float

    def at(self, boot_s: float) -> float:
        return self.wall_s + boot_s - self.boot_s


@dataclass(frozen=True, slots=True)
class _Settling:
    """What may still arrive with stamps of the doubted clock."""

    clock_id: str
    ended_s: float  # the doubted clock's time when the right one became known
    shift_s: float
    until_boot_s: float


class GatewayClock:
    """The time, whether it is trusted, and marks on what was stamped while it was not; safe from any thread."""

    def __init__(
        self,
        memory: ClockMemory,
        *,
        wall: Callable[[], float] = time.time,
        since_boot: Callable[[], float] = since_boot,
        boot_id: Callable[[], str] = machine_boot_id,
        is_synchronised: Callable[[], bool] = kernel_is_synchronised,
        jump_limit_s: float = 30.0,
        max_hold_s: float = 86_400.0,
        needs_kernel: bool = False,
    ) -> None:
        """`needs_kernel`: at the start, too, the wall clock is believed only once the kernel is synchronised."""
        self._memory, self._wall, self._since_boot, self._is_synchronised = memory, wall, since_boot, is_synchronised
        self._limit_s, self._max_hold_s, self._needs_kernel = jump_limit_s, max_hold_s, needs_kernel
        self._lock = threading.RLock()
        self._events: deque[Event] = deque(maxlen=100)
        self._known: Remembered = memory.load()
        self._settling: _Settling | None = None
        self._follows_wall = True
        self._witness = "none"
        self._trusted_since_ms = 0
        self._start(boot_id())

    def now(self) -> float:
        """UTC in seconds; never backwards while the gateway runs, unless a witness proves it wrong."""
        boot_s = self._since_boot()
        with self._lock:
            return self._anchor.at(boot_s)

    @property
    def is_sure(self) -> bool:
        """Whether the time is trusted."""
        return self._known.doubt is None

    @property
    def is_settling(self) -> bool:
        """Whether batches stamped before the trust may still arrive."""
        return self._settling is not None

    @property
    def id(self) -> str:
        """Names the doubted clock; empty while the time is trusted."""
        return "" if self.is_sure else f"{self._known.boot_id}:{self._known.doubts}"

    def look(self) -> None:
        """Compare with the wall clock; call it each second."""
        with self._lock:
            boot_s, wall_s = self._since_boot(), self._wall()
            here_s = self._anchor.at(boot_s)
            off_s = wall_s - here_s
            if self._known.doubt is not None:
                self._look_in_doubt(self._known.doubt, wall_s, here_s)
            elif abs(off_s) <= self._limit_s:
                self._follows_wall = True
                self._follow(boot_s, here_s, off_s)
            elif self._follows_wall and self._is_synchronised():
                self._stepped(wall_s, here_s, "kernel")
            elif self._follows_wall:
                self._doubt("jumped", wall_s, here_s)
            if self._settling is not None and boot_s > self._settling.until_boot_s:
                self._settling = None
            if self.is_sure and boot_s - self._saved_boot_s >= _SAVE_S:
                self._remember()

    def heard(self, utc_s: float, took_s: float) -> None:
        """The centre says what time it was `took_s` / 2 ago, give or take as much: a witness."""
        if took_s / 2 > self._limit_s or utc_s < EARLIEST_SANE_S:
            return
        with self._lock:
            wall_s, here_s = self._wall(), self._anchor.at(self._since_boot())
            utc_s += took_s / 2
            wall_agrees = abs(wall_s - utc_s) <= self._limit_s
            if not self.is_sure:
                self._trust(wall_s if wall_agrees else utc_s, "centre")
                self._follows_wall = wall_agrees
            elif abs(utc_s - here_s) > self._limit_s and not self._is_synchronised():
                self._stepped(wall_s if wall_agrees else utc_s, here_s, "centre")
                self._follows_wall = wall_agrees

    def trust_wall(self) -> None:
        """The operator says that the machine's clock is right."""
        with self._lock:
            wall_s = self._wall()
            if not self.is_sure:
                self._trust(wall_s, "operator")
            elif abs(wall_s - self.now()) > self._limit_s:
                self._stepped(wall_s, self.now(), "operator")
            self._follows_wall = True

    def stamp(self, batch: Batch) -> tuple[Batch, str]:
        """The batch with the gateway's own doubtful stamps marked, and the clock it is held for; else as it is."""
        if self.is_sure and self._settling is None:
            return batch, ""
        with self._lock:
            boot_s = self._since_boot()
            now_ms = self._anchor.at(boot_s) * 1000
            if self._known.doubt is not None:
                own = is_own(batch.time_ms, now_ms)
                held_s = (now_ms - self._known.doubt.since_ms) / 1000
                clock_id = self.id if held_s <= self._max_hold_s else ""
            elif self._settling is not None:
                own = is_own(batch.time_ms, self._settling.ended_s * 1000)
                if self._settling.shift_s < 0:
                    own &= ~is_own(batch.time_ms, now_ms)
                else:
                    own &= batch.time_ms <= self._settling.ended_s * 1000
                clock_id = self._settling.clock_id
            else:
                return batch, ""
        return (marked(batch, own, waits=bool(clock_id)), clock_id) if own.any() else (batch, "")

    def shift_ms(self, clock_id: str) -> int | None:
        """By how much the stamps of a doubted clock were wrong; None while nobody knows."""
        return self._known.corrections.get(clock_id)

    def may_still_be_known(self, clock_id: str) -> bool:
        """Whether the right time of a doubted clock's stamps may yet be found out."""
        doubt = self._known.doubt
        return doubt is not None and clock_id == self.id and self.now() - doubt.since_ms / 1000 <= self._max_hold_s

    def events(self) -> list[Event]:
        """What happened since this was last asked."""
        with self._lock:
            found = list(self._events)
            self._events.clear()
            return found

    def status(self) -> dict[str, Any]:
        """Trusted or not, since when and why, who vouches for it, how far off the machine's clock is."""
        with self._lock:
            doubt = self._known.doubt
            return {
                "state": "trusted" if doubt is None else "unsure",
                "since_ms": self._trusted_since_ms if doubt is None else doubt.since_ms,
                "reason": "" if doubt is None else doubt.reason,
                "witness": "kernel" if self._is_synchronised() else self._witness,
                "follows_machine": self._follows_wall and doubt is None,
                "machine_off_s": round(self._wall() - self.now(), 3),
            }

    def close(self) -> None:
        """Remember the time."""
        with self._lock:
            if self.is_sure:
                self._remember()

    def _start(self, boot_id: str) -> None:
        wall_s, boot_s = self._wall(), self._since_boot()
        self._saved_boot_s = boot_s
        self._trusted_since_ms = int(wall_s * 1000)
        doubt, good_s = self._known.doubt, self._known.good_ms / 1000
        if doubt is not None and boot_id and boot_id == self._known.boot_id:  # the doubt outlives a restart
            self._anchor = _Anchor(doubt.anchor_wall_s, doubt.anchor_boot_s)
            return
        self._known = replace(self._known, boot_id=boot_id, doubt=None)
        reason = self._why_not(wall_s)
        if not reason and self._needs_kernel and not self._is_synchronised():
            reason = "not synchronised"
        if not reason:
            self._anchor = _Anchor(wall_s, boot_s)
            self._remember()
            return
        begin_s = wall_s if reason == "not synchronised" else max(good_s + _AFTER_GOOD_S, EARLIEST_SANE_S)
        self._anchor = _Anchor(begin_s, boot_s)
        self._doubt(reason, wall_s, begin_s)

    def _why_not(self, wall_s: float) -> str:
        good_s = self._known.good_ms / 1000
        if wall_s < EARLIEST_SANE_S:
            return "unset"
        if wall_s < good_s - self._limit_s:
            return "behind the last good time"
        if wall_s > max(good_s, EARLIEST_SANE_S) + _AHEAD_S:
            return "far ahead"
        return ""

    def _follow(self, boot_s: float, here_s: float, off_s: float) -> None:
        """Forward at once; backwards so slowly that time only stretches."""
        if off_s < 0:
            off_s = -min(-off_s, _BACK_RATE * (boot_s - self._anchor.boot_s))
        self._anchor = _Anchor(here_s + off_s, boot_s)

    def _look_in_doubt(self, doubt: Doubt, wall_s: float, here_s: float) -> None:
        if self._is_synchronised():
            self._trust(wall_s, "kernel")
        elif doubt.reason == "jumped":
            if abs(wall_s - here_s) <= self._limit_s:
                self._trust(here_s, "came back")
        elif not self._needs_kernel and not self._why_not(wall_s):
            self._trust(wall_s, "set")  # it was doubted because it made no sense; somebody set it

    def _doubt(self, reason: str, wall_s: float, here_s: float) -> None:
        boot_s, since_ms = self._since_boot(), int(here_s * 1000)
        doubt = Doubt(reason, since_ms, here_s, boot_s)
        self._known = replace(self._known, doubts=self._known.doubts + 1, doubt=doubt)
        self._settling = None
        self._memory.save(self._known)
        text = f"the machine's clock is doubted ({reason}); readings wait for the right time, set it or connect NTP"
        self._tell("clock.doubted", Severity.ALARM, text, reason=reason, machine_s=wall_s, expected_s=here_s)

    def _trust(self, utc_s: float, witness: str) -> None:
        boot_s, clock_id = self._since_boot(), self.id
        here_s = self._anchor.at(boot_s)
        shift_s = utc_s - here_s
        if abs(shift_s) <= self._limit_s:
            shift_s = 0.0  # the anchor was right; moving what a device stamped by a few ms would be wrong
        corrections = self._known.corrected(clock_id, round(shift_s * 1000))
        self._known = replace(self._known, doubt=None, corrections=corrections)
        self._settling = _Settling(clock_id, here_s, shift_s, boot_s + _SETTLE_S)
        self._set(utc_s, witness)
        text = f"the time is trusted again ({witness}); what was stamped meanwhile moves by {shift_s:.1f} s"
        self._tell("clock.trusted", Severity.INFO, text, witness=witness, shift_s=round(shift_s, 3))

    def _stepped(self, utc_s: float, here_s: float, witness: str) -> None:
        """The clock was wrong without anybody knowing: what was stamped with it is gone, so it is told."""
        self._set(utc_s, witness)
        text = f"the clock was {utc_s - here_s:+.1f} s wrong, says the {witness}; readings before were stamped with it"
        self._tell(
            "clock.stepped", Severity.WARNING, text, witness=witness, before_s=here_s, shift_s=round(utc_s - here_s, 3)
        )

    def _set(self, utc_s: float, witness: str) -> None:
        self._anchor = _Anchor(utc_s, self._since_boot())
        self._witness, self._trusted_since_ms, self._follows_wall = witness, int(utc_s * 1000), True
        self._remember()

    def _remember(self) -> None:
        boot_s = self._since_boot()
        self._saved_boot_s = boot_s
        self._known = replace(self._known, good_ms=int(self._anchor.at(boot_s) * 1000))
        self._memory.save(self._known)

    def _tell(self, event_id: str, severity: Severity, text: str, **evidence: Any) -> None:
        self._events.append(Event(event_id, int(self.now() * 1000), "gateway", severity, text, evidence))
