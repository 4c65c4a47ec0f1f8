"""The week beside what a real InfluxDB's continuous queries and np.diff(x).clip(0) make of it.

The others' errors are computed from the planted load here; nothing is claimed of them that the faults do not explain.
"""

from collections.abc import Iterator
from dataclasses import replace

import httpx
import numpy as np
import pytest

from tests.servers import Influx
from tests.week_of_faults.faults import METERS, NOON, SWAPPED
from tests.week_of_faults.load import DAY, END, HOUR, MINUTE, START, at
from tests.week_of_faults.others import HOURS, ContinuousQueries, clipped_differences
from tests.week_of_faults.reckoning import AGAIN, CLIP, DAILY, HOURLY, KGCE, Fault, markdown, reckon
from tests.week_of_faults.world import World

STEP = 5 * MINUTE
COMPARED = {meter.institution: replace(meter, resolution_wh=1) for meter in METERS}


@pytest.fixture(scope="module")
def queries(influx_server: Influx) -> Iterator[ContinuousQueries]:
    with httpx.Client(base_url=influx_server.url, timeout=30, trust_env=False) as client:
        yield ContinuousQueries(client)


@pytest.fixture(scope="module")
def faults(queries: ContinuousQueries, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Fault]]:
    """Every five minutes in whole Wh."""
    world = World(tmp_path_factory.mktemp("beside"), [replace(meter, resolution_wh=1) for meter in METERS])
    world.fill()
    yield {fault.name: fault for fault in reckon(world, queries)}
    world.close()


def used(name: str, start_ms: int, end_ms: int) -> float:
    """Planted energy of a span. [kWh]."""
    return float(COMPARED[name].load.kwh(np.array([start_ms, end_ms]))[0])


def shift(name: str) -> float:
    """A bucket's last reading is a step before its end, so every continuous query's week is a step early."""
    return used(name, START - STEP, START) - used(name, END - STEP, END)


def test_kgce_is_right_or_says_what_it_does_not_know(faults: dict[str, Fault]) -> None:
    print(markdown(list(faults.values())))
    for fault in faults.values():
        own = fault.errors[KGCE]
        assert own.week_kwh == pytest.approx(fault.declared_kwh, abs=1e-6), fault.name
        assert own.claimed_kwh == pytest.approx(0, abs=1e-6), fault.name
        assert fault.declared_kwh <= 1e-9, "what is not known is left out, nothing is made up"
    unknown = {fault.name for fault in faults.values() if abs(fault.declared_kwh) > 1e-9}
    assert unknown == {"swap-undeclared", "swap-undeclared-higher", "dead-slave", "everything"}
    for name in unknown:
        assert not faults[name].remark.startswith("coverage 100.00%"), "it says so"


@pytest.mark.parametrize("name", ["healthy", "step-of-75-kw", "repeated-rows"])
def test_where_nothing_is_wrong_all_agree(faults: dict[str, Fault], name: str) -> None:
    """So the comparison is fair: the others' week differs by one reading's shift and no more."""
    for way in (HOURLY, DAILY, AGAIN):
        assert faults[name].errors[way].week_kwh == pytest.approx(shift(name), abs=1e-6)
    assert faults[name].errors[CLIP].week_kwh == pytest.approx(0, abs=1e-6)


