"""A synthetic province for load tests: seeded institutions with years of accounts, not measurements of anybody.

Sizes are those of design section 1: 17 cities, 137 counties, 80 000 institutions. What a class uses lies around the
reference values of the quota standards (energy_domain.md section 3); the spread, the seasons and the faults are ours.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from kgce.domain.batch import BoolArray, FloatArray

CITIES: Final = 17
COUNTIES: Final = 137
MONTHS: Final = 12
CARRIERS: Final = ("electricity", "natural_gas", "heat", "raw_coal", "lpg", "gasoline", "diesel", "water")
# class: share of institutions, median floor area [m2], m2 per person, electricity [kWh/(m2 a)], water [m3/(person a)]
CLASSES: Final = {
    "agency": (0.38, 3500.0, 30.0, 45.0, 25.0),
    "primary": (0.22, 6000.0, 9.0, 12.0, 10.0),
    "secondary_day": (0.12, 14_000.0, 11.0, 14.0, 12.0),
    "secondary_boarding": (0.04, 30_000.0, 14.0, 18.0, 25.0),
    "kindergarten": (0.10, 2500.0, 8.0, 18.0, 14.0),
    "university": (0.004, 300_000.0, 18.0, 22.0, 50.0),
    "hospital": (0.06, 12_000.0, 28.0, 70.0, 90.0),
    "library": (0.03, 4000.0, 15.0, 28.0, 8.0),
    "sports_hall": (0.016, 9000.0, 25.0, 30.0, 15.0),
    "museum": (0.03, 5000.0, 20.0, 32.0, 8.0),
}
LEVELS: Final = ("provincial", "city", "below_city")
ZONES: Final = ("A", "B")
_COOLING: Final = np.array([0.9, 0.85, 0.8, 0.8, 0.9, 1.2, 1.6, 1.55, 1.1, 0.8, 0.85, 0.95]) / 12.3
_HEATING: Final = np.array([0.28, 0.24, 0.13, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.11, 0.24])
_EVEN: Final = np.full(MONTHS, 1 / 12)


@dataclass(frozen=True, slots=True, eq=False)
class County:
    """One county's institutions (n) and their meters' months.

    amount: (n, carriers, 12) in each carrier's unit, NaN = nothing known; estimated: the part of it that is; coverage:
    0..1; area_m2, heated_area_m2, people: (n,), NaN = not stated; class_code, level_code: (n,); zone_code: of the city.
    """

    code: str
    amount: FloatArray
    estimated: FloatArray
    coverage: FloatArray
    area_m2: FloatArray
    heated_area_m2: FloatArray
    people: FloatArray
    is_stated: BoolArray
    class_code: npt.NDArray[np.intp]
    level_code: npt.NDArray[np.intp]
    zone_code: npt.NDArray[np.intp]


def counties(institutions: int) -> list[tuple[str, int]]:
    """Code and number of institutions of each county; codes that GB/T 2260 has not assigned."""
    base, more = divmod(institutions, COUNTIES)
    return [
        (f"37{place % CITIES + 50:02d}{place // CITIES + 1:02d}", base + (place < more)) for place in range(COUNTIES)
    ]


def county(code: str, size: int, *, seed: int) -> County:
    """One county; the same for the same seed, whoever makes it and after which others."""
    random = np.random.default_rng([seed, int(code)])
    shares = np.array([one[0] for one in CLASSES.values()])
    class_code = random.choice(len(CLASSES), size, p=shares / shares.sum())
    _, median_area, area_per_person, kwh_per_m2, water_per_person = np.array(list(CLASSES.values())).T[:, class_code]
    area = median_area * random.lognormal(0, 0.6, size)
    people = np.maximum(np.round(area / (area_per_person * random.lognormal(0, 0.35, size))), 1)
    use = np.zeros((size, len(CARRIERS), MONTHS))
    skill = random.lognormal(0, 0.3, size)  # how a house is run shows in all of its carriers
    use[:, 0] = (kwh_per_m2 * area * skill * random.lognormal(0, 0.2, size))[:, None] * _COOLING
    has_gas, has_heat = _some(random, size, 0.55), _some(random, size, 0.45)
    use[:, 1] = (has_gas * area * 1.5 * skill * random.lognormal(0, 0.5, size))[:, None] * (_EVEN + _HEATING) / 2
    use[:, 2] = (has_heat * area * 70.0 * skill * random.lognormal(0, 0.25, size))[:, None] * _HEATING
    use[:, 3] = ((_some(random, size, 0.05)) * area * 12.0)[:, None] * _HEATING
    use[:, 4] = ((_some(random, size, 0.15)) * people * 3.0)[:, None] * _EVEN
    use[:, 5] = ((_some(random, size, 0.6)) * people * 8.0)[:, None] * _EVEN
    use[:, 6] = ((_some(random, size, 0.2)) * people * 4.0)[:, None] * _EVEN
    use[:, 7] = (water_per_person * people * random.lognormal(0, 0.35, size))[:, None] * _EVEN
    use *= random.lognormal(0, 0.05, use.shape)
    return _with_faults(random, County(
        code, use, np.zeros_like(use), np.ones_like(use), area, area * has_heat * 0.85, people,
        np.ones(size, np.bool_), class_code,
        random.choice(len(LEVELS), size, p=(0.02, 0.18, 0.8)), np.full(size, int(code) % 2),
    ))  # fmt: skip


def _some(random: np.random.Generator, shape: int | tuple[int, ...], share: float) -> BoolArray:
    chosen: BoolArray = random.random(shape) < share
    return chosen


def _with_faults(random: np.random.Generator, made: County) -> County:
    """What a province is like: gaps, estimates, slips of units, attributes nobody stated."""
    size = len(made.area_m2)
    silent = _some(random, (size, 1, 1), 0.03)
    missing = silent & (_some(random, made.amount.shape, 0.2))
    made.coverage[missing] = 0.0
    partly = _some(random, made.amount.shape, 0.01)
    made.coverage[partly & ~missing] *= 0.6
    guessed = _some(random, made.amount.shape, 0.02)
    made.estimated[guessed] = 0.3 * made.amount[guessed]
    made.amount[_some(random, size, 0.002)] *= 10_000.0
    made.amount[missing], made.estimated[missing] = np.nan, 0.0
    made.area_m2[_some(random, size, 0.004)] = np.nan
    made.people[_some(random, size, 0.004)] = np.nan
    made.is_stated[_some(random, size, 0.003)] = False
    return made


def province(institutions: int, *, seed: int) -> Iterator[County]:
    """Every county, one after the other."""
    for code, size in counties(institutions):
        yield county(code, size, seed=seed)
