"""What the page shows, read without a browser: words, digits, bars, and text that may not become markup."""

import string

import pytest

from kgce.analytics.figures import CarrierAmount, RankRow
from kgce.api.console import ranking_view, words
from kgce.api.console.gateway_panel import books
from kgce.api.console.numbers import number, share
from kgce.api.console.words import Language, Words, choose_language
from kgce.api.gateway_view import gateway_view
from kgce.api.today import Today, day_so_far
from tests.api.seeded import NOW

EN, ZH = Words(Language.EN), Words(Language.ZH)


def row(
    rank: int | None, name: str, value: float | None, *, peer_class: str = "school", coverage: float = 1.0
) -> RankRow:
    reason = None if rank else "coverage 0.42 is below 0.90"
    return RankRow(rank, name.lower(), name, peer_class, value, "kgce/m2", "cn-national", coverage, None, reason)


def test_both_languages_fill_the_same_places():
    for word, texts in words._WORDS.items():
        places = [{field for _, field, _, _ in string.Formatter().parse(text) if field} for text in texts]
        assert places[0] == places[1], word


@pytest.mark.parametrize(
    ("asked", "accepted", "expected"),
    [
        pytest.param(None, "", Language.EN, id="nothing said"),
        pytest.param(None, "zh-CN,zh;q=0.9,en;q=0.8", Language.ZH, id="browser prefers Chinese"),
        pytest.param(None, "de-DE,de;q=0.9,zh;q=0.5", Language.ZH, id="first one we speak"),
        pytest.param("en", "zh-CN", Language.EN, id="asked for wins"),
        pytest.param("xx", "zh-CN", Language.ZH, id="unknown wish is ignored"),
    ],
)
def test_language_follows_the_visitor(asked: str | None, accepted: str, expected: Language):
    assert choose_language(asked, accepted) is expected


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "–"), (0.0, "0.000"), (4.4859, "4.486"), (12.345, "12.35"), (123.45, "123.5"), (-12345.6, "-12,346")],
)
def test_numbers_have_the_digits_that_compare(value: float | None, shown: str):
    assert number(value) == shown


@pytest.mark.parametrize(
    ("ratio", "shown"), [(None, "–"), (0.0, "0.0%"), (0.973, "97.3%"), (0.99999, "99.9%"), (1.0, "100%")]
)
def test_a_share_is_never_rounded_up_to_a_whole(ratio: float | None, shown: str):
    assert share(ratio) == shown


@pytest.mark.parametrize(
    ("age_s", "shown"), [(-5, "0 s"), (119, "119 s"), (120, "2 min"), (7200, "2 h"), (200_000, "2 d")]
)
def test_ages_have_their_unit(age_s: float, shown: str):
    assert EN.age(age_s) == shown


def test_reasons_are_said_in_chinese_and_unknown_ones_stay():
    assert ZH.reason("coverage 0.42 is below 0.90") == "覆盖率 0.42 低于 0.90"
    assert ZH.reason("no floor area stated for 2023") == "2023 年未填建筑面积"
    assert ZH.reason("something new") == "something new"


def test_bars_are_the_lowest_ranked_with_value_and_coverage():
    rows = [
        row(1, "A", 2.0),
        row(2, "B", 3.0, coverage=0.95),
        row(1, "C", 1.0, peer_class="office"),
        row(None, "D", 0.1),
    ]
    options = ranking_view.chart_options(rows)
    assert options["yAxis"]["data"] == ["C", "A", "B"]
    assert [bar["value"] for bar in options["series"][0]["data"]] == [1.0, 2.0, 3.0]
    assert options["series"][0]["data"][2]["label"]["formatter"] == "3.000 · 95.0%"


def test_long_names_keep_the_end_that_tells_them_apart():
    rows = [row(1, f"Residence Hall/Dormitory nyc-265821{last}", 1.0) for last in (3, 4)]
    assert ranking_view.chart_options(rows)["yAxis"]["data"] == ["Residence…nyc-2658213", "Residence…nyc-2658214"]


def test_the_usual_class_is_offices_and_else_the_one_with_most_ranked():
    rows = [
        row(1, "A", 1.0, peer_class="clinic"),
        row(1, "B", 1.0),
        row(2, "C", 2.0),
        *[row(None, "D", None, peer_class="hall")] * 5,
    ]
    assert ranking_view.usual_class(rows) == "school"
    assert ranking_view.usual_class([row(None, "D", None)]) is None
    assert ranking_view.usual_class([*rows, row(1, "E", 9.0, peer_class="office")]) == "office"
    assert ranking_view.usual_class([*rows, row(None, "E", None, peer_class="office")]) == "school"


def test_an_unranked_row_shows_dashes_and_its_reason():
    (shown,) = ranking_view.table_rows([row(None, "D", None, coverage=0.42)], EN)
    assert (shown["rank"], shown["value"], shown["unit"], shown["low"]) == ("–", "–", "", True)
    assert shown["reason"] == "coverage 0.42 is below 0.90"


def test_books_that_do_not_balance_show_it():
    view = gateway_view({"counters": {"polled": 5, "stored": 4}})
    assert "≠" in books(view, EN)
    assert (view.equation_holds, view.is_well) == (False, False)


def test_weighing_nothing_is_nothing_known():
    start, end = day_so_far(NOW.timestamp(), "Asia/Shanghai")
    water = CarrierAmount("water", 5.0, "m3", None, 1.0)
    assert Today(start, end, 1, (water,)).kgce is None


@pytest.mark.parametrize(
    ("after_midnight_s", "end"),
    [
        pytest.param(0, "00:01", id="midnight"),
        pytest.param(119, "00:01", id="first minute"),
        pytest.param(180, "00:02", id="then settled"),
    ],
)
def test_a_day_so_far_is_never_empty(after_midnight_s: int, end: str):
    midnight = NOW.replace(hour=0, minute=0).timestamp()
    start, until = day_so_far(midnight + after_midnight_s, "Asia/Shanghai")
    assert (f"{start:%H:%M}", f"{until:%H:%M}") == ("00:00", end)