def test_after_an_outage_the_hourly_query_loses_it_and_the_others_put_it_into_one_hour(
    faults: dict[str, Fault], queries: ContinuousQueries
) -> None:
    """The hour after it has no hour before it: no difference, no row. Run again over the week, it has them all."""
    outage, errors = COMPARED["outage"].outages[0], faults["outage"].errors
    lost = used("outage", outage.start_ms, at("Wednesday", "16:00") - STEP)
    assert errors[HOURLY].week_kwh == pytest.approx(shift("outage") - lost, abs=1e-6)
    assert errors[AGAIN].week_kwh == pytest.approx(shift("outage"), abs=1e-6)
    begins = int((at("Wednesday", "09:00") - START) // HOUR)
    hours = clipped_differences(COMPARED["outage"])
    hidden = used("outage", at("Wednesday", "10:00"), outage.end_ms)
    assert hours[begins] - used("outage", HOURS[begins], HOURS[begins + 1]) == pytest.approx(hidden, abs=1e-6)
    again = queries.amounts("again", COMPARED["outage"], HOURS)
    back = begins + 6
    assert again[back] > 4 * used("outage", HOURS[back], HOURS[back + 1]), "six hours stand in the one after them"


def test_what_comes_late_never_reaches_the_hourly_query(faults: dict[str, Fault]) -> None:
    """It ran when they were due and runs for these hours no more, unless somebody thinks of it."""
    (outage,), errors = COMPARED["late-replay"].outages, faults["late-replay"].errors
    lost = used("late-replay", outage.start_ms, at("Wednesday", "04:00") - STEP)
    assert errors[HOURLY].week_kwh == pytest.approx(shift("late-replay") - lost, abs=1e-6)
    assert errors[AGAIN].week_kwh == pytest.approx(shift("late-replay"), abs=1e-6)


@pytest.mark.parametrize("name", ["swap-declared", "swap-undeclared"])
def test_after_a_swap_to_a_lower_register_a_query_loses_its_whole_interval(faults: dict[str, Fault], name: str) -> None:
    """kgce loses nothing when told, and else the one stretch; an hour or a day is gone without a word elsewhere."""
    errors = faults[name].errors
    hour, day = SWAPPED // HOUR * HOUR, at("Wednesday", "00:00")
    assert errors[HOURLY].week_kwh == pytest.approx(shift(name) - used(name, hour - STEP, hour + HOUR - STEP), abs=1e-6)
    assert errors[DAILY].week_kwh == pytest.approx(shift(name) - used(name, day - STEP, day + DAY - STEP), abs=1e-6)
    before = SWAPPED // STEP * STEP
    assert errors[CLIP].week_kwh == pytest.approx(-used(name, before, before + STEP), abs=1e-6)


@pytest.mark.parametrize("name", ["swap-declared-higher", "swap-undeclared-higher"])
def test_a_swap_to_a_higher_register_is_consumption_to_the_others(faults: dict[str, Fault], name: str) -> None:
    meter = COMPARED[name]
    (swap,) = meter.swaps
    leap = (swap.first_wh - int(meter.first_wh + meter.load.used_wh(swap.at_ms))) / 1000
    assert leap > 800 * faults[name].truth_kwh
    for way in (HOURLY, DAILY, AGAIN, CLIP):
        assert faults[name].errors[way].week_kwh == pytest.approx(leap, abs=1), way


@pytest.mark.parametrize("name", ["dip-of-1", "dip-of-5"])
def test_a_dip_to_zero_counts_the_whole_register_once_more(faults: dict[str, Fault], name: str) -> None:
    """The hourly query takes the hour's last reading, and the dip is there; a day's last reading it does not meet."""
    meter, errors = COMPARED[name], faults[name].errors
    register = float(meter.shown_wh(np.array([NOON]))[0]) / 1000
    for way in (HOURLY, AGAIN, CLIP):
        assert errors[way].week_kwh == pytest.approx(register, rel=1e-3), way
    assert errors[DAILY].week_kwh == pytest.approx(shift(name), abs=1e-6)


def test_a_roll_over_is_a_loss_to_all_others(faults: dict[str, Fault]) -> None:
    errors, hour = faults["roll-over"].errors, at("Friday", "11:00")
    expected = shift("roll-over") - used("roll-over", hour - STEP, hour + HOUR - STEP)
    assert errors[HOURLY].week_kwh == pytest.approx(expected, abs=1e-6)
    friday = used("roll-over", at("Friday", "00:00") - STEP, at("Friday", "24:00") - STEP)
    assert errors[DAILY].week_kwh == pytest.approx(shift("roll-over") - friday, abs=1e-6)
    assert errors[CLIP].week_kwh < -0.5 * used("roll-over", hour + 30 * MINUTE, hour + 35 * MINUTE)


def test_of_a_dead_slave_all_know_the_same_and_only_kgce_says_so(faults: dict[str, Fault]) -> None:
    fault = faults["dead-slave"]
    lost = fault.declared_kwh
    for way, error in fault.errors.items():
        assert error.week_kwh == pytest.approx(lost, abs=2.0), way
    assert fault.remark == "coverage 78.17%, 110 h missing"
