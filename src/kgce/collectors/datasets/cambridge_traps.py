"""Traps of the Cambridge archive, found in the numbers themselves; feeds cambridge.py with findings."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from kgce.collectors.datasets.dataset import hour_text
from kgce.domain.batch import FloatArray, Int64Array
from kgce.domain.findings import Finding

HOUR_MS: Final = 3_600_000
LONG_RUN_HOURS: Final = 3  # the publisher's own list of suspected runs starts here
CLIP_RATIO: Final = 10.0  # the publisher cut values above ten times the meter's mean

Electricity = Mapping[str, tuple[Int64Array, FloatArray]]


class ZeroRun(NamedTuple):
    """Consecutive hours of exactly zero."""

    first_ms: int
    last_ms: int
    hours: int


def find_traps(
    electricity: Electricity, homes: Mapping[str, str], gas_units: Sequence[tuple[str, str]]
) -> list[Finding]:
    """Every trap; homes gives the institution of a meter, gas_units (year, judged unit) of each gas series."""
    findings: list[Finding] = []
    for meter, (time_ms, value) in electricity.items():
        findings += _zeros(homes[meter], meter, zero_runs(time_ms, value))
    findings += [
        Finding(
            "meter.duplicate",
            homes[one],
            f"meters {one} and {other} hold the same values throughout {year}: one of them is a copy",
            {"meters": [one, other], "institutions": [homes[one], homes[other]], "year": year},
        )
        for year, one, other in duplicates(electricity)
    ]
    return [*findings, _clipping(electricity), _gas(gas_units)]


def zero_runs(time_ms: Int64Array, value: FloatArray) -> list[ZeroRun]:
    """Runs of zero in (n,) hourly values, ascending; a missing hour ends a run."""
    at_ms = time_ms[value == 0.0]
    parts = np.split(at_ms, np.flatnonzero(np.diff(at_ms) != HOUR_MS) + 1)
    return [ZeroRun(int(part[0]), int(part[-1]), len(part)) for part in parts if len(part)]


def duplicates(electricity: Electricity) -> Iterator[tuple[int, str, str]]:
    """(year, meter, meter) of every pair with equal stamps and values in a whole UTC year, not all zero."""
    seen: dict[tuple[int, bytes, bytes], str] = {}
    for meter, (time_ms, value) in electricity.items():
        years = time_ms.astype("datetime64[ms]").astype("datetime64[Y]").astype(int) + 1970
        for year in np.unique(years).tolist():
            here = years == year
            if not value[here].any():
                continue
            first = seen.setdefault((year, time_ms[here].tobytes(), value[here].tobytes()), meter)
            if first != meter:
                yield year, first, meter


def _zeros(institution: str, meter: str, runs: Sequence[ZeroRun]) -> Iterator[Finding]:
    for run in runs:
        if run.hours >= LONG_RUN_HOURS:
            first, last = hour_text(run.first_ms), hour_text(run.last_ms)
            yield Finding(
                "zeros.as_missing",
                institution,
                f"meter {meter}: {run.hours} hours of zero from {first} to {last} mean missing; not stored",
                {"meter": meter, "first": first, "last": last, "hours": run.hours},
            )
    brief = sum(run.hours for run in runs if run.hours < LONG_RUN_HOURS)
    if brief:
        yield Finding(
            "zeros.brief_as_missing",
            institution,
            f"meter {meter}: {brief} hours of zero in runs under {LONG_RUN_HOURS} h mean missing; not stored",
            {"meter": meter, "hours": brief},
        )


def _clipping(electricity: Electricity) -> Finding:
    ratios = {meter: float(value.max() / value.mean()) for meter, (_, value) in electricity.items() if value.any()}
    highest = max(ratios, key=ratios.__getitem__)
    at_limit = sum(ratio > CLIP_RATIO * 0.99 for ratio in ratios.values())
    return Finding(
        "values.clipped_at_source",
        "cambridge",
        f"the publisher cut values above {CLIP_RATIO:g} x the meter's mean, so peaks are lower bounds; "
        f"{at_limit} of {len(ratios)} meters reach that limit (highest: {highest} at {ratios[highest]:.1f} x)",
        {"ratio": CLIP_RATIO, "meters_at_limit": at_limit, "highest_meter": highest, "highest_ratio": ratios[highest]},
    )


def _gas(units: Sequence[tuple[str, str]]) -> Finding:
    judged = Counter(unit for _, unit in units)
    told = ", ".join(f"{count} {unit}" for unit, count in sorted(judged.items()))
    return Finding(
        "gas.not_loaded",
        "cambridge",
        f"gas is published as kWh but lies in mixed units ({told} of {len(units)} meter-years): not loaded as energy",
        {"meter_years": len(units), "judged": dict(judged)},
    )
