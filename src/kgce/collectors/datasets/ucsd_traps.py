"""Traps of the UCSD microgrid, found in the numbers themselves; feeds ucsd.py with findings."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import combinations, pairwise
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from kgce.collectors.datasets.dataset import hour_text
from kgce.collectors.datasets.pv_clock import centres, shift_between
from kgce.domain.batch import FloatArray, Int64Array
from kgce.domain.findings import Finding

TIMEZONE: Final = "America/Los_Angeles"
QUARTER_MS: Final = 900_000
LONG_GAP_SLOTS: Final = 3  # missing in a row
STANDARD_OFFSET_MS: Final = -8 * 3_600_000  # Pacific Standard Time
DAYTIME: Final = range(9, 15)  # local hours with sun all year
_HOUR_MS: Final = 3_600_000
_ZONE: Final = ZoneInfo(TIMEZONE)
_NEGATIVE: Final = {
    "solar": ("pv.negative_at_night", "the inverters' own use; kept, the point does not count"),
    "ev_charging": ("ev.discharge", "cars feed back (V2G); kept as negative amounts"),
    "battery": ("battery.both_ways", "charge and discharge in one series; kept, the point does not count"),
}


class Metered(NamedTuple):
    """A meter and its (n,) values: ascending UTC starts [ms], mean power [kW]."""

    meter: str
    commodity: str
    time_ms: Int64Array
    power: FloatArray
    repeated: Sequence[int]  # first meanings of local times that the clock showed twice and that came twice
    shown_twice_once: Sequence[int]  # and of those that came once. UTC [ms]


def find_traps(metered: Sequence[Metered]) -> list[Finding]:
    """Every trap of every meter."""
    findings = [finding for one in metered for part in (_clock, _gaps, _negative) for finding in part(one)]
    return findings + list(_shifted([one for one in metered if one.commodity == "solar"]))


def jumps_forward(first_ms: int, last_ms: int) -> list[int]:
    """UTC instants [ms] within [first, last] at which the local clock skips an hour."""
    edges = range(first_ms // _HOUR_MS, last_ms // _HOUR_MS + 1)
    walls = [_local(edge * _HOUR_MS).replace(tzinfo=None) for edge in edges]
    skips = [later - earlier > timedelta(hours=1) for earlier, later in pairwise(walls)]
    return [edge * _HOUR_MS for edge, skip in zip(edges[1:], skips, strict=True) if skip]


def _clock(one: Metered) -> Iterator[Finding]:
    if one.repeated:
        local = f"{_local(one.repeated[0]):%Y-%m-%dT%H:%M}"
        yield Finding(
            "clock.repeated_hour",
            "ucsd",
            f"meter {one.meter}: {len(one.repeated)} local times from {local} come twice, in true sequence: "
            "stored as two different hours",
            {"meter": one.meter, "local": local, "stamps": len(one.repeated), "first": hour_text(one.repeated[0])},
        )
    if one.shown_twice_once:
        local = f"{_local(one.shown_twice_once[0]):%Y-%m-%dT%H:%M}"
        yield Finding(
            "clock.repeated_hour_once",
            "ucsd",
            f"meter {one.meter}: {len(one.shown_twice_once)} local times from {local} that the clock showed twice come "
            "once: stored as the first hour with unsure time",
            {"meter": one.meter, "local": local, "stamps": len(one.shown_twice_once)},
        )
    for at_ms in jumps_forward(int(one.time_ms[0]), int(one.time_ms[-1])):
        after = int(np.searchsorted(one.time_ms, at_ms))
        missing_ms = int(one.time_ms[after] - one.time_ms[after - 1]) - QUARTER_MS
        before, after_it = _local(at_ms - QUARTER_MS), _local(at_ms)
        yield Finding(
            "clock.skipped_hour",
            "ucsd",
            f"meter {one.meter}: the clock goes from {before:%Y-%m-%dT%H:%M} to {after_it:%H:%M}; "
            f"{missing_ms // 60_000} minutes are missing there in true time",
            {
                "meter": one.meter,
                "at": hour_text(at_ms),
                "local": f"{after_it:%Y-%m-%dT%H:%M}",
                "missing_minutes": missing_ms // 60_000,
            },
        )


def _gaps(one: Metered) -> Iterator[Finding]:
    for place in np.flatnonzero(np.diff(one.time_ms) > LONG_GAP_SLOTS * QUARTER_MS).tolist():
        gap_from, gap_to = (hour_text(int(one.time_ms[at])) for at in (place, place + 1))
        slots = int(one.time_ms[place + 1] - one.time_ms[place]) // QUARTER_MS - 1
        yield Finding(
            "gap.long",
            "ucsd",
            f"meter {one.meter}: {slots} quarters of an hour are missing between {gap_from} and {gap_to}",
            {"meter": one.meter, "gap_from": gap_from, "gap_to": gap_to, "slots": slots},
        )


def _negative(one: Metered) -> Iterator[Finding]:
    below = np.flatnonzero(one.power < 0)
    if not len(below):
        return
    name, meaning = _NEGATIVE.get(one.commodity, ("power.negative", "a net producer or a fault; kept"))
    by_day = sum(_local(at_ms).hour in DAYTIME for at_ms in one.time_ms[below].tolist())
    lowest, kwh = float(one.power[below].min()), float(one.power[below].sum()) * QUARTER_MS / _HOUR_MS
    yield Finding(
        name,
        "ucsd",
        f"meter {one.meter}: {len(below)} quarters of an hour below zero ({by_day} of them from {DAYTIME.start} to "
        f"{DAYTIME.stop} h), {kwh:.1f} kWh, lowest {lowest:g} kW: {meaning}",
        {"meter": one.meter, "values": len(below), "by_day": by_day, "kwh": kwh, "lowest_kw": lowest},
    )


def _shifted(solar: Sequence[Metered]) -> Iterator[Finding]:
    """PV meters whose days move against each other."""
    days = {one.meter: centres(one.time_ms, one.power, STANDARD_OFFSET_MS) for one in solar}
    for one, other in combinations(days, 2):
        shift = shift_between(days[one], days[other])
        if shift is not None:
            day = hour_text(shift.day_ms)[:10]
            yield Finding(
                "clock.shifted",
                "ucsd",
                f"from {day} the days of {one} lie {shift.after_min - shift.before_min:+.0f} min against those of "
                f"{other}: one of the clocks was set; which one was right is not known, stored as published",
                {"meters": [one, other], "day": day, "before_min": shift.before_min, "after_min": shift.after_min},
            )


def _local(utc_ms: int) -> datetime:
    return datetime.fromtimestamp(utc_ms / 1000, UTC).astimezone(_ZONE)
