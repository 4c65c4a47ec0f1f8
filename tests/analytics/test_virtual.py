"""Virtual meters add and subtract points; their text is read, never run."""

import numpy as np
import pytest

from kgce.analytics.ledger.amounts import Amounts, Provenance
from kgce.analytics.ledger.virtual import DEEPEST, LONGEST, combine, parse_expression
from kgce.domain.errors import InputError


@pytest.mark.parametrize(
    ("text", "factors"),
    [
        ("main - tenant", {"main": 1, "tenant": -1}),
        ("0.5 * (a + b) - c / 4", {"a": 0.5, "b": 0.5, "c": -0.25}),
        ("-(a - b) * 2", {"a": -2, "b": 2}),
        ("'wing b' + main.active_energy_import", {"wing b": 1, "main.active_energy_import": 1}),
        ("a + a - 3 * a + 主表", {"a": -1, "主表": 1}),
        ("2 * 3 * a", {"a": 6}),
    ],
)
def test_sums_and_differences_are_read(text: str, factors: dict[str, float]) -> None:
    assert parse_expression(text).factors == factors


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')", "a.b.c", "a[0]", "a * b", "a / b", "a ** 2", "a + 1", "1", "", "a - a",
        "a if b else c", "lambda: a", "a; b", "a = b", "a / 0", "1e999 * a", "True * a", "f'{a}'", "(a for a in b)",
        "(" * 400 + "a" + ")" * 400, "a" * (LONGEST + 1), "-" * (DEEPEST + 2) + "a", "a\x00b", "a + 'b' 'c' +",
    ],
)  # fmt: skip
def test_anything_else_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_expression(text)
    assert "\n" not in str(caught.value).replace(text, "")


def amounts(*values: float, coverage: float = 1.0) -> Amounts:
    amount = np.array(values, float)
    known = np.isfinite(amount)
    return Amounts(
        amount, np.where(known, coverage, 0.0), np.where(known, Provenance.MEASURED, 0).astype(np.uint8),
        np.zeros(len(amount), np.uint8), np.zeros(len(amount)),
    )  # fmt: skip


def test_a_missing_part_of_a_sum_lowers_its_coverage_and_is_no_zero() -> None:
    points = {"a": amounts(10, np.nan, np.nan), "b": amounts(5, 5, np.nan)}
    found = combine(parse_expression("a + b"), points.__getitem__)
    np.testing.assert_array_equal(found.amount, [15, 5, np.nan])
    assert found.coverage.tolist() == [1, 0.5, 0]


def test_what_cannot_be_subtracted_leaves_the_rest_unknown() -> None:
    """The main meter minus an unknown tenant is not the main meter."""
    points = {"main": amounts(100, 100, np.nan), "tenant": amounts(30, np.nan, 30)}
    found = combine(parse_expression("main - tenant"), points.__getitem__)
    np.testing.assert_array_equal(found.amount, [70, np.nan, np.nan])
    assert found.coverage.tolist() == [1, 0, 0]
