import numpy as np
import pytest

from kgce.simulators.boiler import CYCLE_MS
from kgce.simulators.county import county
from kgce.simulators.load import electricity_counter
from kgce.simulators.progress import remaining
from kgce.simulators.timeline import (
    EPOCH_MS,
    HOUR_MS,
    HOURS_OF_2015,
    MINUTE_MS,
    day_index,
    hour_and_offset,
    midnight_ms,
    weekday_of,
)
from kgce.simulators.uses import Use
from tests.simulators.world import instant, ms

COUNTY = county()
OFFICE, SCHOOL, HOSPITAL = COUNTY[:3]
YEARS = range(2015, 2026)
NEW_YEARS_MS = midnight_ms(np.array([day_index(year, 1, 1) for year in range(2015, 2027)]))

# Bands of the electricity per area; plausible figures for the classes, stated for the simulation.
KWH_PER_M2 = {Use.OFFICE: (60, 110), Use.SCHOOL: (25, 45), Use.HOSPITAL: (120, 180), Use.VENUE: (50, 120)}


def by_day(counting, year):
    days = np.arange(day_index(year, 1, 1), day_index(year + 1, 1, 1) + 1)
    return np.diff(counting.total(midnight_ms(days)))


@pytest.mark.parametrize("building", COUNTY, ids=lambda building: building.config.institution)
def test_a_years_consumption_is_of_the_right_size_in_every_year(building):
    config = building.config
    people = np.array([building.people(year) for year in YEARS])
    low, high = KWH_PER_M2[config.use]

    per_area = np.diff(building.electricity.total(NEW_YEARS_MS)) / config.area_m2
    water_per_capita = np.diff(building.water.total(NEW_YEARS_MS)) / people

    assert low <= per_area.min() <= per_area.max() <= high
    assert 10 <= water_per_capita.min() <= water_per_capita.max() <= 40


@pytest.mark.parametrize("building", [b for b in COUNTY if b.boilers], ids=lambda b: b.config.institution)
def test_heating_burns_a_plausible_amount_of_gas(building):
    """4-14 m3/m2 a heating season in northern China, up to 24 with a hospital's hot water; stated, not measured."""
    per_area = np.diff(building.gas.total(NEW_YEARS_MS)) / building.config.heated_area_m2

    assert 4 < per_area.min() <= per_area.max() < (24 if building.config.use is Use.HOSPITAL else 14)


def test_a_planted_intensity_is_found_again_in_2015():
    counter = electricity_counter(Use.SCHOOL, area_m2=5000, people=600, seed=1, climate_seed=2, intensity=40.0)

    kwh = np.diff(counter.total(NEW_YEARS_MS[:2]))[0]

    assert kwh == pytest.approx(40 * 5000, rel=0.06)  # measures of the first year may act already


def test_measures_act_gradually_and_by_one_retrofit():
    """progress.py plants rates of -0.4 to 2 % a year and a step of 0 to 8 % between 2016 and 2021."""
    hours = np.arange(12 * 8766, dtype=np.int64)
    for seed in range(40):
        left = remaining(seed, "electricity", hours)
        steps = left[1:] / left[:-1]
        at = int(steps.argmin())
        assert left[0] == 1.0
        assert 0.92 <= steps[at] < 1.0
        if steps[at] < 0.999:  # a retrofit worth seeing
            assert 8766 - 2 <= at <= 7 * 8766
        assert 0.78 < left[-1] < 1.04
    assert min(remaining(seed, "electricity", hours)[-1] for seed in range(40)) < 0.85


def test_institutions_differ_in_their_progress_since_2015():
    drops = [
        1 - np.diff(b.electricity.total(NEW_YEARS_MS[5:7]))[0] / np.diff(b.electricity.total(NEW_YEARS_MS[:2]))[0]
        for b in COUNTY
    ]

    assert min(drops) < 0.05 < max(drops), drops


def test_workdays_use_more_than_weekends_except_in_a_hospital():
    weekend = weekday_of(np.arange(day_index(2025, 3, 1), day_index(2025, 5, 1))) >= 5
    spring = slice(59, 120)  # 1 March to 30 April
    ratio = {
        building.config.use: np.mean(by_day(building.electricity, 2025)[spring][~weekend])
        / np.mean(by_day(building.electricity, 2025)[spring][weekend])
        for building in (OFFICE, SCHOOL, HOSPITAL)
    }

    assert ratio[Use.OFFICE] > 1.5
    assert ratio[Use.SCHOOL] > 1.5
    assert 1.0 < ratio[Use.HOSPITAL] < 1.3


