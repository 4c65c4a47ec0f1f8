"""Figures beside their own past and beside those of others."""

import numpy as np
import pytest

from kgce.analytics.anomalies.history import Figure, unlike_history, year_jumps
from kgce.analytics.anomalies.identical import identical_months, identical_years
from kgce.analytics.anomalies.slips import slipped_figures
from kgce.analytics.anomalies.unit_price import unit_prices

SEASON = np.array([150, 140, 120, 90, 80, 100, 130, 130, 90, 85, 110, 140.0])


@pytest.mark.parametrize(("factor", "told"), [(1.3, False), (1.31, True), (0.7, False), (0.69, True)])
def test_a_month_beyond_thirty_percent_of_its_own_past_is_told(factor: float, told: bool) -> None:
    now = SEASON.copy()
    now[4] *= factor
    found = unlike_history("hall", np.vstack([SEASON, SEASON, now]), year=2019, unit="kWh")
    assert [(one.id, one.evidence["month"]) for one in found] == ([("month.unlike_history", "2019-05")] if told else [])
    if told:
        assert found[0].evidence["deviation_ratio"] == pytest.approx(factor - 1)


def test_a_restless_unit_is_judged_by_its_own_noise() -> None:
    """Earlier years 20 % above and below: their spread allows 3 x 1.4826 x 20 %."""
    rows = np.vstack([SEASON * 0.8, SEASON * 1.2, SEASON])
    rows[2, 4] *= 1.6
    assert unlike_history("hall", rows, year=2019, unit="kWh") == []
    rows[2, 4] = SEASON[4] * 1.95
    assert len(unlike_history("hall", rows, year=2019, unit="kWh")) == 1


def test_unknown_months_are_neither_judged_nor_compared() -> None:
    now = SEASON.copy()
    now[4] = np.nan
    assert unlike_history("hall", np.vstack([SEASON, now]), year=2019, unit="kWh") == []
    assert unlike_history("hall", np.vstack([np.full(12, np.nan), SEASON]), year=2019, unit="kWh") == []
    with pytest.raises(ValueError, match=r"expected shape \(years, 12\)"):
        unlike_history("hall", SEASON, year=2019, unit="kWh")


@pytest.mark.parametrize(
    ("figure", "limit"), [(Figure.AREA, 0.20), (Figure.PEOPLE, 0.20), (Figure.ENERGY, 0.15), (Figure.WATER, 0.25)]
)
def test_yearly_jumps_have_the_limits_of_the_auditors(figure: Figure, limit: float) -> None:
    """energy_domain.md section 2: area and people 20 %, energy 15 %, water 25 %."""
    before = np.array([100.0, 100.0, 100.0, np.nan, 0.0])
    now = np.array([100 * (1 + limit), 100 * (1 + limit) + 0.1, 100 * (1 - limit) - 0.1, 100.0, 100.0])
    found = year_jumps(list("abcde"), year=2019, figure=figure, before=before, now=now)
    assert [(one.id, one.subject) for one in found] == [(f"year.{figure}_jump", "b"), (f"year.{figure}_jump", "c")]


def test_units_with_the_same_telling_figures_in_two_carriers_are_told_once() -> None:
    amounts = np.array([[12_345.6, 789.01], [12_345.6, 789.01], [12_345.6, 5.0], [1200.0, 50.0], [1200.0, 50.0]])
    [found] = identical_years(list("abcde"), ["electricity", "water"], amounts, year=2019)
    assert (found.id, found.evidence["institutions"]) == ("figures.identical", ["a", "b"])
    assert found.evidence["amounts"] == [12_345.6, 789.01]


def test_round_unknown_and_single_figures_are_no_copies() -> None:
    amounts = np.array([[12_345.6, np.nan], [12_345.6, np.nan], [3000.0, 400.0], [3000.0, 400.0]])
    assert identical_years(list("abcd"), ["electricity", "water"], amounts, year=2019) == []


@pytest.mark.parametrize(("count", "told"), [(2, False), (3, True)])
def test_three_equal_months_in_a_row_are_a_copy(count: int, told: bool) -> None:
    random = np.random.default_rng(1)
    months = random.uniform(1e4, 2e4, (2, 12)).round(2)
    months[1, 4 : 4 + count] = months[0, 4 : 4 + count]
    found = identical_months(["a", "b"], "electricity", months, year=2019)
    assert [one.evidence["months"] for one in found] == ([["2019-05", "2019-06", "2019-07"]] if told else [])


@pytest.mark.parametrize(("factor", "power"), [(1e4, 4), (1e3, 3), (1e-3, -3), (30.0, 0), (100.0, 0)])
def test_a_figure_ten_thousand_times_its_peers_is_a_slip(factor: float, power: int) -> None:
    intensity = np.array([40.0, 45.0, 50.0, 55.0, 60.0, 50.0 * factor])
    found = slipped_figures(list("abcdef"), intensity, group=np.zeros(6, np.intp), unit="kWh/m2")
    assert [(one.subject, one.evidence["power_of_ten"]) for one in found] == ([("f", power)] if power else [])


def test_a_units_own_years_know_better_than_its_peers() -> None:
    intensity = np.array([40.0, 45.0, 50.0, 55.0, 60.0, 5e5])
    history = np.full((6, 2), np.nan)
    history[5] = 5e5
    group = np.zeros(6, np.intp)
    found = slipped_figures(list("abcdef"), intensity, group=group, unit="kWh/m2", history=history)
    assert [one.evidence["basis"] for one in found] == ["peers"]
    history[5] = 50.0
    found = slipped_figures(list("abcdef"), intensity, group=group, unit="kWh/m2", history=history)
    assert [one.evidence["basis"] for one in found] == ["own history"]
    assert slipped_figures(["a"], np.array([np.nan]), group=np.zeros(1, np.intp), unit="kWh/m2") == []


@pytest.mark.parametrize(
    ("carrier", "low", "high"), [("electricity", 0.70, 0.78), ("water", 4.1, 5.0), ("natural_gas", 3.0, 4.6)]
)
def test_prices_have_the_auditors_bands(carrier: str, low: float, high: float) -> None:
    """energy_domain.md section 2: electricity 0.70-0.78 yuan/kWh, water 4.1-5 yuan/m3, gas 3.0-4.6 yuan/m3."""
    price = np.array([low, high, low - 0.01, high + 0.01, np.nan])
    found = unit_prices(list("abcde"), carrier, cost_yuan=1000 * price, amount=np.full(5, 1000.0))
    assert [(one.id, one.subject) for one in found] == [("bill.unit_price", "c"), ("bill.unit_price", "d")]


def test_wan_yuan_for_yuan_is_told_as_such() -> None:
    [found] = unit_prices(["a"], "electricity", cost_yuan=np.array([0.0741]), amount=np.array([1000.0]))
    assert (found.id, found.evidence["power_of_ten"]) == ("bill.ten_thousand", -4)


def test_the_heat_price_is_per_kwh() -> None:
    """89.6 yuan/GJ are 0.32256 yuan/kWh."""
    found = unit_prices(list("ab"), "heat", cost_yuan=np.array([322.56, 400.0]), amount=np.full(2, 1000.0))
    assert [one.subject for one in found] == ["b"]
