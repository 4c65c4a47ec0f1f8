"""Charging: the loop that keeps a site below its fuse by telling chargers what they may draw.

main meter's currents - chargers' own --building--> shares --limit_current(valid for 3 periods)--> chargers
A share runs out by itself: when the gateway dies, or the line is cut, each charger falls back to what it was told at
its first contact. What is told is renewed every period, so a charger that was away gets its share again.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from kgce.domain.batch import UNUSABLE
from kgce.domain.control import CurrentLimiter
from kgce.domain.errors import DeviceUnreachable, TryAgain
from kgce.domain.events import Event, RecordEvent, Severity
from kgce.domain.ports import SeriesKey
from kgce.edge.control.alarms import Live
from kgce.edge.control.config import ChargerTable, ChargingTable
from kgce.edge.control.sharing import Charger, safe_shares, shares

log: Final = logging.getLogger(__name__)

_VALID_PERIODS: Final = 3
_PHASES: Final = ("current_l1", "current_l2", "current_l3")
_DRAWS_A: Final = 0.5  # below it no car is charging
_FREE: Final = frozenset({"available", "unavailable"})
_UNUSABLE: Final = int(UNUSABLE)
_STEP_A: Final = 0.5  # a smaller change of a share is no event


@dataclass(slots=True)
class _Known:
    """What the loop knows of one charger."""

    table: ChargerTable
    granted_a: float
    has_fallback: bool = False  # it has been told what to do when nobody speaks to it
    is_reachable: bool = False
    served_last_s: float = 0.0
    told_a: float | None = None  # the share the last event spoke of
    problem: str = ""


@dataclass(slots=True)
class _Now:
    building_a: float | None = None
    shares: dict[str, float] = field(default_factory=dict)


class Charging:
    """One site."""

    def __init__(
        self,
        table: ChargingTable,
        newest: Callable[[SeriesKey], Live | None],
        limiters: Callable[[], Sequence[CurrentLimiter]],
        record: RecordEvent,
        clock: Callable[[], float],
    ) -> None:
        self._table, self._newest, self._limiters = table, newest, limiters
        self._record, self._clock = record, clock
        self._known = {one.device: _Known(one, one.fallback_a) for one in table.chargers}
        self._now = _Now()

    async def step(self) -> None:
        """Look, share, tell; once a period."""
        chargers = [self._seen(one) for one in self._known.values()]
        building_a = self._building_a()
        is_known = building_a is not None
        found = shares(self._table.site_limit_a, building_a or 0.0, chargers) if is_known else safe_shares(chargers)
        self._now = _Now(building_a, found)
        lower_first = sorted(self._known.values(), key=lambda one: found.get(one.table.device, 0.0) - one.granted_a)
        for one in lower_first:  # what one gives up is there before another takes it
            await self._tell(one, found.get(one.table.device, one.table.fallback_a))

    def status(self) -> dict[str, Any]:
        """For the page."""
        return {
            "site_limit_a": self._table.site_limit_a,
            "building_a": self._now.building_a,
            "chargers": [
                {
                    "device": one.table.device,
                    "granted_a": round(one.granted_a, 1),
                    "drawn_a": self._drawn_a(one.table),
                    "reachable": one.is_reachable,
                    "problem": one.problem,
                }
                for one in self._known.values()
            ],
        }

    async def _tell(self, one: _Known, amperes: float) -> None:
        device = one.table.device
        try:
            limiter = self._limiter_of(device)
            if not one.has_fallback:
                await limiter.set_fallback(device, one.table.fallback_a)
                one.has_fallback = True
            await limiter.limit_current(device, amperes, valid_s=_VALID_PERIODS * self._table.period_s)
        except TryAgain as error:
            if one.is_reachable or not one.problem:
                log.warning("charger %s: %s", device, error)
            one.is_reachable, one.has_fallback, one.problem = False, False, str(error)
            return
        one.is_reachable, one.problem, one.granted_a = True, "", amperes
        if amperes > 0:
            one.served_last_s = self._clock()
        if one.told_a is None or abs(amperes - one.told_a) >= _STEP_A:
            text = f"{device} may draw {amperes:.1f} A" if amperes else f"{device} pauses"
            evidence = {"before_a": one.told_a, "after_a": amperes, "building_a": self._now.building_a}
            one.told_a = amperes
            subject = f"{one.table.institution}/{device}"
            self._record(Event("control.share", int(self._clock() * 1000), subject, Severity.INFO, text, evidence))

    def _limiter_of(self, device: str) -> CurrentLimiter:
        for limiter in self._limiters():
            if device in limiter.limited_devices():
                return limiter
        raise DeviceUnreachable(f"{device} cannot be told anything: no source of this gateway controls it")

    def _seen(self, one: _Known) -> Charger:
        table = one.table
        # Nobody has answered yet: tell it all the same, and count with what it may draw.
        is_reachable = one.is_reachable or not one.problem
        return Charger(
            table.device, table.max_a, table.fallback_a, one.granted_a, self._has_car(table), is_reachable,
            one.served_last_s,
        )  # fmt: skip

    def _building_a(self) -> float | None:
        """The most loaded phase without what the chargers draw; None when the main meter's word is too old."""
        phases = [self._current(self._table.institution, self._table.main_meter, name) for name in _PHASES]
        known = [one for one in phases if one is not None]
        if not known:
            return None
        drawn = sum(self._drawn_a(one.table) or 0.0 for one in self._known.values())
        return max(0.0, max(known) - drawn)

    def _drawn_a(self, table: ChargerTable) -> float | None:
        phases = [self._current(table.institution, table.device, name) for name in (*_PHASES, "current")]
        known = [one for one in phases if one is not None]
        return max(known) if known else None

    def _has_car(self, table: ChargerTable) -> bool:
        """It draws, or says so; a charger that says nothing about itself may have one."""
        drawn = self._drawn_a(table)
        if drawn is not None and drawn > _DRAWS_A:
            return True
        state = self._newest((table.institution, table.device, "charging_state"))
        return state is None or state.value != 0

    def _current(self, institution: str, device: str, name: str) -> float | None:
        live = self._newest((institution, device, name))
        if live is None or live.quality & _UNUSABLE:
            return None
        is_old = self._clock() - live.time_ms / 1000 > self._table.max_age_s
        return None if is_old else live.value
