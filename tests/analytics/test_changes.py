"""Declared changes and known widths: no interval is lost at a swap, a roll-over or a new unit."""

import numpy as np
import pytest

from kgce.analytics.ledger.amounts import Amounts, Flag, Provenance
from kgce.analytics.ledger.anomalies import DIP_READINGS, clean_register
from kgce.analytics.ledger.changes import Rules
from kgce.analytics.ledger.counter import counter_amounts, counter_amounts_many
from kgce.domain.changes import ChangeKind, MeterChange
from kgce.domain.errors import InputError

HOUR = 3_600_000


def declared(at_h: float, **fields) -> MeterChange:
    return MeterChange("a", "main", "active_energy_import", round(at_h * HOUR), **fields)


def hourly(
    readings: dict[float, float], hours: int, *changes: MeterChange, width: float = np.nan, most: float = np.nan
) -> Amounts:
    times = np.array([round(hour * HOUR) for hour in readings], np.int64)
    return counter_amounts(
        times,
        np.array(list(readings.values()), float),
        np.zeros(len(times), np.uint8),
        np.arange(hours + 1, dtype=np.int64) * HOUR,
        Rules(np.array([width]), np.array([most]), {0: changes} if changes else {}),
    )


def test_a_declared_replacement_loses_no_interval() -> None:
    """10 kWh/h; swapped at 2:30 where the old meter showed 1025 and the new one began at 3."""
    found = hourly({0: 1000, 1: 1010, 2: 1020, 3: 8, 4: 18, 5: 28}, 5, declared(2.5, old_last=1025.0, new_first=3.0))
    assert found.amount.tolist() == [10, 10, 10, 10, 10]
    assert set(found.provenance.tolist()) == {Provenance.MEASURED}
    assert found.flags.tolist() == [0, 0, Flag.REPLACED, 0, 0]


def test_a_replacement_by_a_meter_that_shows_more_is_no_consumption() -> None:
    found = hourly({0: 10, 1: 20, 2: 50_000, 3: 50_010}, 3, declared(1.5, old_last=25.0, new_first=49_995.0))
    assert found.amount.tolist() == [10, 10, 10]


def test_two_replacements_and_a_reading_at_the_very_instant() -> None:
    found = hourly(
        {0: 100, 1: 110, 2: 0, 3: 10, 4: 500, 5: 510},
        5,
        declared(2, old_last=120.0, new_first=0.0),
        declared(3.5, old_last=15.0, new_first=495.0),
    )
    assert found.amount.tolist() == [10] * 5


def test_what_was_used_while_no_meter_hung_there_is_not_made_up() -> None:
    """The old meter's last level stands at the instant of the swap; what follows is the new meter's alone."""
    found = hourly({0: 100, 1: 110, 4: 6, 5: 16}, 5, declared(2, old_last=112.0, new_first=0.0))
    assert np.nansum(found.amount) == 10 + 2 + 16


def test_a_unit_that_changes_goes_on_in_the_points_own() -> None:
    """The register is shown in Wh from 2:00 on."""
    found = hourly({0: 100, 1: 110, 2: 120_000, 3: 130_000}, 3, declared(1.5, kind=ChangeKind.UNIT, factor=0.001))
    assert found.amount.tolist() == pytest.approx([10, 10, 10])


@pytest.mark.parametrize("levels", [{}, {"old_last": 5.0}, {"new_first": 5.0}, {"old_last": -1.0, "new_first": 0.0}])
def test_a_replacement_without_both_levels_is_refused(levels: dict[str, float]) -> None:
    with pytest.raises(InputError, match="what the old meter showed last"):
        declared(1, **levels)


@pytest.mark.parametrize("factor", [0.0, -1.0, float("inf"), float("nan")])
def test_a_unit_without_a_positive_factor_is_refused(factor: float) -> None:
    with pytest.raises(InputError, match="must be positive"):
        declared(1, kind=ChangeKind.UNIT, factor=factor)


def test_one_counters_change_leaves_its_neighbours_alone() -> None:
    times = np.tile(np.arange(6, dtype=np.int64) * HOUR, 3)
    value = np.concatenate([np.arange(6) * 10.0, [100, 110, 3, 13, 23, 33], np.arange(6) * 10.0])
    index = np.repeat(np.arange(3, dtype=np.int32), 6)
    change = declared(1.5, old_last=115.0, new_first=-0.0)
    rules = Rules(np.full(3, np.nan), np.full(3, np.nan), {1: [change]})
    edges = np.arange(6, dtype=np.int64) * HOUR
    found = counter_amounts_many(index, times, value, np.zeros(18, np.uint8), edges, 3, rules=rules)
    assert found.amount[[0, 2]].tolist() == [[10] * 5] * 2
    assert found.amount[1].tolist() == [10, 8, 10, 10, 10]
    assert (found.flags[[0, 2]] == 0).all()


def test_a_register_that_starts_again_at_its_width_rolled_over() -> None:
    """Five digits: after 99 999 comes 0 (hazard 35 of devices.md)."""
    found = hourly({0: 99_975, 1: 99_985, 2: 99_995, 3: 5, 4: 15}, 4, width=100_000)
    assert found.amount.tolist() == [10, 10, 10, 10]
    assert found.flags.tolist() == [0, 0, 0, Flag.ROLLOVER], "the flag stands where the first new reading does"


