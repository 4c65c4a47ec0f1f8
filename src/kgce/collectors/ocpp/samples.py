"""MeterValues in, samples out: pure; what is no value of the charger is left out, with a reason.

OCPP 1.6 writes numbers as text and leaves out what has its default; 2.0.1 writes numbers and a unit with a multiplier.
"""

import math
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from typing import Any, Final

from kgce.domain.errors import InputError
from kgce.domain.quantities import quantity_of
from kgce.domain.units import conversion

DEFAULT_MEASURAND: Final = "Energy.Active.Import.Register"
DEFAULT_CONTEXT: Final = "Sample.Periodic"
BEGIN: Final = "Transaction.Begin"
END: Final = "Transaction.End"
LIVE: Final = frozenset({DEFAULT_CONTEXT, "Sample.Clock", "Trigger", "Other"})
OUTSIDE: Final = "Outlet"  # the default place: where the car is plugged in
_PLACES: Final = {OUTSIDE: "", "Inlet": "inlet", "Body": "body", "Cable": "cable", "EV": ""}
_PHASES: Final = {
    "": "", "L1": "l1", "L2": "l2", "L3": "l3", "N": "n", "L1-N": "l1_n", "L2-N": "l2_n", "L3-N": "l3_n",
    "L1-L2": "l1_l2", "L2-L3": "l2_l3", "L3-L1": "l3_l1",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sample:
    """One value, in the canonical unit of its quantity; NaN where the charger sent no number."""

    quantity: str
    value: float
    time_ms: int
    context: str
    stated_unit: str  # as the charger said it, "" for the default

    @property
    def is_live(self) -> bool:
        """Whether it may be shown as the present value: not the frame of a transaction."""
        return self.context in LIVE


@dataclass(slots=True)
class Samples:
    """What a message gave, and why the rest gave nothing."""

    found: list[Sample] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def of_context(self, context: str, quantity: str) -> Sample | None:
        """The first value of a quantity in a context."""
        return next((one for one in self.found if (one.context, one.quantity) == (context, quantity)), None)


def samples_of(meter_values: Iterable[Mapping[str, Any]]) -> Samples:
    """Every value in a list of MeterValue (either version's JSON, keys in camel or snake case)."""
    found = Samples()
    for entry in meter_values:
        try:
            time_ms = instant_ms(entry.get("timestamp"))
        except InputError as error:
            found.refused.append(str(error))
            continue
        for sampled in entry.get("sampledValue") or entry.get("sampled_value") or ():
            try:
                found.found.append(_sample(sampled, time_ms))
            except InputError as error:
                found.refused.append(str(error))
    return found


def instant_ms(text: Any) -> int:
    """UTC milliseconds of an OCPP time; one without offset is UTC, as the specification says.

    Raises:
        InputError: it is no time.
    """
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        raise InputError(f"time {text!r} is none") from None
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def _sample(sampled: Mapping[str, Any], time_ms: int) -> Sample:
    measurand = str(sampled.get("measurand", DEFAULT_MEASURAND))
    rule = _tables()["measurand"].get(measurand)
    if rule is None:
        raise InputError(f"measurand {measurand} is not used")
    if sampled.get("format") == "SignedData":
        raise InputError("signed data is no number")
    unit, multiplier, stated = _unit(sampled, rule["unit"])
    name = _name(rule["quantity"], str(sampled.get("location", OUTSIDE)), str(sampled.get("phase", "")))
    scale, offset = conversion(unit, quantity_of(name).unit)
    value = _number(sampled.get("value")) * multiplier * scale + offset
    return Sample(name, value, time_ms, str(sampled.get("context", DEFAULT_CONTEXT)), stated)


def _unit(sampled: Mapping[str, Any], usual: str) -> tuple[str, float, str]:
    """(our unit, factor, as it was said)."""
    given = sampled.get("unitOfMeasure") or sampled.get("unit_of_measure") or {}
    stated = str(given.get("unit", sampled.get("unit", "")) or "")
    power = given.get("multiplier", 0) or 0
    if not isinstance(power, int) or abs(power) > 9:  # noqa: PLR2004 - 10^9 is a terawatt in kW; more is nonsense
        raise InputError(f"multiplier {power!r} is no power of ten")
    unit = _tables()["unit"].get(stated) if stated else usual
    if unit is None:
        raise InputError(f"unit {stated!r} is not known")
    return unit, 10.0**power, stated


def _name(quantity: str, place: str, phase: str) -> str:
    if place not in _PLACES or phase not in _PHASES:
        raise InputError(f"location {place!r} or phase {phase!r} is not known")
    return "_".join(part for part in (quantity, _PHASES[phase], _PLACES[place]) if part)


def _number(value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return math.nan
    return number if math.isfinite(number) else math.nan


@cache
def _tables() -> dict[str, Any]:
    text = resources.files("kgce.collectors.ocpp").joinpath("measurands.toml").read_text("utf-8")
    return tomllib.loads(text)
