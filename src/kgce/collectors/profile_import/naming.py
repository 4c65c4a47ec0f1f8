"""What a register list calls a value, as a field of our catalogue; an unknown name keeps its words, never gets lost."""

from dataclasses import dataclass
from typing import Final

from kgce.collectors.profile_import.dimensions import quantity_by_dimension
from kgce.collectors.profile_import.given import Given
from kgce.domain.errors import InputError
from kgce.domain.quantities import QUANTITIES, Quantity, quantity_of
from kgce.domain.units import UNITS

_FILLER: Final = frozenset({"the", "of", "and", "as", "value", "reading", "measured", "actual", "register"})


@dataclass(frozen=True, slots=True)
class Named:
    """A field with its quantity; `unit` where the name implies another one than stated."""

    field: str
    quantity: Quantity
    unit: str | None = None
    assumed: tuple[str, ...] = ()


def named(given: Given, fallback: str) -> Named:
    """The field for a row; `fallback` names what has no words of its own."""
    direct = _direct(given)
    if direct is not None:
        return direct
    quantity, used = quantity_by_dimension(given)
    unit = None
    if quantity in {"temperature_difference", "power_factor"}:
        unit = {"temperature_difference": "ΔK", "power_factor": "percent" if given.dimension == "ratio" else ""}[
            quantity
        ]
    is_event = QUANTITIES[quantity].kind == "state" and given.dimension == "duration"
    rest = [word for word in given.words if word not in used and word not in _FILLER]
    found = _joined(quantity, rest or ([fallback] if quantity.startswith("other_") else []))
    assumed = (f"no known quantity, kept as {found}",) if quantity.startswith("other_") else ()
    return Named(found, quantity_of(found), "" if is_event else unit, assumed)


def _direct(given: Given) -> Named | None:
    """A name of the catalogue already, with a unit that measures it, or without any."""
    stem = "_".join(given.words)
    try:
        quantity = quantity_of(stem)
    except InputError:
        return None
    dimension = UNITS[quantity.unit].dimension
    if given.is_text and quantity.kind != "state":
        return None
    if quantity.name == "active_energy_total" and given.kind == "ev_charger":
        return None  # what a charger counts is what it took in
    if dimension == (given.dimension or "one") and quantity.kind != "interval":
        return Named(stem, quantity)
    if not given.dimension and quantity.kind != "interval":
        return Named(stem, quantity, quantity.unit, (f"no unit stated, {quantity.unit} assumed",))
    return None


def _joined(quantity: str, rest: list[str]) -> str:
    """quantity_rest, as long as the rest does not turn it into another quantity."""
    name = "_".join([quantity, *rest])
    return name if quantity_of(name) == QUANTITIES[quantity] else "_".join([quantity, "value", *rest, "x"])