def test_without_a_known_width_the_same_fall_is_a_reset() -> None:
    found = hourly({0: 99_975, 1: 99_985, 2: 99_995, 3: 5, 4: 15}, 4)
    assert np.isnan(found.amount[2])
    assert found.flags[2] & Flag.RESET


@pytest.mark.parametrize(
    ("before", "after", "is_rollover"),
    [
        pytest.param([89_990.0, 90_000], [0.0, 10], True, id="a tenth of the width, on the limit"),
        pytest.param([89_989.0, 89_999], [0.0, 10], False, id="one more than a tenth"),
        pytest.param([100_000.0, 100_001], [3.0, 13], False, id="a register beyond its own width"),
    ],
)
def test_a_rollover_hides_no_more_than_a_tenth_of_the_width(before, after, is_rollover) -> None:
    times = np.array([0, HOUR, 2000 * HOUR, 2001 * HOUR], np.int64)
    found = clean_register(times, np.array(before + after), width=100_000)
    assert found.is_reset.tolist() == [False, not is_rollover, False]


def test_a_fall_that_would_be_too_fast_for_this_meter_is_no_rollover() -> None:
    """A meter of 10 kWh/h cannot use 5 000 kWh in an hour: somebody replaced it near its end."""
    steady = [95_000.0 - 10 * hour for hour in range(20, 0, -1)]
    times = np.arange(22, dtype=np.int64) * HOUR
    assert clean_register(times, np.array([*steady, 0.0, 10.0]), width=100_000).is_reset.any()


def test_several_high_readings_that_rose_out_of_all_proportion_are_a_spike() -> None:
    for length in range(1, DIP_READINGS + 1):
        high = [9e6 + step for step in range(length)]
        values = np.array([*(10.0 * step for step in range(10)), *high, *(150.0 + 10 * step for step in range(10))])
        found = clean_register(np.arange(len(values), dtype=np.int64) * HOUR, values)
        assert len(found.spikes_ms) == length
        assert not found.is_reset.any()


def test_a_meter_reset_soon_after_it_was_put_in_is_no_spike() -> None:
    values = np.array([0.0, 50, 100, 3, 8, 13, 18, 23, 28, 33])
    found = clean_register(np.arange(10, dtype=np.int64) * HOUR, values)
    assert found.spikes_ms == []
    assert np.flatnonzero(found.is_reset).tolist() == [2]


def test_what_the_supply_cannot_deliver_is_a_spike_or_unknown_and_what_it_can_is_kept() -> None:
    """A 75 kW load behind a 100 kW fuse is real; 50 000 kWh in an hour is not."""
    real = hourly({0: 0, 1: 10, 2: 85, 3: 95}, 3, most=100)
    assert real.amount.tolist() == [10, 75, 10]
    spike = hourly({0: 0, 1: 10, 2: 50_000, 3: 30, 4: 40}, 4, most=100)
    assert spike.amount.tolist() == [10, 10, 10, 10]
    assert spike.flags[2] & Flag.SPIKE_REJECTED
    lasting = hourly({0: 0, 1: 10, 2: 50_000, 3: 50_010, 4: 50_020}, 4, most=100)
    np.testing.assert_array_equal(lasting.amount, [10, np.nan, 10, 10])
    assert lasting.flags[1] & Flag.RESET
    newest = hourly({0: 0, 1: 10, 2: 50_000}, 2, most=100)
    np.testing.assert_array_equal(newest.amount, [10, np.nan])


def test_the_supplys_limit_holds_for_the_time_that_passed() -> None:
    """100 kWh in one hour at 100 kWh/h is on the limit, 100.2 is beyond, 190 in two hours is not."""
    on_it = hourly({0: 0, 1: 10, 2: 110, 3: 120, 5: 310}, 5, most=100)
    assert np.nansum(on_it.amount) == 310
    beyond = hourly({0: 0, 1: 10, 2: 110.2, 3: 120, 4: 130}, 4, most=100)
    assert np.isnan(beyond.amount[1])


def test_a_register_rolls_over_at_its_own_width_after_a_replacement_too() -> None:
    """The new meter counts from 9 970 to 10 000 and on from 0, whatever the old one had shown."""
    found = hourly(
        {0: 4000, 1: 4010, 2: 9_980, 3: 9_990, 4: 0, 5: 10},
        5,
        declared(1.5, old_last=4015, new_first=9_975),
        width=10_000,
    )
    assert found.amount.tolist() == [10, 10, 10, 10, 10]


@pytest.mark.parametrize(
    ("resolution", "every_s", "power_kw", "limit"),
    [
        pytest.param(1.0, 60, 30.0, 50.0, id="whole kWh, each minute"),
        pytest.param(0.01, 60, 99.7, 100.0, id="near the limit"),
        pytest.param(0.01, 1, 75.0, 100.0, id="each second"),
        pytest.param(0.01, 1, 5.0, 30.0, id="a small load, each second"),
        pytest.param(1000.0, 3600, 60.0, 100.0, id="pulses of a MWh, each hour"),
    ],
)
def test_a_registers_own_steps_are_no_leaps(resolution, every_s, power_kw, limit) -> None:
    """A real load below the limit is kept whole, however coarse the register and however often it is read."""
    times = np.arange(0, 40 * max(every_s, 120), every_s, dtype=np.int64) * 1000
    value = np.floor(times / HOUR * power_kw / resolution) * resolution
    found = clean_register(times, value, most_per_hour=limit)
    assert not found.is_reset.any()
    assert found.spikes_ms == []
    assert found.value[-1] == value[-1]
