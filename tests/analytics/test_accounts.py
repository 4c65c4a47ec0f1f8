"""What is an institution's own: tenants and others' cars taken out, items and uses apart, buildings into regions."""

import numpy as np
import pytest

from kgce.analytics.accounts import Account, Part, bookings, gather
from kgce.analytics.book import Book
from kgce.analytics.booked import YearAccounts
from kgce.domain.metering import VirtualMeter
from kgce.domain.roles import Role, Use
from kgce.domain.tree import Institution, Step
from kgce.store.shelf import MemoryShelf
from tests.analytics.province import Province, ms

YEAR = 2019
FIRST, LAST = ms(YEAR, 1, 1), ms(YEAR, 12, 31)
E = "electricity"
FIELD = "active_energy_interval"


def monthly(at: Province, device: str, amount: float, role: Role = Role(), *, counts: bool = False, **where) -> None:  # noqa: B008
    """So much in each month."""
    carrier, institution = where.get("carrier", E), where.get("institution", "a")
    months = where.get("months", range(1, 13))
    at.interval(
        institution, device, carrier, Step.MONTH, {ms(YEAR, month, 1): amount for month in months}, counts=counts
    )
    point = next(point for point in at.registry.points(institution) if point.id == device)
    at.registry.save_roles({point.series.key: role})


def behind(device: str, **fields) -> Role:
    return Role(parent=f"{device}.active_energy_import_interval", **fields)


def of(found: YearAccounts, account: str, row: int = 0) -> list[float]:
    place = [str(one) for one in found.table.accounts].index(account)
    return found.table.amount[row, place].tolist()


@pytest.fixture
def at() -> Province:
    province = Province()
    province.institution("a")
    return province


def year(at: Province) -> YearAccounts:
    return Book(at.store, at.registry).year(YEAR)


def test_tenants_and_others_cars_are_taken_out_of_every_meter_they_hang_behind(at) -> None:
    """main 100 > east 60 (item B) > tenant 10; others' chargers 5 behind main. energy_domain.md section 3.1."""
    monthly(at, "main", 100, counts=True)
    monthly(at, "east", 60, behind("main", item="B"))
    monthly(at, "tenant", 10, behind("east", use=Use.TENANT))
    monthly(at, "chargers", 5, behind("main", use=Use.EV_OTHER))
    found = year(at)
    assert of(found, "electricity.total") == pytest.approx([85] * 12)
    assert of(found, "electricity.B") == pytest.approx([50] * 12)
    assert of(found, "electricity.tenant") == pytest.approx([10] * 12)
    assert of(found, "electricity.ev_other") == pytest.approx([5] * 12)


def test_a_tenant_inside_a_tenants_meter_is_taken_out_once(at) -> None:
    monthly(at, "main", 100, counts=True)
    monthly(at, "shops", 30, behind("main", use=Use.TENANT))
    monthly(at, "bakery", 10, behind("shops", use=Use.TENANT))
    assert of(year(at), "electricity.total") == pytest.approx([70] * 12)


def test_a_tenant_with_a_supply_of_its_own_is_not_the_units(at) -> None:
    monthly(at, "main", 100, counts=True)
    monthly(at, "hotel", 40, Role(use=Use.TENANT), counts=True)
    assert of(year(at), "electricity.total") == pytest.approx([100] * 12)


def test_a_month_without_the_tenants_meter_is_unknown_not_too_much(at) -> None:
    monthly(at, "main", 100, counts=True)
    monthly(at, "tenant", 10, behind("main", use=Use.TENANT), months=range(1, 12))
    found = year(at)
    np.testing.assert_allclose(of(found, "electricity.total"), [90] * 11 + [np.nan])
    total = found.table.accounts.index(Account(E, Part.TOTAL))
    assert found.table.coverage[0, total].tolist() == [1] * 11 + [0]


def test_sun_power_is_not_consumption_and_own_cars_are(at) -> None:
    """energy_domain.md section 3.1: S-2671 sections 3.3 and 5.1.4."""
    monthly(at, "main", 100, counts=True)
    monthly(at, "roof", 30, Role(use=Use.PV), counts=True)
    monthly(at, "fleet", 8, behind("main", use=Use.EV_OWN))
    found = year(at)
    assert of(found, "electricity.total") == pytest.approx([100] * 12)
    assert of(found, "electricity.pv") == pytest.approx([30] * 12)
    assert of(found, "electricity.ev_own") == pytest.approx([8] * 12)


