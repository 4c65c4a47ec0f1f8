"""Totals up to the province with their coverage, and main meters held against those behind them."""

import numpy as np
import pytest

from kgce.analytics.balance import balance_findings
from kgce.analytics.book import Book
from kgce.analytics.regions import CITY, COUNTY, PROVINCE, region_tables, totals_of
from kgce.domain.errors import InputError
from kgce.domain.factors import factor_set
from kgce.domain.roles import Role
from kgce.domain.tree import Institution
from tests.analytics.province import NATIONAL, Province
from tests.analytics.test_accounts import behind, monthly

E = "electricity"


@pytest.fixture
def at() -> Province:
    """Two counties of one city, one of another; b is silent from July, the school abroad has no such code."""
    province = Province()
    for name, region in (("a", "370102"), ("b", "370102"), ("c", "370103"), ("d", "370202"), ("x", "GBCBG")):
        province.institution(name)
        province.registry.save_institutions([Institution(name, name, region)])
    for name, amount in (("a", 10), ("c", 100), ("d", 1000), ("x", 7)):
        monthly(province, "main", amount, counts=True, institution=name)
    monthly(province, "main", 1, counts=True, institution="b", months=range(1, 7))
    return province


def test_every_level_is_the_sum_of_the_one_below_with_its_coverage(at: Province) -> None:
    accounts = Book(at.store, at.registry).year(2019)
    tables = region_tables(accounts)
    year = {
        digits: dict(zip(table.owners, np.nansum(table.amount[:, 0], axis=1), strict=True))
        for digits, table in tables.items()
    }
    assert year[COUNTY] == pytest.approx({"370102": 126, "370103": 1200, "370202": 12_000, "other": 84})
    assert year[CITY] == pytest.approx({"3701": 1326, "3702": 12_000, "other": 84})
    assert year[PROVINCE] == pytest.approx({"37": 13_326, "other": 84})
    july = tables[PROVINCE].coverage[0, 0, 6] / tables[PROVINCE].expected[0, 0, 6]
    assert july == pytest.approx(3 / 4), "one of four meters is silent: a partial total, no stall and no zero"


def test_a_region_an_institution_and_a_building_are_asked_for_by_name(at: Province) -> None:
    accounts = Book(at.store, at.registry).year(2019)
    (row,) = totals_of(accounts, "3701", NATIONAL)
    assert (row.account, row.unit) == ("electricity.total", "kWh")
    assert row.amount == pytest.approx(1326)
    assert row.kgce == pytest.approx(1326 * 0.1229)
    days = 31 + 28 + 31 + 30 + 31 + 30
    assert row.coverage_ratio == pytest.approx((2 + days / 365) / 3)
    assert totals_of(accounts, "b", NATIONAL)[0].months[6:] == (None,) * 6
    assert totals_of(accounts, "a/", factor_set("sd-db37-2019"))[0].kgce == pytest.approx(120 * 0.31)
    with pytest.raises(InputError, match="nothing is called '99'"):
        totals_of(accounts, "99", NATIONAL)


def balanced(main: float, *subs: float, **limits: float) -> list[str]:
    province = Province()
    province.institution("a")
    monthly(province, "main", main, counts=True)
    for number, sub in enumerate(subs):
        monthly(province, f"sub{number}", sub, behind("main"))
    points = sorted(province.registry.points(), key=lambda point: point.series.key)
    book = Book(province.store, province.registry)
    ledger = book.ledger(2019, province.registry.institution("a"))
    found = balance_findings(points, ledger.month, year=2019, **limits)
    assert [finding.id for finding in book.bring_up(2019).findings] == [finding.id for finding in found] or limits
    return [finding.id for finding in found]


@pytest.mark.parametrize(
    ("subs", "expected"),
    [
        ((60.0, 40.0), []),
        ((60.0, 42.0), []),  # 2 % on the limit
        ((60.0, 42.1), ["balance.exceeded"]),
        ((60.0, 25.0), []),  # 15 % on the limit
        ((60.0, 24.9), ["balance.unmetered"]),
    ],
)
def test_sub_meters_are_held_against_their_main_on_both_sides(subs: tuple[float, ...], expected: list[str]) -> None:
    assert balanced(100.0, *subs) == expected


def test_months_in_which_a_sub_meter_is_silent_are_not_held_against_anybody() -> None:
    province = Province()
    province.institution("a")
    monthly(province, "main", 100, counts=True)
    monthly(province, "one", 60, behind("main"))
    monthly(province, "two", 40, behind("main"), months=range(1, 7))
    (point,) = [point for point in province.registry.points() if point.id == "two"]
    assert isinstance(point.role, Role)
    assert Book(province.store, province.registry).bring_up(2019).findings == ()
