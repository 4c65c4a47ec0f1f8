"""The regression score finds the efficiency that was planted, whatever the use of the building."""

from dataclasses import dataclass

import numpy as np
import pytest

from kgce.analytics.leaders.regression import HowVariable, Scale, t_limit_90
from kgce.analytics.leaders.score import Scores, scores


@dataclass
class Planted:
    """Log intensity = 2 + 0.6 log density + 0.0003 hours + efficiency + noise."""

    value: np.ndarray
    variables: list[HowVariable]
    efficiency: np.ndarray
    density: np.ndarray


def plant(units: int = 400, noise: float = 0.05, seed: int = 7) -> Planted:
    random = np.random.default_rng(seed)
    density, hours = np.exp(random.normal(-3, 0.6, units)), random.uniform(1800, 4200, units)
    efficiency = random.normal(0, 0.3, units)
    log_value = 2 + 0.6 * np.log(density) + 0.0003 * hours + efficiency + random.normal(0, noise, units)
    variables = [HowVariable("density", density, Scale.LOG), HowVariable("hours", hours)]
    return Planted(np.exp(log_value), variables, efficiency, density)


def ranks(column: np.ndarray) -> np.ndarray:
    return np.argsort(np.argsort(column))


def spearman(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.corrcoef(ranks(one), ranks(other))[0, 1])


def width(found: Scores) -> float:
    return float(np.mean(found.high - found.low))


def test_the_planted_order_of_efficiency_is_found() -> None:
    truth = plant()
    found = scores(truth.value, truth.variables, seed=1)
    assert found.kept == ("density", "hours")
    assert spearman(found.score, -truth.efficiency) > 0.9
    assert spearman(-truth.value, -truth.efficiency) < 0.8  # the bare intensity does not tell it


def test_what_a_how_variable_does_is_taken_out() -> None:
    truth = plant()
    found = scores(truth.value, truth.variables, seed=1)
    assert abs(spearman(found.score, truth.density)) < 0.1
    assert abs(spearman(truth.value, truth.density)) > 0.6


def test_scores_run_from_1_to_100_evenly_and_the_best_has_100() -> None:
    truth = plant()
    found = scores(truth.value, truth.variables, seed=1)
    assert (found.score.min(), found.score.max()) == (1, 100)
    assert np.bincount(found.score.astype(int))[1:].tolist() == [4] * 100
    assert found.score[np.argmin(found.ratio)] == 100


def test_equal_units_have_equal_scores_in_the_middle() -> None:
    found = scores(np.full(12, 3.0), [], seed=1)
    assert found.score.tolist() == [50] * 12
    assert found.ratio.tolist() == pytest.approx([1.0] * 12)


def test_the_interval_widens_with_the_uncertainty_of_the_values() -> None:
    truth = plant()
    widths = [
        width(scores(truth.value, truth.variables, seed=1, uncertainty=np.full(400, share)))
        for share in (0.0, 0.05, 0.2)
    ]
    assert widths[0] < widths[1] < widths[2]
    assert widths[2] > 3 * widths[0]


def test_the_interval_widens_where_fewer_units_tell() -> None:
    few, many = plant(units=60), plant(units=1500)
    assert width(scores(few.value, few.variables, seed=1)) > 2 * width(scores(many.value, many.variables, seed=1))


def test_the_interval_holds_the_score_and_the_same_seed_gives_the_same_one() -> None:
    truth = plant(units=80)
    one, again = (scores(truth.value, truth.variables, seed=3) for _ in range(2))
    assert (one.low <= one.score).all()
    assert (one.score <= one.high).all()
    assert one.low.tolist() == again.low.tolist()


def test_the_interval_holds_the_score_of_the_undisturbed_value_about_nine_times_in_ten() -> None:
    """Noise of a known size is laid on values without any; the interval should find their score again."""
    clean, random = plant(noise=0), np.random.default_rng(5)
    truth = scores(clean.value, clean.variables, seed=1).score
    noisy = clean.value * np.exp(random.normal(0, 0.15, 400))
    found = scores(noisy, clean.variables, seed=1, uncertainty=np.full(400, 0.15))
    assert 0.8 < np.mean((found.low <= truth) & (truth <= found.high)) <= 0.97


def test_a_variable_without_effect_is_dropped_and_that_is_told() -> None:
    truth = plant()
    chance = HowVariable("moon", np.random.default_rng(1).normal(0, 1, 400))
    found = scores(truth.value, [*truth.variables, chance], seed=1)
    assert found.kept == ("density", "hours")
    assert [(at.name, at.reason[:25]) for at in found.dropped] == [("moon", "not significant at 90 %: ")]


