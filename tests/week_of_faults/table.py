"""The table of errors: kgce, a continuous query and diff().clip(0) beside the planted truth."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kgce.analytics.figures import ledger
from kgce.analytics.grid import Grid
from kgce.cli.database import database
from tests import servers
from tests.week_of_faults.others import END, ContinuousQuery, diff_clip
from tests.week_of_faults.week import FAULTS, HOUR, INSTITUTION, START, Meter, everything, meter_with, register

NAMES = ("none", *FAULTS, "undeclared", "everything")


@dataclass(frozen=True)
class Errors:
    """Against the planted truth: of the week [kWh], and of the worst hour [kWh]."""

    week: float
    hour: float

    @classmethod
    def of(cls, found: np.ndarray, meter: Meter) -> "Errors":
        truth = meter.truth(HOUR)
        return cls(float(np.nansum(found) - truth.sum()), float(np.nanmax(np.abs(np.nan_to_num(found) - truth))))


def meter_of(fault: str) -> Meter:
    """The meter of one row."""
    if fault == "everything":
        return everything()
    return meter_with(name="none") if fault == "none" else meter_with(fault, name=fault)


def kgce_hours(meter: Meter) -> np.ndarray:
    """(168,) kWh of each hour; NaN = missing."""
    with tempfile.TemporaryDirectory() as folder, database(Path(folder)) as place:
        register(place.registry, [meter])
        place.store.append(meter.batch())
        rows = ledger(
            place.store, place.registry, institution=INSTITUTION, point=meter.name,
            start_ms=START, end_ms=END, grid=Grid.HOUR,
        )  # fmt: skip
        return np.array([np.nan if row.amount is None else row.amount for row in rows])


def compare(url: str) -> dict[str, dict[str, Errors]]:
    """Errors by fault and by who computed."""
    query = ContinuousQuery(url)
    try:
        found = {}
        for fault in NAMES:
            meter = meter_of(fault)
            found[fault] = {
                "kgce": Errors.of(kgce_hours(meter), meter),
                "InfluxDB 1.6.7 continuous query": Errors.of(query.hours(meter), meter),
                "diff().clip(0)": Errors.of(diff_clip(meter), meter),
            }
        return found
    finally:
        query.close()


def markdown(found: dict[str, dict[str, Errors]]) -> str:
    """The table as text."""
    who = list(next(iter(found.values())))
    lines = [
        "| fault | " + " | ".join(f"{name}: week, worst hour [kWh]" for name in who) + " |",
        "|---|" + "---:|" * len(who),
    ]
    for fault, errors in found.items():
        cells = (f"{errors[name].week:+,.2f}, {errors[name].hour:,.2f}" for name in who)
        lines.append(f"| {fault} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


@contextmanager
def influx() -> Iterator[str]:
    """A real InfluxDB of its own."""
    with tempfile.TemporaryDirectory() as folder, servers.influxdb(Path(folder)) as server:
        yield server.url
