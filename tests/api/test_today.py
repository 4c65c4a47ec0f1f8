"""Today of several institutions: amounts add up, coverage is the mean over the meters that are still heard."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from kgce.api.today import Today, day_so_far, today
from kgce.domain.batch import Batch
from kgce.domain.factors import factor_set
from kgce.domain.ports import ReadingStore
from kgce.domain.quantities import Kind
from kgce.domain.tree import Institution, Point
from kgce.store.open import open_registry, open_store
from tests.api.seeded import NOW, ms, series

MIDNIGHT = NOW.replace(hour=0, minute=0)
ALL_DAY, HALF_DAY, RETIRED = series("a"), series("b"), series("a", device="retired")


def _hourly(store: ReadingStore, place, begin: datetime, hours: int) -> None:
    """10 kWh an hour."""
    times = [ms(begin + timedelta(hours=hour)) for hour in range(hours)]
    store.append(Batch.of([place], [0] * hours, times, [10.0 * hour for hour in range(hours)]))


@pytest.fixture
def days(tmp_path: Path):
    """Asks for the day of some institutions: a is heard until noon, b until six, a's other meter ended long ago."""
    with open_store(tmp_path) as store, open_registry(tmp_path) as registry:  # type: ignore[attr-defined]
        registry.save_institutions([Institution("a", "A"), Institution("b", "B"), Institution("c", "C")])
        registry.save_points(Point(place, "electricity", Kind.COUNTER) for place in (ALL_DAY, HALF_DAY, RETIRED))
        _hourly(store, ALL_DAY, MIDNIGHT - timedelta(hours=2), 15)
        _hourly(store, HALF_DAY, MIDNIGHT - timedelta(hours=2), 9)
        _hourly(store, RETIRED, MIDNIGHT - timedelta(days=200), 5)

        def ask(*institutions: str) -> Today:
            chosen = institutions or None
            return today(store, registry, chosen, now_s=NOW.timestamp(), factor_set=factor_set("cn-national"))

        yield ask


def test_a_retired_meter_weighs_nothing_in_the_coverage_of_several(days):
    """120 + 60 kWh; (12 h of 12 + 6 h of 12) / 2 meters, whichever way the same meters are asked for."""
    (several,), (everyone,) = days("a", "b").carriers, days().carriers
    assert (several.amount, several.coverage_ratio) == pytest.approx((180.0, 0.75))
    assert several == everyone


def test_an_institution_without_meters_changes_nothing(days):
    assert days("a", "b", "c").carriers == days("a", "b").carriers
    assert days("c").carriers == ()


def test_just_after_midnight_the_day_is_one_minute_long_not_empty():
    start, end = day_so_far(MIDNIGHT.timestamp() + 5, "Asia/Shanghai")
    assert (start, end - start) == (MIDNIGHT, timedelta(minutes=1))
