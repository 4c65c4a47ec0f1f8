import numpy as np

from kgce.simulators.noise import drift, normal, normal_by_day, pick, uniform
from kgce.simulators.timeline import HOURS_OF_2015
from kgce.simulators.weather import outdoor_c

HOURS = np.arange(20_000, dtype=np.int64)


def test_the_same_index_has_the_same_noise_in_every_range():
    for make in (uniform, normal, normal_by_day, lambda *at: drift(*at, spacing=48)):
        whole = make(3, "stream", HOURS)
        for part in (slice(17, 18), slice(5_000, 5_013), slice(1, None, 7)):
            assert np.array_equal(make(3, "stream", HOURS[part]), whole[part])


def test_another_seed_or_stream_is_another_noise():
    one = uniform(1, "a", HOURS)

    assert not np.any(one == uniform(2, "a", HOURS))
    assert not np.any(one == uniform(1, "b", HOURS))


def test_noise_is_distributed_as_named():
    """Tolerances are about five standard errors of 20 000 draws."""
    even, bell = uniform(5, "even", HOURS), normal(5, "bell", HOURS)

    assert 0 <= even.min() < 0.001
    assert 0.999 < even.max() < 1
    assert abs(even.mean() - 0.5) < 5 / np.sqrt(12 * len(HOURS))
    assert abs(bell.mean()) < 5 / np.sqrt(len(HOURS))
    assert abs(bell.std() - 1) < 5 / np.sqrt(2 * len(HOURS))
    assert abs(np.corrcoef(bell[1:], bell[:-1])[0, 1]) < 5 / np.sqrt(len(HOURS))


def test_a_picked_constant_lies_between_its_limits():
    picked = [pick(seed, "x", 2.0, 3.0) for seed in range(200)]

    assert 2.0 <= min(picked) < 2.1
    assert 2.9 < max(picked) < 3.0


def test_no_index_gives_no_noise():
    nothing = np.zeros(0, np.int64)

    assert len(uniform(1, "a", nothing)) == len(drift(1, "a", nothing, spacing=3)) == 0
    assert len(normal_by_day(1, "a", nothing)) == 0


def test_the_climate_is_like_jinans():
    """Jinan 1991-2020: January mean about 0 degC, July about 27.5, year about 15; the bands allow for one odd year."""
    year = outdoor_c(11, HOURS_OF_2015)
    january, july = year[: 31 * 24], year[181 * 24 : 212 * 24]

    assert -5 < january.mean() < 4
    assert 24 < july.mean() < 31
    assert 12.5 < year.mean() < 17
    assert -22 < year.min() < -3
    assert 32 < year.max() < 45
    assert january[14::24].mean() > january[3::24].mean() + 4, "afternoons are warmer than nights"
