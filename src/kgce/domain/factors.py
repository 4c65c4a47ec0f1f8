"""Factor sets: how much standard coal one unit of a carrier stands for, by whom, since when."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any, Final, Protocol

from kgce.domain.carriers import CARRIERS
from kgce.domain.errors import ConfigError, InputError
from kgce.domain.units import conversion

DEFAULT_FACTOR_SET: Final = "cn-national"


@dataclass(frozen=True, slots=True)
class Factor:
    """kgce per `unit` of a carrier, as its source states it."""

    carrier: str
    value: float
    unit: str
    source: str
    confidence: str

    def per(self, unit: str) -> float:
        """kgce per this unit.

        Raises:
            UnknownUnit: it does not measure what the factor's unit does.
        """
        return self.value if unit == self.unit else self.value * conversion(unit, self.unit)[0]

    @property
    def per_canonical(self) -> float:
        """kgce per canonical unit of the carrier (kWh, m3, kg)."""
        return self.per(CARRIERS[self.carrier].unit)


@dataclass(frozen=True, slots=True)
class FactorSet:
    """One official convention; figures computed with different sets must not be compared."""

    id: str
    name_en: str
    name_zh: str
    basis: str
    source: str
    valid_from: date
    valid_to: date | None
    factors: Mapping[str, Factor]

    def is_retrospective(self, year: int) -> bool:
        """True when the year ended before the set came into force."""
        return date(year, 12, 31) < self.valid_from


def parse_factor_sets(text: str) -> dict[str, FactorSet]:
    """Factor sets from TOML text, by id.

    Raises:
        ConfigError: a set lacks a field, names an unknown carrier or unit, or states a factor that is not positive.
    """
    sets = [_factor_set(entry) for entry in tomllib.loads(text).get("set", [])]
    found = {entry.id: entry for entry in sets}
    if len(found) != len(sets):
        raise ConfigError("two factor sets share one id")
    return found


def _factor_set(entry: Mapping[str, Any]) -> FactorSet:
    try:
        name = entry["id"]
        factors = {carrier: _factor(name, carrier, fields) for carrier, fields in entry["factors"].items()}
        return FactorSet(
            id=name,
            name_en=entry["name_en"],
            name_zh=entry["name_zh"],
            basis=entry["basis"],
            source=entry["source"],
            valid_from=entry["valid_from"],
            valid_to=entry.get("valid_to"),
            factors=MappingProxyType(factors),
        )
    except KeyError as missing:
        raise ConfigError(f"factor set {entry.get('id', '?')!r} lacks {missing}") from None


def _factor(set_id: str, carrier: str, fields: Mapping[str, Any]) -> Factor:
    if carrier not in CARRIERS:
        raise ConfigError(f"factor set {set_id!r} names unknown carrier {carrier!r}")
    factor = Factor(carrier, float(fields["value"]), fields["unit"], fields["source"], fields["confidence"])
    if not factor.value > 0:
        raise ConfigError(f"factor set {set_id!r}: factor of {carrier} must be positive, is {factor.value}")
    conversion(CARRIERS[carrier].unit, factor.unit)
    return factor


@cache
def factor_sets() -> Mapping[str, FactorSet]:
    """The sets shipped with kgce, by id."""
    text = resources.files("kgce.domain").joinpath("data/factor_sets.toml").read_text(encoding="utf-8")
    return MappingProxyType(parse_factor_sets(text))


class FactorRegistry(Protocol):
    """Home of imported factor sets."""

    def factor_sets(self) -> Mapping[str, FactorSet]:
        """Imported sets, by id."""
        ...

    def save_factor_sets(self, text: str, *, imported_ms: int) -> list[FactorSet]:
        """Keep the sets of a TOML text; one that is kept already is left as it is.

        Raises:
            ConfigError: the text is no factor set.
            InputError: another set has this id: a set that was used never changes.
        """
        ...


def chosen_set(registry: FactorRegistry, set_id: str) -> FactorSet:
    """A shipped or an imported set.

    Raises:
        ConfigError: no such set.
    """
    known = {**registry.factor_sets(), **factor_sets()}
    if set_id not in known:
        raise ConfigError(f"unknown factor set {set_id!r}; known: {', '.join(sorted(known))}")
    return known[set_id]


def require_same_set(one: str | None, other: str | None, what: str) -> None:
    """Refuse to compare figures of different factor sets; None = no factor was used, as for water.

    Raises:
        InputError: with both names and why.
    """
    if one != other:
        names = " and ".join(name or "no factors" for name in (one, other))
        raise InputError(
            f"{what}: the figures were made with {names}; electricity alone differs by 2.5 between national and "
            "Shandong's factors, so figures of different sets are never compared"
        )


def factor_set(set_id: str) -> FactorSet:
    """One shipped set.

    Raises:
        ConfigError: no such set.
    """
    found = factor_sets().get(set_id)
    if found is None:
        raise ConfigError(f"unknown factor set {set_id!r}; known: {', '.join(factor_sets())}")
    return found