@pytest.mark.parametrize(("unknown", "stays"), [(80, True), (81, False)])
def test_a_variable_unknown_for_more_than_a_fifth_is_dropped(unknown: int, *, stays: bool) -> None:
    truth = plant()
    density = truth.density.copy()
    density[:unknown] = np.nan
    found = scores(truth.value, [HowVariable("density", density, Scale.LOG), truth.variables[1]], seed=1)
    assert ("density" in found.kept) is stays
    assert np.isnan(found.score).sum() == (unknown if stays else 0)
    if not stays:
        assert found.dropped[0].reason == "unknown for 20 % of the units"


@pytest.mark.parametrize("of", ["constant", "twice"])
def test_a_variable_that_tells_nothing_of_its_own_is_dropped(of: str) -> None:
    truth = plant()
    other = {"constant": np.full(400, 2500.0), "twice": 2 * truth.variables[1].value}[of]
    found = scores(truth.value, [*truth.variables, HowVariable(of, other)], seed=1)
    assert found.kept == ("density", "hours")
    assert found.dropped[0].reason == "it does not vary, or follows from the other variables"


@pytest.mark.parametrize(("units", "kept"), [(20, 1), (19, 0)])
def test_ten_units_per_coefficient_are_needed(units: int, kept: int) -> None:
    truth = plant(units=units, noise=0)
    exact = np.exp(1 + 0.5 * np.log(truth.density) + 0.01 * truth.efficiency)
    assert len(scores(exact, truth.variables[:1], seed=1).kept) == kept


def test_a_unit_without_a_value_has_no_score() -> None:
    truth = plant(units=50)
    truth.value[:2] = [np.nan, 0.0]
    found = scores(truth.value, truth.variables, seed=1)
    for column in (found.score, found.low, found.high, found.ratio):
        assert np.isnan(column).tolist() == [True, True] + [False] * 48


def test_an_uncertainty_that_is_not_known_is_refused_where_it_would_be_used() -> None:
    truth = plant(units=50)
    uncertainty = np.where(np.arange(50) == 0, np.nan, 0.1)
    with pytest.raises(ValueError, match="finite"):
        scores(truth.value, truth.variables, seed=1, uncertainty=uncertainty)
    truth.value[0] = np.nan
    assert np.isfinite(scores(truth.value, truth.variables, seed=1, uncertainty=uncertainty).high[1:]).all()


@pytest.mark.parametrize("units", [0, 1, 2])
def test_hardly_any_units_are_no_fault(units: int) -> None:
    truth = plant(units=units)
    found = scores(truth.value, truth.variables, seed=1)
    assert (len(found.score), found.kept) == (units, ())
    assert {at.name for at in found.dropped} == {"density", "hours"}


@pytest.mark.parametrize(
    ("freedom", "table", "within"), [(4, 2.1318, 2e-3), (10, 1.8125, 1e-4), (30, 1.6973, 1e-4), (120, 1.6577, 1e-4)]
)
def test_the_limit_of_t_is_that_of_the_tables(freedom: int, table: float, within: float) -> None:
    """Printed tables of Student's t, one-sided 95 %."""
    assert t_limit_90(freedom) == pytest.approx(table, abs=within)


def test_the_t_that_is_told_is_that_of_the_correlation() -> None:
    """t = r sqrt((n - 2) / (1 - r^2)); the limit for 18 degrees of freedom is 1.73 in the tables."""
    truth = plant(units=20)
    moon = np.random.default_rng(8).normal(0, 1, 20)
    r = abs(np.corrcoef(moon, np.log(truth.value))[0, 1])
    found = scores(truth.value, [HowVariable("moon", moon)], seed=1)
    told = f"not significant at 90 %: t = {r * np.sqrt(18 / (1 - r**2)):.2f}, below 1.73"
    assert found.dropped[0].reason == told


def test_without_variables_the_interval_of_the_middle_is_that_of_a_share() -> None:
    """A share of one half among 400 has a standard error of 2.5 %, its 90 % interval a width of 8.2 %."""
    truth = plant()
    found = scores(truth.value, [], seed=1, draws=2000)
    middle = np.abs(found.score - 50) < 5
    assert np.mean((found.high - found.low)[middle]) == pytest.approx(8.2, abs=0.7)


def test_drawing_in_small_blocks_gives_the_interval_of_drawing_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    truth = plant()
    at_once = scores(truth.value, truth.variables, seed=1)
    monkeypatch.setattr("kgce.analytics.leaders.score.BLOCK", 7 * 400)
    in_blocks = scores(truth.value, truth.variables, seed=1)
    assert in_blocks.low == pytest.approx(at_once.low, abs=4)
    assert in_blocks.high == pytest.approx(at_once.high, abs=4)