def test_an_item_behind_the_same_item_is_counted_once_and_special_systems_stand_apart(at) -> None:
    monthly(at, "main", 100, counts=True)
    monthly(at, "cooling", 40, behind("main", item="B"))
    monthly(at, "chiller", 25, behind("cooling", item="B1A"))
    monthly(at, "room", 20, behind("main", item="D1", use=Use.DATA_CENTRE))
    monthly(at, "racks", 15, behind("room", use=Use.IT))
    found = year(at)
    assert of(found, "electricity.B") == pytest.approx([40] * 12)
    assert of(found, "electricity.special") == of(found, "electricity.data_centre") == pytest.approx([20] * 12)
    assert of(found, "electricity.it") == pytest.approx([15] * 12)


def test_heat_is_heating_unless_its_meter_says_otherwise(at) -> None:
    monthly(at, "station", 50, counts=True, carrier="heat")
    monthly(at, "autoclave", 5, Role(use=Use.SPECIAL), carrier="heat")
    found = year(at)
    assert of(found, "heat.heating") == pytest.approx([50] * 12)
    assert of(found, "heat.special") == pytest.approx([5] * 12)


def test_a_meter_that_was_taken_out_of_service_is_not_waited_for(at) -> None:
    monthly(at, "main", 100, counts=True)
    monthly(at, "old", 10, Role(until_ms=ms(YEAR, 7, 1)), counts=True, months=range(1, 7))
    found = year(at)
    total = found.table.accounts.index(Account(E, Part.TOTAL))
    assert of(found, "electricity.total") == pytest.approx([110] * 6 + [100] * 6)
    assert found.table.expected[0, total].tolist() == [2] * 6 + [1] * 6
    assert found.table.coverage[0, total].tolist() == pytest.approx([2] * 6 + [1] * 6)


def test_a_virtual_meter_is_booked_like_any_other(at) -> None:
    monthly(at, "import", 100)
    monthly(at, "export", 20)
    monthly(at, "roof", 50)
    at.registry.save_virtual_meters([VirtualMeter("a", "own use", E, "'import' + roof - export", counts=True)])
    assert of(year(at), "electricity.total") == pytest.approx([130] * 12)


def test_a_ring_of_meters_behind_each_other_ends(at) -> None:
    monthly(at, "one", 10, behind("two", item="A"))
    monthly(at, "two", 10, behind("one", item="A"))
    assert [str(booking.account) for booking in bookings(at.registry.points())] == []


def test_regions_are_the_sums_of_their_institutions_with_their_coverage(at) -> None:
    at.institution("b")
    monthly(at, "main", 100, counts=True)
    monthly(at, "main", 50, counts=True, institution="b", months=range(1, 7))
    table = year(at).table
    county = gather([table], ["370102"], [[0, 0]])
    assert county.amount[0, 0].tolist() == pytest.approx([150] * 6 + [100] * 6)
    assert (county.coverage / county.expected)[0, 0].tolist() == pytest.approx([1] * 6 + [0.5] * 6)


def test_a_book_with_a_shelf_gives_the_same_as_one_without(at) -> None:
    at.registry.save_institutions([Institution("c", "C", "370102"), Institution("d", "D", "370103", "Europe/London")])
    monthly(at, "main", 100, counts=True)
    monthly(at, "main", 7, counts=True, institution="c")
    monthly(at, "main", 9, counts=True, institution="d")
    shelf = MemoryShelf()
    kept = Book(at.store, at.registry, shelf)
    assert kept.bring_up(YEAR).work.worked_out == 3 * 12
    assert kept.bring_up(YEAR).work.worked_out == 0
    for only in (None, "c"):
        mine, fresh = kept.year(YEAR, only), Book(at.store, at.registry).year(YEAR, only)
        assert mine.institutions == fresh.institutions
        assert mine.table.amount.tobytes() == fresh.table.amount.tobytes()
        assert mine.buildings.amount.tobytes() == fresh.buildings.amount.tobytes()
