"""Figures from store and registry, with planted truths."""

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from kgce.analytics.figures import carrier_amounts, indicators, ledger, notes, rank
from kgce.analytics.grid import Grid
from kgce.analytics.indicators import Indicator
from kgce.domain.batch import Batch
from kgce.domain.carriers import CARRIERS
from kgce.domain.errors import UnknownInstitution, UnknownPoint
from kgce.domain.factors import factor_set
from kgce.domain.quantities import Kind
from kgce.domain.tree import Institution, Point, Series, Step, YearlyAttributes
from tests.analytics.fakes import MemoryRegistry, MemoryStore

HOUR = 3_600_000
NATIONAL = factor_set("cn-national")


def ms(*date: int) -> int:
    return round(datetime(*date, tzinfo=ZoneInfo("Asia/Shanghai")).timestamp() * 1000)


class Province:
    """A store and registry with short words to fill them."""

    def __init__(self) -> None:
        self.store, self.registry = MemoryStore(), MemoryRegistry()

    def institution(self, name: str, year: int = 2019, peer_class: str = "office", **attributes: float) -> None:
        self.registry.save_institutions([Institution(name, name.upper())])
        self.registry.save_attributes([YearlyAttributes(name, year, peer_class, **attributes)])

    def yearly(self, institution: str, carrier: str, amount: float, year: int = 2019, *, counts: bool = True) -> None:
        series = Series(institution, carrier, CARRIERS[carrier].field(Kind.INTERVAL), CARRIERS[carrier].measurement)
        self.registry.save_points([Point(series, carrier, Kind.INTERVAL, Step.YEAR, counts)])
        self.store.append(Batch.from_rows([(series, ms(year, 1, 1), amount, 0)]))

    def counter(
        self, institution: str, device: str, readings: dict[int, float], carrier: str = "electricity"
    ) -> Series:
        series = Series(institution, device, CARRIERS[carrier].field(Kind.COUNTER), CARRIERS[carrier].measurement)
        self.registry.save_points([Point(series, carrier, Kind.COUNTER)])
        self.store.append(Batch.from_rows([(series, time_ms, value, 0) for time_ms, value in readings.items()]))
        return series

    def rank(self, indicator: Indicator = Indicator.ENERGY_PER_AREA, year: int = 2019, **options):
        return rank(self.store, self.registry, year=year, indicator=indicator, **{"factor_set": NATIONAL} | options)


def test_every_unit_that_cannot_be_ranked_comes_last_with_its_own_reason() -> None:
    at = Province()
    at.institution("good", area_m2=100)
    at.yearly("good", "electricity", 1000)
    at.institution("no-area", people=3)
    at.yearly("no-area", "electricity", 1000)
    at.institution("no-energy", area_m2=100)
    at.institution("strange", area_m2=100)
    at.yearly("strange", "site_energy", 1000)
    at.institution("silent", area_m2=100)
    at.yearly("silent", "electricity", 1000)
    at.counter("silent", "annex", {})
    rows = {row.institution: row for row in at.rank(factor_set=factor_set("sd-db37-2019"))}
    assert next(iter(rows)) == "good"
    assert (rows["good"].rank, rows["good"].reason) == (1, None)
    assert {name: row.reason for name, row in rows.items() if row.rank is None} == {
        "no-area": "no floor area stated for 2019",
        "no-energy": "no energy readings in 2019",
        "silent": "coverage 0.50 is below 0.90",
        "strange": "factor set sd-db37-2019 has no factor for site_energy",
    }


def test_a_unit_with_readings_but_without_attributes_of_the_year_is_not_forgotten() -> None:
    at = Province()
    at.institution("a", year=2018, area_m2=10)
    at.yearly("a", "electricity", 5, year=2019)
    assert [(row.rank, row.reason) for row in at.rank()] == [(None, "no attributes for 2019: kgce import registry")]


def test_attributes_of_another_year_change_nothing() -> None:
    """Editing 2020 never moves 2019."""
    at = Province()
    at.institution("a", area_m2=100)
    at.yearly("a", "electricity", 1000)
    before = at.rank()
    at.registry.save_attributes([YearlyAttributes("a", 2020, "office", area_m2=9999)])
    assert at.rank() == before


def test_details_inside_another_total_are_not_counted_twice() -> None:
    at = Province()
    at.institution("a", area_m2=100)
    at.yearly("a", "site_energy", 1000)
    at.yearly("a", "electricity", 600, counts=False)
    assert at.rank()[0].value == pytest.approx(1000 * 0.1229 / 100)


def test_a_years_counter_is_bounded_by_readings_outside_the_year() -> None:
    """A meter read on the first of each month, on time within a minute of neither midnight."""
    at = Province()
    at.institution("a", area_m2=1)
    readings = (
        {ms(2018, 12, 20): 0.0}
        | {ms(2019, month, 15): 100.0 * month for month in range(1, 13)}
        | {ms(2020, 1, 10): 1300.0}
    )
    at.counter("a", "main", readings)
    row = at.rank(min_coverage=0.5)[0]
    span = ms(2020, 1, 1) - ms(2019, 12, 15)
    head = 100 * (ms(2019, 1, 15) - ms(2019, 1, 1)) / (ms(2019, 1, 15) - ms(2018, 12, 20))
    tail = 100 * span / (ms(2020, 1, 10) - ms(2019, 12, 15))
    assert row.value == pytest.approx((head + 1100 + tail) * 0.1229, rel=1e-12)


