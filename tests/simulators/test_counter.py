import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgce.simulators.charger import Charger, ChargingState
from kgce.simulators.counter import HourlyCounter, MinuteShape, SumCounter
from kgce.simulators.county import county
from kgce.simulators.timeline import EPOCH_MS, HOUR_MS, MINUTE_MS
from tests.simulators.world import WINTER_MS, instant

BUILDINGS = {building.config.institution: building for building in county()[:3]}
OFFICE = BUILDINGS["sim-office-1"]
CELL_MS = 100  # midpoints of these cells integrate the ripple of three waves a minute without error
HOUR_START_MS = WINTER_MS - (WINTER_MS - EPOCH_MS) % HOUR_MS
LAST_MS = EPOCH_MS + 15 * 365 * 24 * HOUR_MS


def integral(counting, start_ms, end_ms):
    """Midpoint rule over the rate, per hour."""
    cells = np.arange(start_ms, end_ms, CELL_MS, dtype=np.int64) + CELL_MS // 2
    return counting.rate(cells).sum() * CELL_MS / HOUR_MS


def grown(counting, start_ms, end_ms):
    before, after = counting.total(np.array([start_ms, end_ms], np.int64))
    return after - before


@pytest.mark.parametrize("institution", ["sim-hospital-1", "sim-school-1"])
@pytest.mark.parametrize(("what", "resolution"), [("electricity", 1e-8), ("water", 1e-9)])
@pytest.mark.parametrize("hours_later", [0, 9, 3_000])  # working hours, night, summer
def test_the_integral_of_the_rate_is_the_counter(institution, what, resolution, hours_later):
    """Relative 1e-9; `resolution` is what a 64-bit difference of two large counters can show at all."""
    counting = getattr(BUILDINGS[institution], what)
    start = HOUR_START_MS + hours_later * HOUR_MS + 7 * MINUTE_MS

    expected = integral(counting, start, start + 61 * MINUTE_MS)

    assert expected > 0
    assert grown(counting, start, start + 61 * MINUTE_MS) == pytest.approx(expected, rel=1e-9, abs=resolution)


def test_the_main_meter_integrates_its_power_while_a_car_charges():
    """Minutes 1 to 46 of a session: even the shortest has full power for 48, so no jump falls into a cell."""
    begun = int(OFFICE.chargers["charger"].session_starts_ms()[200])
    start = begun - (begun - EPOCH_MS) % MINUTE_MS + MINUTE_MS

    expected = integral(OFFICE.electricity, start, start + 45 * MINUTE_MS)

    assert grown(OFFICE.electricity, start, start + 45 * MINUTE_MS) == pytest.approx(expected, rel=1e-9, abs=1e-8)


def test_an_hours_growth_is_the_hours_mean_rate():
    counter = HourlyCounter(lambda hours: 3.0 + hours % 5, MinuteShape(1, variation=0.8), base=100.0)

    totals = counter.total(EPOCH_MS + HOUR_MS * np.arange(6))

    assert totals.tolist() == [100, 103, 107, 112, 118, 125]  # base, then 3, 4, 5, 6, 7


@given(st.integers(EPOCH_MS, LAST_MS), st.integers(0, 3 * HOUR_MS))
def test_counters_never_run_backwards(start_ms, step_ms):
    for counting in (OFFICE.electricity, OFFICE.water, OFFICE.gas):
        before, after = counting.total(np.array([start_ms, start_ms + step_ms], np.int64))
        assert after >= before - 1e-9 * after  # a 64-bit sum rounds


@given(st.lists(st.integers(EPOCH_MS, LAST_MS), min_size=1, max_size=20))
def test_a_total_does_not_depend_on_what_was_asked_before(times):
    fresh = county()[0]
    at = np.array(times, np.int64)

    assert np.array_equal(fresh.electricity.total(at[-1:]), OFFICE.electricity.total(at)[-1:])
    assert np.array_equal(fresh.gas.rate(at), [OFFICE.gas.rate(instant(time))[0] for time in times])


