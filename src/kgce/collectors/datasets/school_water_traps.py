"""Traps of the daily school water, found in the numbers themselves; feeds school_water.py with findings.

Every rule looks at one meter alone: a school's own usual day is the measure of what is unusual there.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from kgce.domain.batch import BoolArray, FloatArray
from kgce.domain.findings import Finding

DAY: Final = "datetime64[D]"
LONG_GAP_DAYS: Final = 3  # missing days in a row; a weekend without reading is no gap worth a line
CATCH_UP_SHARE: Final = 0.5  # of what the missing days would have taken at the usual rate
NEIGHBOUR_DAYS: Final = 14  # on either side of a gap: what is usual there
BURST_RATIO: Final = 30.0  # times the meter's median day with any water
BURST_M3: Final = 20.0  # below it a day is busy, not burst
# A school is empty on more than a third of all days: what flows on its quietest days, nobody uses. 3.5 litres a minute.
LEAK_M3: Final = 5.0
QUIET_SHARE: Final = 0.05


class School(NamedTuple):
    """A school with one water meter; pupils None = unknown; repeated = dates that came twice at the source."""

    id: str
    name: str
    pupils: float | None
    repeated: int


class Repeat(NamedTuple):
    """A date that came twice, with its first and its last amount."""

    school: str
    day: date
    first: float
    last: float


class Days(NamedTuple):
    """Days of one meter, ascending, each once; day: (n,) datetime64[D]; amount: (n,) m3."""

    day: npt.NDArray[Any]
    amount: FloatArray

    def years(self) -> list[int]:
        """Calendar years with readings."""
        return [int(year) + 1970 for year in np.unique(self.day.astype("datetime64[Y]").astype(int))]


class Run(NamedTuple):
    """Consecutive days that share a property; places in the arrays, both included."""

    first: int
    last: int


def find_traps(schools: Mapping[str, School], days: Mapping[str, Days], repeats: Sequence[Repeat]) -> list[Finding]:
    """Every trap, school by school."""
    findings: list[Finding] = []
    for school in schools.values():
        findings += _registered(school)
        if school.id not in days:
            findings.append(Finding("meter.empty", school.id, f"meter {school.id} has no reading at all", {}))
            continue
        one = days[school.id]
        late = catch_ups(one)
        findings += [*_gaps(school.id, one, late), *_negative(school.id, one), *_level(school.id, one)]
        findings += _bursts(school.id, one, late)
    return [*findings, *(_repeat(one) for one in repeats)]


def catch_ups(days: Days) -> BoolArray:
    """(n,) which days hold the water of a long gap before them too."""
    found = np.zeros(len(days.day), np.bool_)
    missing = _missing_before(days)
    for place in np.flatnonzero(missing >= LONG_GAP_DAYS).tolist():
        near = np.r_[days.amount[max(0, place - NEIGHBOUR_DAYS) : place], days.amount[place + 1 :][:NEIGHBOUR_DAYS]]
        usual = float(np.median(near)) if len(near) else 0.0
        missed = int(missing[place]) * usual
        found[place] = usual > 0 and days.amount[place] - usual >= CATCH_UP_SHARE * missed
    return found


def burst_runs(days: Days, late: BoolArray) -> list[Run]:
    """Consecutive days far above the meter's usual day; a catch-up after a gap is none of them."""
    flowing = days.amount[days.amount > 0]
    if not len(flowing):
        return []
    limit = max(BURST_M3, BURST_RATIO * float(np.median(flowing)))
    places = np.flatnonzero((days.amount >= limit) & ~late)
    breaks = np.flatnonzero(np.diff(days.day[places]) != np.timedelta64(1, "D")) + 1
    return [Run(int(part[0]), int(part[-1])) for part in np.split(places, breaks) if len(part)]


def _missing_before(days: Days) -> npt.NDArray[Any]:
    return np.diff(days.day, prepend=days.day[:1] - 1).astype(int) - 1


def _registered(school: School) -> Iterator[Finding]:
    if school.pupils is None:
        yield Finding("people.zero_as_unknown", school.id, f"meter {school.id}: no pupils stated, so unknown", {})
    if school.repeated:
        yield Finding(
            "date.duplicate",
            school.id,
            f"meter {school.id}: {school.repeated} dates came twice at the source; the daily file holds one "
            "amount of each, not said which: that one counts",
            {"dates": school.repeated, "counts": "the one in the daily file"},
        )


def _repeat(one: Repeat) -> Finding:
    return Finding(
        "date.duplicate",
        one.school,
        f"meter {one.school}: {one.day} is there twice, with {one.first:g} and {one.last:g} m3: the last counts",
        {"date": one.day.isoformat(), "first_m3": one.first, "last_m3": one.last, "counts": "the last"},
    )


def _gaps(school: str, days: Days, late: BoolArray) -> Iterator[Finding]:
    missing = _missing_before(days)
    for place in np.flatnonzero(missing >= LONG_GAP_DAYS).tolist():
        count, amount = int(missing[place]), float(days.amount[place])
        after, until = str(days.day[place - 1]), str(days.day[place])
        evidence = {"after": after, "until": until, "missing_days": count, "until_m3": amount}
        yield Finding("gap.long", school, f"meter {school}: {count} days missing, {after} to {until}", evidence)
        if late[place]:
            message = f"meter {school}: {amount:.2f} m3 on {until} hold the {count} missing days before it too; kept"
            yield Finding("gap.catch_up", school, message, evidence)


def _negative(school: str, days: Days) -> Iterator[Finding]:
    for place in np.flatnonzero(days.amount < 0).tolist():
        day, amount = str(days.day[place]), float(days.amount[place])
        yield Finding(
            "water.negative",
            school,
            f"meter {school}: {amount:,.2f} m3 on {day}: the register was reset or replaced; stored as bad",
            {"date": day, "m3": amount},
        )


def _level(school: str, days: Days) -> Iterator[Finding]:
    if not days.amount.any():
        message = f"meter {school}: all {len(days.day)} days are zero: a dead meter; stored as suspect"
        yield Finding("meter.all_zero", school, message, {"days": len(days.day)})
    quiet, median = float(np.quantile(days.amount, QUIET_SHARE)), float(np.median(days.amount))
    if quiet >= LEAK_M3:
        yield Finding(
            "water.leak",
            school,
            f"meter {school}: {quiet:.1f} m3 flow even on its quietest days (median {median:.1f} m3): a standing leak",
            {"quiet_m3": quiet, "median_m3": median, "days": len(days.day)},
        )


def _bursts(school: str, days: Days, late: BoolArray) -> Iterator[Finding]:
    for run in burst_runs(days, late):
        amounts = days.amount[run.first : run.last + 1]
        first, last, highest = str(days.day[run.first]), str(days.day[run.last]), float(amounts.max())
        yield Finding(
            "water.burst",
            school,
            f"meter {school}: up to {highest:.1f} m3 a day from {first} to {last}, over {BURST_RATIO:g} x its usual; "
            "kept",
            {
                "first": first,
                "last": last,
                "days": len(amounts),
                "highest_m3": highest,
                "total_m3": float(amounts.sum()),
            },
        )