def test_the_ledger_asks_for_a_wide_span_only_when_the_neighbours_are_far() -> None:
    at = Province()
    at.institution("a")
    at.counter("a", "main", {ms(2019, 5, 1): 0.0, ms(2019, 5, 31): 300.0})
    rows = ledger(
        at.store,
        at.registry,
        institution="a",
        point="main",
        start_ms=ms(2019, 5, 10),
        end_ms=ms(2019, 5, 12),
        grid=Grid.DAY,
    )
    assert [row.amount for row in rows] == pytest.approx([10.0, 10.0])
    assert {row.provenance for row in rows} == {"measured"}, "once a month is this meter's rhythm"


def test_points_are_found_by_device_or_full_name_and_mistakes_list_the_known_ones() -> None:
    at = Province()
    at.institution("a")
    at.counter("a", "main", {0: 0.0})
    at.yearly("a", "water", 3)
    span = {"start_ms": ms(2019, 1, 1), "end_ms": ms(2019, 1, 2), "grid": Grid.DAY}
    assert ledger(at.store, at.registry, institution="a", point="main.active_energy_import", **span)[0].amount is None
    with pytest.raises(UnknownPoint, match="known: main, water"):
        ledger(at.store, at.registry, institution="a", point="cellar", **span)
    with pytest.raises(UnknownInstitution, match="nobody"):
        ledger(at.store, at.registry, institution="nobody", point="main", **span)


def test_indicators_stand_beside_baseline_and_target() -> None:
    """10 % less than 2015 is the whole targeted drop of energy per area (energy_domain.md section 0)."""
    at = Province()
    at.institution("a", year=2015, area_m2=100, people=10)
    at.institution("a", year=2019, area_m2=100, people=10)
    at.yearly("a", "electricity", 1000, year=2015)
    at.yearly("a", "electricity", 900, year=2019)
    rows = {
        row.indicator: row for row in indicators(at.store, at.registry, institution="a", year=2019, factor_set=NATIONAL)
    }
    area = rows[Indicator.ENERGY_PER_AREA]
    assert area.value == pytest.approx(900 * 0.1229 / 100)
    assert area.baseline_value == pytest.approx(1000 * 0.1229 / 100)
    assert area.target_value == pytest.approx(900 * 0.1229 / 100)
    assert area.progress_ratio == pytest.approx(1.0)
    assert rows[Indicator.ENERGY_PER_CAPITA].progress_ratio == pytest.approx(0.1 / 0.11)
    water = rows[Indicator.WATER_PER_CAPITA]
    assert (water.value, water.progress_ratio, water.reason) == (None, None, "no water readings in 2019")


def test_todays_amounts_are_summed_by_carrier_with_coverage() -> None:
    at = Province()
    at.institution("a")
    at.institution("b")
    start = ms(2019, 6, 1)
    for name, power in (("a", 10.0), ("b", 5.0)):
        at.counter(name, "main", {start + hour * HOUR: hour * power for hour in range(-1, 13)})
    at.counter("b", "water", {start - 48 * HOUR: 7.0}, carrier="water")
    at.counter("b", "retired", {start - 90 * 24 * HOUR: 7.0}, carrier="heat")
    rows = {
        row.carrier: row
        for row in carrier_amounts(
            at.store, at.registry, institution=None, start_ms=start, end_ms=start + 24 * HOUR, factor_set=NATIONAL
        )
    }
    assert rows["electricity"].amount == pytest.approx(12 * 15)
    assert rows["electricity"].kgce == pytest.approx(12 * 15 * 0.1229)
    assert rows["electricity"].coverage_ratio == pytest.approx(0.5)
    assert "heat" not in rows, "a meter not heard of for months is not waited for"
    assert (rows["water"].amount, rows["water"].kgce, rows["water"].coverage_ratio) == (None, None, 0.0)


def test_a_set_younger_than_the_year_is_told() -> None:
    assert notes(2019, factor_set("sd-db37-2019")) == [
        "retrospective: sd-db37-2019 is in force since 2020-01-24, after 2019"
    ]
    assert notes(2020, factor_set("sd-db37-2019")) == []


def test_nine_thousand_units_are_ranked_and_leaders_are_those_planted() -> None:
    at = Province()
    values = np.random.default_rng(7).permutation(9000) + 1.0
    for number, value in enumerate(values):
        at.institution(f"u{number:05d}", peer_class=f"c{number % 7}", area_m2=1)
        at.yearly(f"u{number:05d}", "electricity", float(value))
    rows = at.rank()
    leaders = [row.institution for row in rows if row.rank == 1]
    planted = [min(range(group, 9000, 7), key=lambda number: values[number]) for group in range(7)]
    assert leaders == [f"u{number:05d}" for number in planted]