def test_the_integral_holds_inside_a_minute_too():
    """Seconds 3.3 to 9.1, where the ripple is in the middle of a wave; cells of 2 ms leave an error below 1e-9."""
    counter = HourlyCounter(lambda hours: 50.0 + 0 * hours, MinuteShape(4, variation=0.5, ripple=0.2))
    start, end = EPOCH_MS + 3_300, EPOCH_MS + 9_100
    cells = np.arange(start, end, 2, dtype=np.int64) + 1

    assert grown(counter, start, end) == pytest.approx(counter.rate(cells).sum() * 2 / HOUR_MS, rel=1e-8)


def test_another_seed_is_another_life():
    assert county(1)[0].electricity.total(instant(WINTER_MS)) != county(2)[0].electricity.total(instant(WINTER_MS))


def test_a_sum_is_the_sum_of_its_parts():
    parts = [HourlyCounter(lambda hours: 1.0 + 0 * hours, MinuteShape(seed, variation=0.5)) for seed in (1, 2)]
    at = np.array([WINTER_MS, WINTER_MS + 12_345], np.int64)

    assert np.array_equal(SumCounter(*parts).total(at), parts[0].total(at) + parts[1].total(at))
    assert np.array_equal(SumCounter(*parts).rate(at), parts[0].rate(at) + parts[1].rate(at))


def test_power_moves_within_seconds_but_stays_near_the_hours_mean():
    at = HOUR_START_MS + np.arange(0, HOUR_MS, 1000, dtype=np.int64)
    power_kw = BUILDINGS["sim-school-1"].electricity.rate(at)

    assert np.mean(np.diff(power_kw) != 0) > 0.9
    assert 0.7 * power_kw.mean() < power_kw.min() < power_kw.max() < 1.3 * power_kw.mean()


class TestCharger:
    charger = Charger(3)
    start_ms = int(charger.session_starts_ms()[100])

    def test_a_session_starts_from_zero_and_keeps_its_energy_until_the_next(self):
        begun = self.charger.state(self.start_ms)
        after = self.charger.state(self.start_ms + 4 * HOUR_MS)
        following = int(self.charger.session_starts_ms()[101])

        assert begun.state is ChargingState.CHARGING
        assert begun.session_kwh == 0
        assert (after.state, after.power_kw) == (ChargingState.IDLE, 0)
        assert after.session_kwh > 5
        assert self.charger.state(following - 1).session_kwh == after.session_kwh
        assert self.charger.state(following).session_kwh == 0

    def test_the_session_energy_is_the_integral_of_its_power(self):
        whole = self.charger.state(self.start_ms + 4 * HOUR_MS).session_kwh

        # Charging ends inside a cell, where the power jumps to zero: half a cell at a fifth of full power is the error.
        worst_kwh = 22.08 * 0.2 * CELL_MS / HOUR_MS
        assert integral(self.charger, self.start_ms, self.start_ms + 4 * HOUR_MS) == pytest.approx(whole, abs=worst_kwh)
        assert grown(self.charger, self.start_ms, self.start_ms + 4 * HOUR_MS) == pytest.approx(whole, rel=1e-9)

    def test_at_full_power_energy_is_power_times_time(self):
        state = self.charger.state(self.start_ms + 30 * MINUTE_MS)  # the shortest session holds 48 minutes of it

        assert state.session_kwh == pytest.approx(state.power_kw / 2, rel=1e-12)

    def test_power_falls_before_the_end_and_the_car_stays_a_while(self):
        states = [self.charger.state(self.start_ms + minute * MINUTE_MS) for minute in range(240)]
        powers = [state.power_kw for state in states if state.state is ChargingState.CHARGING]

        assert powers == sorted(powers, reverse=True)
        assert powers[-1] < 0.3 * powers[0]
        assert sum(state.state is ChargingState.PLUGGED_WAITING for state in states) == pytest.approx(20, abs=1)

    def test_nothing_was_charged_before_it_was_installed(self):
        long_ago = self.charger.state(EPOCH_MS)

        assert (long_ago.state, long_ago.power_kw, long_ago.session_kwh) == (ChargingState.IDLE, 0, 0)
        assert self.charger.total(instant(EPOCH_MS))[0] == 0
