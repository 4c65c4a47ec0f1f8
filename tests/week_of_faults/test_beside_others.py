"""The same week beside a real InfluxDB's continuous query and a plain diff().clip(0)."""

import pytest

from tests.week_of_faults.table import Errors, compare, markdown
from tests.week_of_faults.week import at, meter_with


@pytest.fixture(scope="module")
def errors(influx_server) -> dict[str, dict[str, Errors]]:
    found = compare(influx_server.url)
    print("\n" + markdown(found))
    return found


OTHERS = ("InfluxDB 1.6.7 continuous query", "diff().clip(0)")


def test_nothing_is_wrong_with_anybody_while_nothing_goes_wrong(errors) -> None:
    for error in errors["none"].values():
        assert error.week == pytest.approx(0, abs=1e-6)
        assert error.hour == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("fault", ["swap", "heavy", "rollover"])
def test_every_hour_of_kgce_is_what_was_used(errors, fault: str) -> None:
    assert errors[fault]["kgce"].week == pytest.approx(0, abs=1e-6)
    assert errors[fault]["kgce"].hour == pytest.approx(0, abs=1e-6)


def test_the_week_of_an_outage_is_exact_and_its_hours_are_a_straight_line(errors) -> None:
    """The others book the six hours as zeros and one giant."""
    meter = meter_with("outage")
    silent = meter.used[at(1, 9) : at(1, 15)].sum()
    assert errors["outage"]["kgce"].week == pytest.approx(0, abs=1e-6)
    assert errors["outage"]["kgce"].hour < silent / 6
    for name in OTHERS:
        assert errors["outage"][name].hour > silent / 2


def test_a_swap_nobody_declared_costs_kgce_one_reading(errors) -> None:
    meter = meter_with("undeclared")
    assert errors["undeclared"]["kgce"].week == pytest.approx(-meter.used[at(2, 13.5)], abs=1e-6)


def test_a_dip_makes_the_others_count_the_whole_register(errors) -> None:
    """From zero back to 48 000 kWh is consumption to them; kgce draws a line over the rejected readings."""
    meter = meter_with("dip")
    assert errors["dip"]["kgce"].week == pytest.approx(0, abs=1e-6)
    assert errors["dip"]["kgce"].hour < meter.used[at(3, 15.9) : at(3, 16.5)].max()
    assert errors["dip"]["InfluxDB 1.6.7 continuous query"].week > 90_000
    assert errors["dip"]["diff().clip(0)"].week > 90_000


def test_a_rollover_or_a_swap_loses_something_to_the_others(errors) -> None:
    for fault in ("swap", "rollover"):
        for name in OTHERS:
            assert abs(errors[fault][name].week) > 0.1


def test_everything_at_once_is_still_what_was_used(errors) -> None:
    assert errors["everything"]["kgce"].week == pytest.approx(0, abs=1e-6)
