"""What a data identifier means: the table in identifiers.toml, its tariffs and blocks written out."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any, Final

from kgce.collectors.dlt645.bcd import number
from kgce.domain.errors import InputError
from kgce.domain.quantities import quantity_of
from kgce.domain.units import conversion


class Edition(StrEnum):
    """Which DL/T 645 a meter speaks."""

    Y2007 = "2007"
    Y1997 = "1997"

    @property
    def read(self) -> int:
        """Control code of "read data"."""
        return 0x11 if self is Edition.Y2007 else 0x01

    @property
    def read_more(self) -> int:
        """Control code of "read the data that follows"."""
        return 0x12 if self is Edition.Y2007 else 0x02

    @property
    def di_bytes(self) -> int:
        """Length of an identifier."""
        return 4 if self is Edition.Y2007 else 2

    @property
    def probe_di(self) -> str:
        """What every meter of this edition can answer: its total forward active energy."""
        return "00010000" if self is Edition.Y2007 else "9010"


@dataclass(frozen=True, slots=True)
class Identifier:
    """One value: where it is, what it is, how it is written."""

    edition: Edition
    di: str  # high first, upper case
    name: str  # field name, see domain/quantities.py
    title: str
    size: int  # bytes
    decimals: int
    unit: str
    is_signed: bool
    confidence: str

    def value(self, raw: bytes) -> float:
        """The value in `unit`; NaN when it is no number."""
        return number(raw, self.decimals, is_signed=self.is_signed)

    def canonical(self, raw: bytes) -> float:
        """The value in the unit of its quantity."""
        scale, offset = conversion(self.unit, quantity_of(self.name).unit)
        return self.value(raw) * scale + offset


@dataclass(frozen=True, slots=True)
class Block:
    """Several values in one answer."""

    edition: Edition
    di: str
    title: str
    members: tuple[Identifier, ...]
    is_open: bool  # a meter may have fewer of the members than the standard: tariffs

    def split(self, payload: bytes) -> list[tuple[Identifier, bytes]]:
        """Each member with its bytes.

        Raises:
            InputError: the length fits no number of whole members.
        """
        size = self.members[0].size
        count, rest = divmod(len(payload), size)
        if rest or not 0 < count <= len(self.members) or (count < len(self.members) and not self.is_open):
            raise InputError(f"{self.di} has {len(payload)} bytes, which is not {len(self.members)} times {size}")
        return [(self.members[row], payload[row * size : (row + 1) * size]) for row in range(count)]


Meaning = Identifier | Block


def meaning_of(edition: Edition, di: str) -> Meaning | None:
    """What this identifier stands for; None when the table does not know it."""
    return _table().get((edition, di.upper()))


def identifier_of(edition: Edition, name: str) -> Identifier | None:
    """The identifier behind a field name; None when meters of this edition have none."""
    return _by_name().get((edition, name))


def names() -> frozenset[str]:
    """Every field name some edition has."""
    return frozenset(name for _, name in _by_name())


def blocks(edition: Edition) -> list[Block]:
    """The blocks of this edition."""
    return [found for found in _table().values() if isinstance(found, Block) and found.edition is edition]


def split(edition: Edition, di: str, payload: bytes) -> list[tuple[Identifier, bytes]]:
    """Each value of an answer with its bytes.

    Raises:
        InputError: an unknown identifier, or a length that does not fit it.
    """
    meaning = meaning_of(edition, di)
    if meaning is None:
        raise InputError(f"identifier {di} of DL/T 645-{edition} is not known: add it to identifiers.toml")
    if isinstance(meaning, Block):
        return meaning.split(payload)
    if len(payload) != meaning.size:
        raise InputError(f"{di} has {len(payload)} bytes instead of {meaning.size}")
    return [(meaning, payload)]


_TARIFF_PLACE: Final = {Edition.Y2007: (4, 6), Edition.Y1997: (3, 4)}  # hexadecimal digits of the identifier


@cache
def _table() -> Mapping[tuple[Edition, str], Meaning]:
    raw = tomllib.loads((files(__package__) / "identifiers.toml").read_text(encoding="utf-8"))
    singles = {(one.edition, one.di): one for entry in raw["identifier"] for one in _identifiers(entry)}
    return singles | {(one.edition, one.di): one for one in (_block(entry, singles) for entry in raw["block"])}


@cache
def _by_name() -> Mapping[tuple[Edition, str], Identifier]:
    return {(one.edition, one.name): one for one in _table().values() if isinstance(one, Identifier)}


def _identifiers(entry: Mapping[str, Any]) -> Iterator[Identifier]:
    edition = Edition(entry["edition"])
    for di, name, title in zip(*(_listed(entry[key]) for key in ("di", "name", "title")), strict=True):
        for number_of_tariff in range(entry.get("tariffs", 0) + 1):
            suffix = (f"_tariff_{number_of_tariff}", f", tariff {number_of_tariff}") if number_of_tariff else ("", "")
            yield Identifier(
                edition=edition,
                di=_with_tariff(edition, di, number_of_tariff),
                name=name + suffix[0],
                title=title + suffix[1],
                size=entry["bytes"],
                decimals=entry["decimals"],
                unit=entry["unit"],
                is_signed=entry.get("is_signed", False),
                confidence=entry["confidence"],
            )


def _block(entry: Mapping[str, Any], singles: Mapping[tuple[Edition, str], Identifier]) -> Block:
    edition = Edition(entry["edition"])
    if "of" in entry:
        members = tuple(singles[edition, di] for di in entry["of"])
    else:
        wanted = (_with_tariff(edition, entry["tariffs_of"], row) for row in range(64))
        members = tuple(singles[edition, di] for di in wanted if (edition, di) in singles)
    return Block(edition, entry["di"], entry["title"], members, is_open="tariffs_of" in entry)


def _with_tariff(edition: Edition, di: str, tariff: int) -> str:
    start, end = _TARIFF_PLACE[edition]
    return di if tariff == 0 else f"{di[:start]}{tariff:0{end - start}X}{di[end:]}"


def _listed(entry: str | list[str]) -> list[str]:
    return [entry] if isinstance(entry, str) else entry