def test_summer_needs_cooling_and_winter_needs_gas():
    days = by_day(HOSPITAL.electricity, 2025)
    gas = by_day(OFFICE.gas, 2025)

    assert days[190:230].mean() > 1.15 * days[90:120].mean()  # mid-July to mid-August against April
    assert gas[:40].mean() > 20 * gas[150:250].mean()
    assert gas[150:250].mean() > 0, "the canteen cooks in summer"


def test_the_main_meter_holds_the_chargers_energy():
    charger = OFFICE.chargers["charger"]
    start = int(charger.session_starts_ms()[50])
    before, at = OFFICE.electricity.rate(np.array([start - 1, start], np.int64))

    assert charger.rate(instant(start))[0] > 6
    assert at - before == pytest.approx(charger.rate(instant(start))[0], abs=0.2)  # the building itself barely moves


def test_the_gas_meter_holds_the_boilers_gas():
    noon = instant(ms("2026-01-14T20:30:00+08:00"))  # after the canteen's hours

    assert OFFICE.gas.rate(noon)[0] == OFFICE.boilers["boiler"].gas.rate(noon)[0] > 0


class TestBoiler:
    boiler = OFFICE.boilers["boiler"]
    cycling_ms = ms("2025-11-20T23:00:00+08:00")  # a mild night: below the lowest firing rate

    def test_below_its_lowest_rate_the_burner_cycles(self):
        hours, _ = hour_and_offset(instant(self.cycling_ms))
        duty = self.boiler.duty(hours)[0]
        at = self.cycling_ms + np.arange(0, CYCLE_MS, 1000, dtype=np.int64)
        rates = self.boiler.gas.rate(at)

        assert 0 < duty < 1
        assert np.count_nonzero(rates) / len(rates) == pytest.approx(duty, abs=0.001)
        assert rates.max() == pytest.approx(0.25 * self.boiler.capacity_m3_h)

    def test_gas_grows_by_rate_times_time_while_burning(self):
        burning = self.cycling_ms + 60_000 + np.array([0, 30_000], np.int64)
        grown = np.diff(self.boiler.gas.total(burning))[0]

        assert grown == pytest.approx(self.boiler.gas.rate(burning)[0] * 30_000 / HOUR_MS, rel=1e-6)

    def test_starts_and_hours_count_what_the_flame_does(self):
        """Walk a day second by second and count the rising edges and burning seconds of the gas flow."""
        times = ms("2025-11-21T00:00:00+08:00") + np.arange(0, 24 * HOUR_MS, 1000, dtype=np.int64)
        burning = self.boiler.gas.rate(times) > 0
        edges = np.count_nonzero(burning[1:] & ~burning[:-1])
        starts, running_h = self.boiler.starts(times), self.boiler.running_h.total(times)

        assert starts[-1] - starts[0] == edges > 5
        assert running_h[-1] - running_h[0] == pytest.approx(np.count_nonzero(burning) / 3600, abs=edges / 3600)

    def test_starts_are_whole_and_never_fall(self):
        starts = self.boiler.starts(EPOCH_MS + 7 * MINUTE_MS * np.arange(50_000, dtype=np.int64))

        assert np.array_equal(starts, np.round(starts))
        assert np.diff(starts).min() == 0
        assert np.diff(starts).max() == 1

    def test_a_burning_boiler_is_hot_and_its_flue_is_hotter(self):
        state = self.boiler.state(ms("2026-01-14T10:01:00+08:00"))

        assert 0.2 < state.firing_ratio <= 1
        assert 45 < state.return_c < state.supply_c < 90 < state.flue_c < 180
        assert 2 < state.o2_percent < 6
        assert state.flame_percent > 50

    def test_out_of_season_it_is_cold(self):
        state = self.boiler.state(ms("2026-07-14T10:01:00+08:00"))

        assert state.firing_ratio == state.flame_percent == 0
        assert state.supply_c < 30
        assert state.o2_percent == 20.9  # air


def test_temperature_drives_the_load_of_an_hour():
    """Hot hours of open days need more than mild ones: the planted weather response is in the data."""
    power_kw = HOSPITAL.electricity.total(EPOCH_MS + HOUR_MS * np.arange(len(HOURS_OF_2015) + 1))
    hourly = np.diff(power_kw).reshape(-1, 24)

    assert hourly[200:230, 14].mean() > 1.1 * hourly[110:130, 14].mean()
