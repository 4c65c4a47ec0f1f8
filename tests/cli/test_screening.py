"""What `kgce analyze` says about a planted year: each fault is found where it is, a quiet county is left alone."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from kgce.cli.database import database
from kgce.domain.batch import Batch
from kgce.domain.findings import Finding
from kgce.domain.quantities import Kind
from kgce.domain.tree import Institution, Point, Series, Step, YearlyAttributes
from tests.cli.kgce_command import kgce

HOUR = 3_600_000
START = 1_546_272_000_000  # 2019-01-01T00:00+08:00
HOURS = 365 * 24
NAMES = [f"hall-{number}" for number in range(6)]


def hourly_kwh(seed: int) -> np.ndarray:
    """An office: 20 kWh an hour on working days from 8 to 18, 4 at other times, 5 % of noise."""
    hour = np.arange(HOURS)
    at_work = (hour % 24 >= 8) & (hour % 24 < 18) & ((hour // 24 + 1) % 7 < 5)  # the year began on a Tuesday
    return (
        np.where(at_work, 20.0, 4.0) * np.random.default_rng(seed).uniform(0.95, 1.05, HOURS) * (1 + 0.1 * (seed % 5))
    )


def hourly_m3(seed: int, night: float = 0.0) -> np.ndarray:
    by_day = (np.arange(HOURS) % 24 >= 7) & (np.arange(HOURS) % 24 < 20)
    return np.where(by_day, 0.3, night) * np.random.default_rng(seed).uniform(0.9, 1.1, HOURS)


def county(folder: Path, electricity: dict[str, np.ndarray], water: dict[str, np.ndarray]) -> None:
    """A county of halls with hourly counters of electricity and water; `bills` adds two with monthly amounts."""
    with database(folder / "kgce-data") as at:
        names = [*NAMES, "copy-1", "copy-2"]
        at.registry.save_institutions(Institution(name, name, "370102") for name in names)
        at.registry.save_attributes(
            YearlyAttributes(name, year, "agency", people=50.0, area_m2=2000.0)
            for name in names
            for year in (2018, 2019)
        )
        for quantity, carrier, used in (
            ("active_energy_import", "electricity", electricity),
            ("water_volume", "water", water),
        ):
            measurement = "electricity" if carrier == "electricity" else "water"
            series = [Series(name, carrier, quantity, measurement, "main", "370102") for name in used]
            at.registry.save_points(Point(one, carrier, Kind.COUNTER) for one in series)
            for one, amount in zip(series, used.values(), strict=True):
                value = 1000 + np.concatenate(([0.0], np.cumsum(amount)))
                at.store.append(
                    Batch.of([one], np.zeros(len(value), np.int32), START + HOUR * np.arange(HOURS + 1), value)
                )
        edges = np.arange("2019-01", "2020-01", dtype="datetime64[M]").astype("datetime64[ms]").astype(np.int64)
        for name in ("copy-1", "copy-2"):
            bills = Series(name, "bill", "active_energy_import_interval", "electricity", "main", "370102")
            at.registry.save_points([Point(bills, "electricity", Kind.INTERVAL, Step.MONTH)])
            own = np.random.default_rng(len(name)).uniform(4000, 6000, 12).round(2)
            at.store.append(Batch.of([bills], np.zeros(12, np.int32), edges - 8 * HOUR, own))


def found(folder: Path) -> list[Finding]:
    answer = kgce("analyze", "--year", "2019", "--json", cwd=folder)
    assert answer.code == 0, answer.err
    with database(folder / "kgce-data") as at:
        return at.registry.findings()


@pytest.fixture
def quiet() -> tuple[dict, dict]:
    return {name: hourly_kwh(seed) for seed, name in enumerate(NAMES)}, {
        name: hourly_m3(seed) for seed, name in enumerate(NAMES)
    }


def test_a_quiet_county_has_nothing_but_its_copied_bills(tmp_path: Path, quiet) -> None:
    county(tmp_path, *quiet)
    told = found(tmp_path)
    assert [one.id for one in told] == ["figures.identical"]
    assert told[0].evidence["institutions"] == ["copy-1", "copy-2"]


def test_each_planted_fault_is_told_at_its_place(tmp_path: Path, quiet) -> None:
    electricity, water = quiet
    electricity["hall-0"][24 * 140 : 24 * 170] = 0.0  # a month of standing still
    electricity["hall-1"] *= 1e4  # watt hours of ten, taken for kilowatt hours
    electricity["hall-2"][24 * 200 :] *= 1.6  # something stays on from 20 July
    electricity["hall-3"][:] = 15.0  # never rests
    electricity["hall-4"][24 * 90 + 12] = 60_000.0  # a swap to a higher register that nobody declared
    water["hall-5"] = hourly_m3(5, night=0.08)  # 0.08 m3 an hour, day and night
    county(tmp_path, electricity, water)
    told = {(one.id, one.subject) for one in found(tmp_path)}
    assert {
        ("meter.stuck", "hall-0"),
        ("figure.ten_thousand", "hall-1"),
        ("load.step", "hall-2"),
        ("load.night_base", "hall-3"),
        ("load.weekend", "hall-3"),
        ("counter.leap_suspected", "hall-4"),
        ("water.night_flow", "hall-5"),
    } <= told
    silent = {"hall-0", "hall-1", "hall-2", "hall-3", "hall-4"}
    assert not [one for one in told if one[0] == "water.night_flow" and one[1] in silent]
    assert not [one for one in told if one[0] == "counter.leap_suspected" and one[1] != "hall-4"]


def test_findings_are_counted_and_listed_for_people(tmp_path: Path, quiet) -> None:
    electricity, water = quiet
    electricity["hall-0"][24 * 140 : 24 * 170] = 0.0
    county(tmp_path, electricity, water)
    found(tmp_path)
    counted = kgce("findings", cwd=tmp_path)
    assert "meter.stuck" in counted.out
    listed = kgce("findings", "--subject", "hall-0", "--id", "meter.stuck", "--json", cwd=tmp_path).json
    assert [(one["subject"], one["evidence"]["point"]) for one in listed] == [
        ("hall-0", "electricity.active_energy_import")
    ]
    assert "nothing is noteworthy" in kgce("findings", "--subject", "hall-5", cwd=tmp_path).err


def test_what_did_not_change_keeps_its_findings_and_is_not_looked_at_again(tmp_path: Path, quiet) -> None:
    electricity, water = quiet
    electricity["hall-0"][24 * 140 : 24 * 170] = 0.0
    county(tmp_path, electricity, water)
    first = Counter(one.id for one in found(tmp_path))
    assert first["meter.stuck"] == 1
    answer = kgce("analyze", "--year", "2019", "--json", cwd=tmp_path)
    assert answer.json[0]["findings"] == 0, "nothing new"
    assert Counter(one.id for one in found(tmp_path)) == first
