"""Bills worked out by hand, and money that adds up."""

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgce.analytics.costs import QUARTER_MS, cost_of
from kgce.analytics.grid import Grid, edges_ms
from kgce.domain.tariffs import parse_tariffs
from tests.domain.test_tariffs import FLAT, HEAD, TIERS, TIME

SHANGHAI = "Asia/Shanghai"


def quarters(first: str, last: str, timezone: str = SHANGHAI) -> np.ndarray:
    zone = ZoneInfo(timezone)
    start, end = (round(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp() * 1000) for text in (first, last))
    return np.arange(start, end + 1, QUARTER_MS, dtype=np.int64)


def test_a_working_day_at_1_kw_by_hand() -> None:
    """8 h at 1.0, 8 h at 0.6 and 8 h at 0.3 yuan: 15.2 yuan; a Saturday: 24 h at 0.3, 7.2 yuan."""
    tariff = parse_tariffs(TIME)
    monday, saturday = quarters("2024-07-01", "2024-07-02"), quarters("2024-07-06", "2024-07-07")
    found = cost_of(np.full(96, 0.25), monday, tariff, SHANGHAI)
    assert found.total.sum() == pytest.approx(15.2)
    assert {name: values.sum() for name, values in found.parts.items()} == pytest.approx(
        {"peak": 8.0, "flat": 4.8, "valley": 2.4}
    )
    assert cost_of(np.full(96, 0.25), saturday, tariff, SHANGHAI).total.sum() == pytest.approx(7.2)


def test_tiers_are_crossed_inside_an_amount_and_begin_anew_each_year() -> None:
    """60 + 60 m3: 100 at 4.2 and 20 at 5.0; the next year begins below again."""
    tariff = parse_tariffs(TIERS)
    edges = edges_ms(*quarters("2024-11-01", "2025-02-01")[[0, -1]].tolist(), Grid.MONTH, SHANGHAI)
    found = cost_of(np.array([60.0, 60.0, 60.0]), edges, tariff, SHANGHAI)
    assert found.total.tolist() == pytest.approx([60 * 4.2, 40 * 4.2 + 20 * 5.0, 60 * 4.2])
    late = cost_of(np.array([60.0, 60.0, 60.0]), edges, tariff, SHANGHAI, used_before=90.0)
    assert late.total.tolist() == pytest.approx([10 * 4.2 + 50 * 5.0, 60 * 5.0, 60 * 4.2])


def test_demand_is_charged_once_a_month_on_its_highest_quarter_of_an_hour() -> None:
    """A peak of 30 kWh in a quarter of an hour is 120 kW, at 38 yuan/kW 4560 yuan."""
    tariff = parse_tariffs(FLAT.replace("price = 0.6", "price = 0.6\ndemand_price = 38"))
    edges = quarters("2024-07-01", "2024-08-01")
    amount = np.full(len(edges) - 1, 5.0)
    amount[1000] = 30.0
    found = cost_of(amount, edges, tariff, SHANGHAI)
    assert found.parts["demand"].sum() == pytest.approx(120 * 38)
    assert np.flatnonzero(found.parts["demand"]).tolist() == [len(amount) - 1]
    assert found.total.sum() == pytest.approx(120 * 38 + 0.6 * amount.sum())
    month = cost_of(np.array([amount.sum()]), edges[[0, -1]], tariff, SHANGHAI)
    assert np.isnan(month.total[0]), "without quarters of an hour nobody knows the demand"


def test_coarse_amounts_cost_the_average_or_are_not_known() -> None:
    edges = quarters("2024-07-01", "2024-08-01")[[0, -1]]
    assert cost_of(np.array([100.0]), edges, parse_tariffs(TIME), SHANGHAI).total.tolist() == pytest.approx([60.0])
    without = parse_tariffs(TIME.replace("average = 0.6\n", ""))
    assert np.isnan(cost_of(np.array([100.0]), edges, without, SHANGHAI).total).all()


def test_what_is_not_known_or_has_no_tariff_costs_nobody_knows_what() -> None:
    edges = quarters("2023-12-31", "2024-01-02")
    amount = np.full(192, 1.0)
    amount[100] = np.nan
    found = cost_of(amount, edges, parse_tariffs(FLAT), SHANGHAI)
    assert np.isnan(found.total[:96]).all(), "the tariff holds from 2024 on"
    assert np.flatnonzero(np.isnan(found.total[96:])).tolist() == [4]


@pytest.mark.parametrize(("day", "hours", "valley"), [("2024-03-31", 23, 23), ("2024-10-27", 25, 25)])
def test_the_hour_that_the_clock_shows_twice_is_priced_twice(day: str, hours: int, valley: float) -> None:
    """Sundays in London: the weekend's price all day, once for each hour that there is."""
    following = str(np.datetime64(day) + 1)
    edges = quarters(day, following, "Europe/London")
    assert len(edges) - 1 == 4 * hours
    found = cost_of(np.full(len(edges) - 1, 0.25), edges, parse_tariffs(TIME), "Europe/London")
    assert found.total.sum() == pytest.approx(0.3 * valley)


@given(
    st.lists(st.floats(0, 50), min_size=96 * 3, max_size=96 * 3),
    st.integers(1, 96 * 3 - 1),
    st.sampled_from([FLAT, TIME, TIERS.replace("water", "electricity")]),
)
def test_the_cost_of_two_parts_is_the_cost_of_the_whole(amounts: list[float], cut: int, text: str) -> None:
    edges, amount, tariff = quarters("2024-07-05", "2024-07-08"), np.array(amounts), parse_tariffs(text)
    whole = cost_of(amount, edges, tariff, SHANGHAI).total.sum()
    first = cost_of(amount[:cut], edges[: cut + 1], tariff, SHANGHAI).total.sum()
    rest = cost_of(amount[cut:], edges[cut:], tariff, SHANGHAI, used_before=float(amount[:cut].sum())).total.sum()
    assert first + rest == pytest.approx(whole, rel=1e-9, abs=1e-9)


def test_a_new_price_holds_from_its_day_on() -> None:
    ended = FLAT.replace('source = "test"', 'source = "test"\nvalid_to = 2024-07-02')
    later = "[[tariff]]\n" + HEAD.replace('"t"', '"u"').replace("2024-01-01", "2024-07-02") + "price = 0.8\n"
    edges = quarters("2024-07-01", "2024-07-03")
    found = cost_of(np.full(192, 1.0), edges, parse_tariffs(ended + later), SHANGHAI)
    assert found.total.sum() == pytest.approx(96 * 0.6 + 96 * 0.8)
