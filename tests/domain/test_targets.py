"""Targets: what holds for whom, what is due when, how a drop is shared out."""

import pytest

from kgce.domain.errors import InputError
from kgce.domain.targets import PROVINCE_PLAN, ReductionPath, Target, TargetBook, book_of, cascade

ENERGY = "energy_per_area"


def target(subject: str, drop: float = 0.1, path: ReductionPath = ReductionPath.STRAIGHT) -> Target:
    return Target(subject, ENERGY, 2015, 2020, drop, path)


@pytest.mark.parametrize(
    ("path", "year", "share"),
    [
        ("straight", 2015, 1.0), ("straight", 2018, 0.94), ("straight", 2020, 0.9), ("straight", 2025, 0.9),
        ("compound", 2015, 1.0), ("compound", 2018, 0.9**0.6), ("compound", 2020, 0.9), ("straight", 2010, 1.0),
    ],
)  # fmt: skip
def test_both_paths_begin_at_the_baseline_and_end_at_the_target(path: str, year: int, share: float) -> None:
    assert target("everywhere", path=ReductionPath(path)).share(year) == pytest.approx(share, abs=1e-12)


def test_the_nearest_target_holds() -> None:
    book = TargetBook(
        [
            target("everywhere", 0.1),
            target("region:37", 0.11),
            target("region:3701", 0.12),
            target("institution:a", 0.2),
        ]
    )
    for institution, region, drop in (
        ("a", "370102", 0.2), ("b", "370102", 0.12), ("b", "370200", 0.11), ("b", "110000", 0.1), ("b", "", 0.1),
    ):  # fmt: skip
        found = book.of(ENERGY, institution=institution, region=region)
        assert found is not None
        assert found.drop == drop
    assert book.of("eue", institution="a") is None


def test_without_any_the_provinces_plan_holds_and_with_one_only_that() -> None:
    """energy_domain.md section 0: -11, -10 and -15 % from 2015 to 2020."""
    assert [(one.indicator, one.drop) for one in book_of([]).all()] == [
        ("energy_per_area", 0.10), ("energy_per_capita", 0.11), ("water_per_capita", 0.15),
    ]  # fmt: skip
    assert book_of([target("region:37")]).of(ENERGY, region="11") is None
    assert len(PROVINCE_PLAN) == 3


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"subject": "3701"}, "write region:CODE, institution:ID or everywhere"),
        ({"subject": "region:"}, "is no subject"),
        ({"target_year": 2015}, "must come after the baseline year 2015"),
        ({"drop": 11.0}, "11 % is 0.11"),
        ({"drop": 0.0}, "between 0 and 1"),
        ({"drop": float("nan")}, "between 0 and 1"),
    ],
)
def test_what_is_no_target_is_refused(wrong: dict, sentence: str) -> None:
    stated = {"subject": "region:37", "indicator": ENERGY, "baseline_year": 2015, "target_year": 2020, "drop": 0.1}
    with pytest.raises(InputError, match=sentence):
        Target(**{**stated, **wrong})


def test_two_targets_for_one_subject_are_refused() -> None:
    with pytest.raises(InputError, match="two targets of energy_per_area are set for region:37"):
        TargetBook([target("region:37"), target("region:37", 0.2)])


@pytest.mark.parametrize("efforts", [[1.0, 1.0, 1.0], [1.2, 1.0, 0.5]])
def test_the_parts_drops_make_the_drop_of_the_whole(efforts: list[float]) -> None:
    weights = [500.0, 300.0, 200.0]
    drops = cascade(0.1, weights, efforts)
    assert sum(w * d for w, d in zip(weights, drops, strict=True)) / sum(weights) == pytest.approx(0.1)
    assert drops[0] / drops[2] == pytest.approx(efforts[0] / efforts[2])


@pytest.mark.parametrize(
    ("weights", "efforts", "sentence"),
    [
        ([], [], "shared out over parts"),
        ([0.0], [1.0], "shared out"),
        ([1.0, 99.0], [100.0, 0.01], "use nothing at all"),
    ],
)
def test_what_cannot_be_shared_out_is_refused(weights, efforts, sentence) -> None:
    with pytest.raises(InputError, match=sentence):
        cascade(0.5, weights, efforts)
