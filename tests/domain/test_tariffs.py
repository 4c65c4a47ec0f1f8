"""Tariff files: what they may say, and what is refused before it prices anything."""

from datetime import date

import pytest

from kgce.domain.errors import ConfigError
from kgce.domain.tariffs import parse_tariffs

HEAD = 'id = "t"\ncarrier = "electricity"\nvalid_from = 2024-01-01\nsource = "test"\n'
FLAT = "[[tariff]]\n" + HEAD + "price = 0.6\n"
TIME = (
    "[[tariff]]\n"
    + HEAD
    + """
average = 0.6
time_of_use = [
  { name = "peak", price = 1.0, hours = [["08:00", "12:00"], ["18:00", "22:00"]], days = ["workday"] },
  { name = "flat", price = 0.6, hours = [["12:00", "18:00"], ["22:00", "24:00"]], days = ["workday"] },
  { name = "valley", price = 0.3, hours = [["00:00", "08:00"]], days = ["workday"] },
  { name = "valley", price = 0.3, hours = [["00:00", "24:00"]], days = ["weekend"] },
]
"""
)
TIERS = (
    "[[tariff]]\n"
    + HEAD.replace("electricity", "water")
    + """
tiers = [{ above = 0, price = 4.2 }, { above = 100, price = 5.0 }]
"""
)


def test_a_day_is_cut_into_quarters_of_an_hour() -> None:
    [found] = parse_tariffs(TIME)
    workday, weekend = found.slots[6]
    names = [found.periods[slot].name for slot in workday]
    assert (names[0], names[31], names[32], names[48], names[72], names[95]) == (
        "valley", "valley", "peak", "flat", "peak", "flat",
    )  # fmt: skip
    assert {found.periods[slot].name for slot in weekend} == {"valley"}
    assert (found.average, found.valid_from, found.is_flat) == (0.6, date(2024, 1, 1), False)


@pytest.mark.parametrize(
    ("text", "old", "new", "sentence"),
    [
        (TIME, '["22:00", "24:00"]', '["22:00", "23:45"]', "nothing holds at 23:45 of a workday in month 1"),
        (TIME, '["22:00", "24:00"]', '["21:45", "24:00"]', "two periods hold at 21:45"),
        (TIME, "24:00", "24:15", "is no quarter of an hour"),
        (TIME, "08:00", "08:07", "is no quarter of an hour"),
        (TIME, '"workday"', '"monday"', "write workday or weekend"),
        (TIERS, "above = 100", "above = 0", "tiers ascend"),
        (TIERS, "above = 0,", "above = 5,", "the first begins above 0"),
        (FLAT, "price = 0.6", "price = -0.6", "is no price"),
        (FLAT, "price = 0.6", "price = nan", "is no price"),
        (FLAT, "price = 0.6", "", "needs one of price, time_of_use, tiers; it has none"),
        (FLAT, "price = 0.6", "price = 0.6\ntiers = []", "it has price, tiers"),
        (FLAT, "electricity", "ether", "unknown carrier 'ether'"),
        (FLAT, 'source = "test"', "", "lacks 'source'"),
        (FLAT, 'source = "test"', 'source = "test"\nvalid_to = 2023-01-01', "before it begins"),
        (FLAT, "[[tariff]]", "[[tariffs]]", "no .*tariff.* in this file"),
        (FLAT, 'id = "t"', 'id = "t', "no TOML"),
    ],
)
def test_what_would_price_wrongly_is_refused_with_its_place(text: str, old: str, new: str, sentence: str) -> None:
    assert old in text
    with pytest.raises(ConfigError, match=sentence):
        parse_tariffs(text.replace(old, new))


def test_two_tariffs_never_hold_at_the_same_time() -> None:
    later = FLAT.replace('id = "t"', 'id = "u"').replace("2024-01-01", "2024-07-01")
    with pytest.raises(ConfigError, match="'t' and 'u' of electricity hold at the same time"):
        parse_tariffs(FLAT + later)
    ended = FLAT.replace('source = "test"', 'source = "test"\nvalid_to = 2024-07-01')
    assert [one.id for one in parse_tariffs(ended + later + TIERS.replace('"t"', '"w"'))] == ["t", "u", "w"]
