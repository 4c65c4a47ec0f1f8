"""Error of every way to reckon the week, fault by fault, against the planted energy.

world.py, others.py --kWh of hours and days--> here --table--> pytest -rA, python -m tests.week_of_faults
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from kgce.analytics.grid import Grid
from kgce.analytics.ledger.amounts import Flag, flag_names
from tests.week_of_faults.expected import expect
from tests.week_of_faults.load import END, START
from tests.week_of_faults.meter import Meter
from tests.week_of_faults.others import HOURS, MIDNIGHTS, ContinuousQueries, clipped_differences
from tests.week_of_faults.world import World

KGCE, HOURLY, DAILY, AGAIN, CLIP = "kgce", "CQ 1h", "CQ 1d", "CQ 1h run again by hand", "diff().clip(0)"


@dataclass(frozen=True)
class Error:
    """What is reckoned more (+) or less (-) than was planted.

    week_kwh: sum of what there is; claimed_kwh: sum of the sizes of the errors of single intervals given out without
    any remark.
    """

    week_kwh: float
    claimed_kwh: float


@dataclass(frozen=True)
class Fault:
    """One institution of the week: its planted energy, each way's error, and what kgce says about its own figure."""

    name: str
    truth_kwh: float
    declared_kwh: float
    errors: dict[str, Error]
    remark: str


def reckon(world: World, queries: ContinuousQueries) -> list[Fault]:
    """Everything; the queries are run on the way."""
    queries.run(world.meters)
    queries.run_again()
    names = list(dict.fromkeys(meter.institution for meter in world.meters))
    return [_fault(name, [m for m in world.meters if m.institution == name], world, queries) for name in names]


def _fault(name: str, meters: Sequence[Meter], world: World, queries: ContinuousQueries) -> Fault:
    errors = {
        KGCE: _sum(_own_error(world, meter) for meter in meters),
        HOURLY: _sum(_error(meter, queries.amounts("hourly", meter, HOURS), HOURS) for meter in meters),
        DAILY: _sum(_error(meter, queries.amounts("daily", meter, MIDNIGHTS), MIDNIGHTS) for meter in meters),
        AGAIN: _sum(_error(meter, queries.amounts("again", meter, HOURS), HOURS) for meter in meters),
        CLIP: _sum(_error(meter, clipped_differences(meter), HOURS) for meter in meters),
    }
    truth = sum(float(meter.load.kwh(np.array([START, END]))[0]) for meter in meters)
    declared = sum(expect(meter, START, END).amount_kwh or 0.0 for meter in meters)
    return Fault(name, truth, declared - truth, errors, _remark(world, meters))


def _error(meter: Meter, found: np.ndarray, edges_ms: np.ndarray) -> Error:
    """NaN = no row: missing from the week's sum, but not claimed."""
    truth = meter.load.kwh(edges_ms)
    return Error(float(np.nansum(found) - truth.sum()), float(np.nansum(np.abs(found - truth))))


def _own_error(world: World, meter: Meter) -> Error:
    """Hours that are not measured whole say so; they are not claimed."""
    rows = world.rows(meter, Grid.HOUR)
    amount = np.array([np.nan if row.amount is None else row.amount for row in rows])
    is_claimed = np.array([row.provenance == "measured" and "partial" not in row.flags for row in rows])
    truth = meter.load.kwh(HOURS)
    return Error(float(np.nansum(amount) - truth.sum()), float(np.abs(amount - truth)[is_claimed].sum()))


def _sum(errors: Iterable[Error]) -> Error:
    each = list(errors)
    return Error(sum(error.week_kwh for error in each), sum(error.claimed_kwh for error in each))


def _remark(world: World, meters: Sequence[Meter]) -> str:
    """Coverage of the week, flags of its hours, and how many of them are guessed or unknown."""
    weeks = [world.week(meter) for meter in meters]
    rows = [row for meter in meters for row in world.rows(meter, Grid.HOUR)]
    coverage = sum(float(week.coverage[0]) for week in weeks) / len(weeks)
    flags = 0
    for week in weeks:
        flags |= int(week.flags[0])
    counts = {
        provenance: sum(row.provenance == provenance for row in rows) for provenance in ("interpolated", "missing")
    }
    parts = [f"coverage {coverage:.2%}", *flag_names(flags & ~int(Flag.PARTIAL))]
    return ", ".join(parts + [f"{count} h {provenance}" for provenance, count in counts.items() if count])


def markdown(faults: Sequence[Fault]) -> str:
    """Two tables: the week's sum, and what single intervals claim."""
    ways = list(faults[0].errors)
    week = [
        [
            fault.name,
            f"{fault.truth_kwh:.2f}",
            *(_with_share(fault.errors[way].week_kwh, fault.truth_kwh) for way in ways),
            fault.remark,
        ]
        for fault in faults
    ]
    claimed = [[fault.name, *(f"{_plain(fault.errors[way].claimed_kwh):.2f}" for way in ways)] for fault in faults]
    return "\n".join(
        (
            "Error of the week's sum, kWh (% of the week)",
            "",
            _table(["fault", "planted kWh", *ways, "kgce says of the week"], week),
            "",
            "Error inside the week: sum of |error| of the hours (CQ 1d: days) given out as measured, kWh",
            "",
            _table(["fault", *ways], claimed),
        )
    )


def _with_share(error_kwh: float, truth_kwh: float) -> str:
    return f"{_plain(error_kwh):.2f} ({_plain(100 * error_kwh / truth_kwh):.2f} %)"


def _plain(value: float) -> float:
    """Without the sign of a rounded zero."""
    return round(value, 2) + 0.0


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
