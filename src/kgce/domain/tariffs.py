"""Tariffs: what a carrier costs from when on: flat, by time of use, in tiers, and for the highest demand of a month."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any, Final, Protocol

from kgce.domain.carriers import CARRIERS
from kgce.domain.errors import ConfigError

SLOTS: Final = 96  # quarters of an hour of a day
DAY_KINDS: Final = ("workday", "weekend")
_PER_HOUR: Final = 4


@dataclass(frozen=True, slots=True)
class Period:
    """A named part of the day with its price. [yuan per the carrier's unit]."""

    name: str
    price: float


@dataclass(frozen=True, slots=True)
class Tier:
    """A price for what is used beyond `above` in a calendar year. [carrier's unit], [yuan per unit]."""

    above: float
    price: float


@dataclass(frozen=True, slots=True, eq=False)
class Tariff:
    """One carrier's prices in [valid_from, valid_to).

    periods: parts of the day; slots: (12, 2, 96) which period holds in each quarter of an hour of local time, by month
    and kind of day (workday, weekend); tiers: ascending, the first above 0; one of periods and tiers is empty;
    demand_price: yuan per kW of the month's highest quarter of an hour; average: price for amounts that are coarser
    than the periods, None = their cost is not known.
    """

    id: str
    carrier: str
    valid_from: date
    valid_to: date | None
    periods: Sequence[Period]
    slots: Sequence[Sequence[Sequence[int]]]
    tiers: Sequence[Tier]
    demand_price: float
    average: float | None
    source: str

    @property
    def is_flat(self) -> bool:
        """Whether one price holds at all times and for all amounts."""
        return len(self.periods) == 1


def parse_tariffs(text: str) -> list[Tariff]:
    """Tariffs of a TOML text.

    Raises:
        ConfigError: with the tariff and what is wrong with it.
    """
    try:
        entries = tomllib.loads(text).get("tariff", [])
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"this is no TOML: {error}") from None
    if not entries:
        raise ConfigError("there is no [[tariff]] in this file")
    found = [_tariff(entry) for entry in entries]
    for one in found:
        for other in found:
            if one is not other and one.carrier == other.carrier and _overlap(one, other):
                raise ConfigError(f"tariffs {one.id!r} and {other.id!r} of {one.carrier} hold at the same time")
    return found


def _overlap(one: Tariff, other: Tariff) -> bool:
    return one.valid_from < (other.valid_to or date.max) and other.valid_from < (one.valid_to or date.max)


def _tariff(entry: Mapping[str, Any]) -> Tariff:
    name = str(entry.get("id", "?"))
    try:
        carrier, valid_from, source = entry["carrier"], entry["valid_from"], entry["source"]
    except KeyError as missing:
        raise ConfigError(f"tariff {name!r} lacks {missing}") from None
    if carrier not in CARRIERS:
        raise ConfigError(f"tariff {name!r} names unknown carrier {carrier!r}")
    ways = [way for way in ("price", "time_of_use", "tiers") if way in entry]
    if len(ways) != 1:
        raise ConfigError(f"tariff {name!r} needs one of price, time_of_use, tiers; it has {', '.join(ways) or 'none'}")
    periods, slots, tiers = _prices(name, entry, ways[0])
    valid_to = entry.get("valid_to")
    if valid_to is not None and valid_to <= valid_from:
        raise ConfigError(f"tariff {name!r} ends on {valid_to}, before it begins on {valid_from}")
    return Tariff(
        name, carrier, valid_from, valid_to, periods, slots, tiers, _positive(name, entry.get("demand_price", 0.0)),
        None if "average" not in entry else _positive(name, entry["average"]), str(source),
    )  # fmt: skip


_Prices = tuple[list[Period], list[list[list[int]]], list[Tier]]


def _prices(name: str, entry: Mapping[str, Any], way: str) -> _Prices:
    everywhere = [[[0] * SLOTS for _ in DAY_KINDS] for _ in range(12)]
    if way == "price":
        return [Period("flat", _positive(name, entry["price"]))], everywhere, []
    if way == "tiers":
        tiers = [Tier(_positive(name, row["above"]), _positive(name, row["price"])) for row in entry["tiers"]]
        if not tiers or tiers[0].above != 0 or any(a.above >= b.above for a, b in pairwise(tiers)):
            raise ConfigError(f"tariff {name!r}: tiers ascend and the first begins above 0")
        return [], everywhere, tiers
    periods: list[Period] = []
    slots: list[list[list[int | None]]] = [[[None] * SLOTS for _ in DAY_KINDS] for _ in range(12)]
    for row in entry["time_of_use"]:
        periods.append(Period(str(row["name"]), _positive(name, row["price"])))
        _fill(name, row, len(periods) - 1, slots)
    for month, kinds in enumerate(slots, start=1):
        for kind, row in zip(DAY_KINDS, kinds, strict=True):
            if None in row:
                at = row.index(None)
                raise ConfigError(
                    f"tariff {name!r}: nothing holds at {at // 4:02d}:{at % 4 * 15:02d} of a {kind} in month {month}"
                )
    return periods, [[[int(slot or 0) for slot in row] for row in kinds] for kinds in slots], []


def _fill(name: str, row: Mapping[str, Any], place: int, slots: list[list[list[int | None]]]) -> None:
    kinds = row.get("days", list(DAY_KINDS))
    for month in row.get("months", range(1, 13)):
        for kind in kinds:
            if kind not in DAY_KINDS or not 1 <= month <= 12:  # noqa: PLR2004 - months
                raise ConfigError(f"tariff {name!r}: no {kind!r} in month {month}: write workday or weekend, 1 to 12")
            day = slots[month - 1][DAY_KINDS.index(kind)]
            for begin, end in row["hours"]:
                for slot in range(_slot(name, begin), _slot(name, end)):
                    if day[slot] is not None:
                        raise ConfigError(f"tariff {name!r}: two periods hold at {slot // 4:02d}:{slot % 4 * 15:02d}")
                    day[slot] = place


def _slot(name: str, clock: str) -> int:
    """Quarter of the day of HH:MM; 24:00 is its end."""
    hour, _, minute = str(clock).partition(":")
    if not (
        hour.isdigit() and minute in {"00", "15", "30", "45"} and int(hour) * _PER_HOUR + int(minute) // 15 <= SLOTS
    ):
        raise ConfigError(f"tariff {name!r}: {clock!r} is no quarter of an hour between 00:00 and 24:00")
    return int(hour) * _PER_HOUR + int(minute) // 15


def _positive(name: str, value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not value >= 0:
        raise ConfigError(f"tariff {name!r}: {value!r} is no price or amount of 0 or more")
    return float(value)


class TariffRegistry(Protocol):
    """Home of tariffs: a text for each region or institution."""

    def save_tariffs(self, subject: str, text: str) -> list[Tariff]:
        """Replace what holds for `region:CODE`, `institution:ID` or `everywhere`.

        Raises:
            ConfigError: the text is no tariffs.
        """
        ...

    def tariffs(self, *, institution: str, region: str) -> list[Tariff]:
        """What holds for an institution: its own, else those of the smallest region, else everybody's."""
        ...
