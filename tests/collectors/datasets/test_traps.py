"""Traps are found in numbers, wherever they are planted."""

import numpy as np
import pytest

from kgce.collectors.datasets.benchmark_annual import AMOUNTS, Property
from kgce.collectors.datasets.benchmark_traps import EXTREME_KWH_PER_M2
from kgce.collectors.datasets.benchmark_traps import find_traps as find_yearly_traps
from kgce.collectors.datasets.cambridge_traps import HOUR_MS, duplicates, find_traps, zero_runs

START_MS = 1_546_300_800_000  # date -u -d 2019-01-01 +%s


def hours(*values: float, start_ms: int = START_MS) -> tuple[np.ndarray, np.ndarray]:
    return start_ms + HOUR_MS * np.arange(len(values)), np.array(values, float)


@pytest.mark.parametrize(
    ("values", "runs"),
    [
        pytest.param([1, 2, 3], [], id="none"),
        pytest.param([0, 1, 0, 0, 2], [(0, 0, 1), (2, 3, 2)], id="at the start and inside"),
        pytest.param([1, 0, 0, 0], [(1, 3, 3)], id="at the end"),
        pytest.param([0, 0], [(0, 1, 2)], id="all"),
        pytest.param([], [], id="no hour at all"),
    ],
)
def test_zero_runs_are_told_by_first_last_and_length(values: list[float], runs: list[tuple[int, int, int]]) -> None:
    found = zero_runs(*hours(*values))

    assert [
        ((run.first_ms - START_MS) // HOUR_MS, (run.last_ms - START_MS) // HOUR_MS, run.hours) for run in found
    ] == runs


def test_a_missing_hour_ends_a_zero_run() -> None:
    time_ms, value = hours(0, 0, 0, 0)

    found = zero_runs(np.delete(time_ms, 1), np.delete(value, 1))

    assert [run.hours for run in found] == [1, 2]


@pytest.mark.parametrize(("zeros", "ids"), [(3, ["zeros.as_missing"]), (2, ["zeros.brief_as_missing"])])
def test_three_hours_of_zero_are_a_run_and_two_are_brief(zeros: int, ids: list[str]) -> None:
    findings = find_traps({"m": hours(5, *[0] * zeros, 5)}, {"m": "home"}, [])

    told = [finding for finding in findings if finding.id.startswith("zeros.")]
    assert [(finding.id, finding.subject, finding.evidence["hours"]) for finding in told] == [(ids[0], "home", zeros)]


def test_a_copied_meter_is_found_in_the_year_it_was_copied() -> None:
    """Equal in 2019 only, one value differs in 2020: the pair is named once, with the year."""
    second_year_ms = START_MS + 365 * 24 * HOUR_MS
    first, one, other = hours(1, 2, 3), hours(4, 5, start_ms=second_year_ms), hours(4, 6, start_ms=second_year_ms)
    electricity = {
        name: (np.concatenate([first[0], later[0]]), np.concatenate([first[1], later[1]]))
        for name, later in (("a", one), ("b", other))
    }

    assert list(duplicates(electricity)) == [(2019, "a", "b")]


def test_meters_of_zeros_or_of_other_hours_are_no_copies() -> None:
    later = hours(1, 2, start_ms=START_MS + HOUR_MS)

    assert list(duplicates({"a": hours(0, 0), "b": hours(0, 0), "c": hours(1, 2), "d": later})) == []


@pytest.mark.parametrize(("peak", "at_limit"), [(9.0, 0), (1e6, 1)])
def test_a_meter_at_ten_times_its_mean_is_counted_as_clipped(peak: float, at_limit: int) -> None:
    """A peak far above 99 ones has a ratio near 100; one of 9 stays near 8."""
    findings = find_traps({"m": hours(*[1.0] * 99, peak)}, {"m": "home"}, [])

    (clipping,) = [finding for finding in findings if finding.id == "values.clipped_at_source"]
    assert clipping.evidence["meters_at_limit"] == at_limit


def disclosed(*, area_m2: float | None = 100.0, flags: tuple[str, ...] = (), **published: float) -> Property:
    return Property("p", "P", "Seattle", 2016, "office", flags, area_m2, dict.fromkeys(AMOUNTS) | published)


@pytest.mark.parametrize(
    ("one", "ids"),
    [
        pytest.param(disclosed(site_energy_kwh=100.0), [], id="nothing odd"),
        pytest.param(disclosed(site_energy_kwh=0.0), ["zero.as_missing"], id="zero total"),
        pytest.param(disclosed(site_energy_kwh=1.0, water_m3=0.0), ["zero.as_missing"], id="zero water"),
        pytest.param(disclosed(site_energy_kwh=1.0, gas_kwh=0.0, electricity_kwh=1.0), [], id="no gas is no fault"),
        pytest.param(
            disclosed(site_energy_kwh=1.0, electricity_kwh=-1.0, gas_kwh=2.0), ["amount.negative"], id="negative"
        ),
        pytest.param(disclosed(site_energy_kwh=1.0, area_m2=0.0), ["area.zero"], id="zero area"),
        pytest.param(disclosed(site_energy_kwh=1.0, area_m2=None), [], id="blank area"),
        pytest.param(disclosed(site_energy_kwh=100 * EXTREME_KWH_PER_M2), [], id="at the limit"),
        pytest.param(disclosed(site_energy_kwh=100 * EXTREME_KWH_PER_M2 + 1), ["intensity.implausible"], id="above it"),
        pytest.param(disclosed(site_energy_kwh=1.0, other_fuel_kwh=1.0), ["fuel.not_loaded"], id="other fuel"),
        pytest.param(disclosed(site_energy_kwh=1.0, flags=("Compliant", "Missing Data")), ["source.flag"], id="flag"),
        pytest.param(disclosed(electricity_kwh=1.0), ["total.absent"], id="no total"),
        pytest.param(disclosed(site_energy_kwh=100.0, electricity_kwh=98.0), [], id="parts within 2 %"),
        pytest.param(disclosed(site_energy_kwh=100.0, electricity_kwh=97.9), ["total.differs"], id="parts outside 2 %"),
    ],
)
def test_each_yearly_trap_is_told_just_outside_its_limit(one: Property, ids: list[str]) -> None:
    assert [finding.id for finding in find_yearly_traps([one])] == ids
