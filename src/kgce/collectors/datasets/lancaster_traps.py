"""Traps of the Lancaster meters, found in the numbers themselves; feeds lancaster.py with findings."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from kgce.collectors.datasets.dataset import hour_text
from kgce.collectors.datasets.spread import SPIKE_FACTOR, CatchUp, catch_ups, usual_amount
from kgce.domain.batch import FloatArray, Int64Array
from kgce.domain.findings import Finding

CAMPUS: Final = "lancaster"
TEN_MINUTES_MS: Final = 600_000
HOUR_MS: Final = 3_600_000
COARSE_PULSE_KWH: Final = 100.0  # a pulse this large shows neither hours nor nights
COARSE_SHARE: Final = 0.9  # of the positive amounts that are one pulse
OUTAGE_HOURS: Final = 3  # shorter ones are a meter's own matter
_ENERGY: Final = frozenset({"electricity", "heat"})


@dataclass(frozen=True, slots=True, eq=False)
class Logged:
    """One meter as logged: (n,) starts and amounts in the unit of its carrier, missing ones left out."""

    id: str
    institution: str
    commodity: str
    series_kind: str  # what whoever cut the data judged the series to be
    step_ms: int
    time_ms: Int64Array
    value: FloatArray

    @property
    def is_amount(self) -> bool:
        """Whether the values are amounts of their intervals; a meter without values is believed its label."""
        return self.series_kind not in {"register", "unknown"}


def find_traps(meters: Sequence[Logged]) -> list[Finding]:
    """What the whole campus shares, then the traps of every meter."""
    return [*_outages(meters), *(finding for meter in meters for finding in _of_meter(meter))]


def catch_ups_of(meter: Logged) -> list[CatchUp]:
    """Amounts told after a gap; the limit is that of ten minutes, which an hour holds six of."""
    if not meter.is_amount:
        return []
    return catch_ups(meter.time_ms, meter.value, meter.step_ms, SPIKE_FACTOR * TEN_MINUTES_MS / meter.step_ms)


def has_foreign_start(meter: Logged) -> bool:
    """Whether the first amount is a register's reading: far above all others, and of no known time."""
    if not meter.is_amount or len(meter.value) < 2:  # noqa: PLR2004 - nothing to compare with
        return False
    usual = usual_amount(meter.value, 0)
    return bool(usual > 0 and meter.value[0] > SPIKE_FACTOR * usual)


def silences(time_ms: Int64Array, present: FloatArray) -> list[tuple[int, int]]:
    """(first, last) hour of every run of OUTAGE_HOURS or more in which most of the campus is silent.

    Args:
        time_ms: (n,) consecutive hours. [ms]
        present: (n,) how many meters have a value in the hour.
    """
    silent = time_ms[present < np.median(present) / 2]
    runs = np.split(silent, np.flatnonzero(np.diff(silent) != HOUR_MS) + 1)
    return [(int(run[0]), int(run[-1])) for run in runs if len(run) >= OUTAGE_HOURS]


def _outages(meters: Sequence[Logged]) -> Iterator[Finding]:
    heard = [np.unique(meter.time_ms // HOUR_MS) for meter in meters if len(meter.time_ms)]
    if not heard:
        return
    hours = np.arange(min(one[0] for one in heard), max(one[-1] for one in heard) + 1)
    present = np.bincount(np.concatenate(heard) - hours[0], minlength=len(hours)).astype(np.float64)
    for first_ms, last_ms in silences(hours * HOUR_MS, present):
        inside = (hours * HOUR_MS >= first_ms) & (hours * HOUR_MS <= last_ms)
        fewest, count = int(present[inside].min()), int(inside.sum())
        first, last = hour_text(first_ms), hour_text(last_ms)
        yield Finding(
            "logger.outage",
            CAMPUS,
            f"from {first} to {last} ({count} hours) the logger of most of the campus was silent: "
            f"{fewest} of {len(heard)} meters have values",
            {"first": first, "last": last, "hours": count, "meters": len(heard), "meters_heard": fewest},
        )


def _of_meter(meter: Logged) -> Iterator[Finding]:
    name = {"meter": meter.id, "commodity": meter.commodity}
    if not len(meter.value):
        yield Finding("meter.empty", meter.institution, f"meter {meter.id} has no value in the whole year", name)
    elif not meter.value.any():
        count = len(meter.value)
        message = f"meter {meter.id}: all {count} values are zero: dead, or not in use; kept"
        yield Finding("meter.all_zero", meter.institution, message, name | {"values": count})
    elif not meter.is_amount:
        yield _mislabelled(meter)
    else:
        yield from _coarse(meter)
        yield from _late(meter)
        yield from _foreign_start(meter)


def _mislabelled(meter: Logged) -> Finding:
    lowest, highest = float(meter.value.min()), float(meter.value.max())
    rising = float((np.diff(meter.value) >= 0).mean()) if len(meter.value) > 1 else 0.0
    outcome = "loaded as a counter" if meter.series_kind == "register" else "not loaded"
    return Finding(
        "meter.mislabelled",
        meter.institution,
        f"meter {meter.id} is published among interval amounts but stays between {lowest:g} and {highest:g} "
        f"({meter.series_kind}; {rising:.0%} of its steps do not fall): {outcome}",
        {
            "meter": meter.id,
            "series_kind": meter.series_kind,
            "lowest": lowest,
            "highest": highest,
            "rising_share": rising,
        },
    )


def _coarse(meter: Logged) -> Iterator[Finding]:
    positive = meter.value[meter.value > 0]
    pulse = float(positive.min())
    if meter.commodity in _ENERGY and pulse >= COARSE_PULSE_KWH and (positive == pulse).mean() >= COARSE_SHARE:
        yield Finding(
            "resolution.coarse",
            meter.institution,
            f"meter {meter.id} counts in pulses of {pulse:g} kWh ({len(positive)} in the year): "
            "days and months hold, hours do not",
            {"meter": meter.id, "pulse_kwh": pulse, "pulses": len(positive)},
        )


def _late(meter: Logged) -> Iterator[Finding]:
    for late in catch_ups_of(meter):
        at, first, last = hour_text(late.at_ms), hour_text(late.gap_from_ms), hour_text(late.gap_to_ms)
        yield Finding(
            "catch_up.spike",
            meter.institution,
            f"meter {meter.id}: {late.value:g} at {at} is what it counted since {first}, when its values stopped; "
            "spread evenly over that time as an estimate",
            {
                "meter": meter.id,
                "at": at,
                "value": late.value,
                "gap_from": first,
                "gap_to": last,
                "usual_p99": late.usual,
            },
        )


def _foreign_start(meter: Logged) -> Iterator[Finding]:
    if has_foreign_start(meter):
        at, value = hour_text(int(meter.time_ms[0])), float(meter.value[0])
        yield Finding(
            "register.first_reading",
            meter.institution,
            f"meter {meter.id} begins at {at} with {value:g}: the register's reading, no interval's amount; "
            "stored as suspect, never counted",
            {"meter": meter.id, "at": at, "value": value},
        )
