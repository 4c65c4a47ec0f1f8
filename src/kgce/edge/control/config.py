"""The table `[control]`: off unless it is there.

[control.charging]   site_limit_a, main_meter, chargers, fallback_a, building_peak_a, period_s, max_age_s
[[control.alarms]]   device, quantity, above or below, for_s, clear, severity, message, todo
"""

from typing import Annotated, Final, Self

from pydantic import Field, field_validator, model_validator

from kgce.domain.errors import InputError
from kgce.domain.events import Severity
from kgce.domain.quantities import quantity_of
from kgce.edge.tables import Table

MINIMUM_A: Final = 6.0  # IEC 61851-1: a car charges with 6 A or not at all

_Amperes = Annotated[float, Field(ge=0, le=4000)]
_Name = Annotated[str, Field(min_length=1)]


class ChargerTable(Table):
    """One charger, or one connector of it."""

    institution: _Name
    device: _Name
    max_a: Annotated[float, Field(ge=MINIMUM_A, le=400)] = 32.0
    fallback_a: _Amperes = 0.0  # while the gateway is silent; 0 pauses


class ChargingTable(Table):
    """The current of a site per phase, and who shares what the building leaves of it."""

    site_limit_a: Annotated[float, Field(gt=0, le=10_000)]
    building_peak_a: Annotated[float, Field(ge=0, le=10_000)] = 0.0  # what the building may draw while nobody looks
    institution: _Name
    main_meter: _Name  # its currents hold the chargers' as well
    chargers: Annotated[tuple[ChargerTable, ...], Field(min_length=1)]
    period_s: Annotated[float, Field(ge=1, le=300)] = 10.0
    max_age_s: Annotated[float, Field(ge=1, le=900)] = 30.0  # an older reading of the main meter counts for nothing

    @model_validator(mode="after")
    def _is_safe_when_the_gateway_dies(self) -> Self:
        fallbacks = sum(one.fallback_a for one in self.chargers)
        if fallbacks + self.building_peak_a > self.site_limit_a:
            raise ValueError(
                f"the chargers' fallback currents ({fallbacks:g} A) and building_peak_a ({self.building_peak_a:g} A)"
                f" are more than site_limit_a ({self.site_limit_a:g} A): when the gateway is silent the fuse would go"
            )
        for one in self.chargers:
            if 0 < one.fallback_a < MINIMUM_A:
                raise ValueError(f"{one.device}: fallback_a is 0 or at least {MINIMUM_A:g} A, no car charges with less")
        names = [(one.institution, one.device) for one in self.chargers]
        if len(set(names)) != len(names):
            raise ValueError("a charger stands in the list twice")
        return self


class AlarmTable(Table):
    """One alarm about one reading."""

    institution: _Name
    device: _Name
    quantity: _Name
    above: float | None = None  # in the quantity's canonical unit
    below: float | None = None
    equals: float | None = None  # a state, such as a fault code
    for_s: Annotated[float, Field(ge=0, le=86_400)] = 0.0
    clear: Annotated[float, Field(ge=0)] = 0.0  # how far it must come back before the alarm ends
    silent_after_s: Annotated[float, Field(ge=10, le=86_400)] = 900.0  # then nobody watches any more, which is told
    severity: Severity = Severity.ALARM
    message: _Name
    todo: _Name

    @field_validator("quantity")
    @classmethod
    def _is_known(cls, name: str) -> str:
        try:
            quantity_of(name)
        except InputError as error:
            raise ValueError(str(error)) from error
        return name

    @model_validator(mode="after")
    def _has_one_limit(self) -> Self:
        if sum(limit is not None for limit in (self.above, self.below, self.equals)) != 1:
            raise ValueError(f"{self.device} {self.quantity}: give one of above, below and equals")
        return self


class ControlTable(Table):
    """What the gateway does on its own."""

    charging: ChargingTable | None = None
    alarms: tuple[AlarmTable, ...] = ()
