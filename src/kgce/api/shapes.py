"""What goes out: the JSON shapes of `/api/v1`, apart from what is stored. A number that is not one becomes null."""

import math
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def _finite(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value


Number = Annotated[float | None, BeforeValidator(_finite)]


class Out(BaseModel):
    """Base of every answer; built from rows by attribute name."""

    model_config = ConfigDict(from_attributes=True, populate_by_name=True)


class Gateway(Out):
    """The gateway beside the server; equation: polled = stored + duplicate + refused + dropped + waiting."""

    counters: dict[str, int]
    equation_holds: bool
    uplink: dict[str, Any] | None
    devices: int
    devices_offline: list[str]


class Health(Out):
    """Whether the parts answer; `status` is ok, degraded (a gateway's trouble) or unavailable (no store)."""

    status: str
    version: str
    store: str
    gateway: Gateway | None


class Ready(Out):
    """Whether requests can be answered: each part is ok, or says what is wrong."""

    store: str
    registry: str


class Attributes(Out):
    """What an institution was in one year; null = not stated."""

    year: int
    peer_class: str = Field(serialization_alias="class")
    level: str
    climate_zone: str
    people: Number
    area_m2: Number
    heated_area_m2: Number


class Institution(Out):
    """An institution with the attributes of the asked (else its newest) year."""

    id: str
    name: str
    region: str
    timezone: str
    attributes: Attributes | None


class Institutions(Out):
    """One page of institutions; total counts all that match."""

    items: list[Institution]
    total: int
    limit: int
    offset: int


class Building(Out):
    """A building of an institution."""

    id: str
    name: str


class InstitutionDetail(Out):
    """An institution, its buildings, and what it was in each year."""

    id: str
    name: str
    region: str
    timezone: str
    buildings: list[Building]
    years: list[Attributes]


class Point(Out):
    """A metering point: what `point=` takes, and what it measures."""

    point: str
    series: str
    building: str
    carrier: str
    unit: str
    kind: str
    step: str | None
    counts: bool


class Latest(Out):
    """The newest reading of one series."""

    institution: str
    building: str
    device: str
    quantity: str
    time: str
    value: Number
    unit: str
    quality: str
    age_s: float


class Reading(Out):
    """One reading; value is null only with a bad quality."""

    time: str
    value: Number
    quality: str


class SeriesOut(Out):
    """Readings of one series, oldest first."""

    institution: str
    point: str
    unit: str
    readings: list[Reading]


class LedgerInterval(Out):
    """One interval of a point's ledger; amount null = nothing known."""

    start: str
    end: str
    amount: Number
    unit: str
    provenance: str
    coverage_ratio: Number
    flags: list[str]


class RankRow(Out):
    """An institution's place; rank null and a reason where it has none."""

    rank: int | None
    institution: str
    name: str
    peer_class: str = Field(serialization_alias="class")
    value: Number
    unit: str
    factor_set: str | None
    coverage_ratio: Number
    percentile: Number
    reason: str | None


class Indicator(Out):
    """One indicator of one institution and year, beside baseline and target."""

    institution: str
    year: int
    indicator: str
    value: Number
    unit: str
    factor_set: str | None
    coverage_ratio: Number
    reason: str | None
    baseline_year: int
    baseline_value: Number
    target_value: Number
    progress_ratio: Number


class FactorSet(Out):
    """A convention of standard-coal factors; figures of different sets never compare."""

    id: str
    name_en: str
    name_zh: str
    basis: str
    source: str
    valid_from: str
    valid_to: str | None
    is_default: bool
    factors: list["Factor"]


class Factor(Out):
    """kgce per unit of a carrier, as its source states it."""

    carrier: str
    value: float
    unit: str
    source: str
    confidence: str


class Finding(Out):
    """Something about the data a person must be able to see."""

    id: str
    subject: str
    message: str
    evidence: dict[str, Any]


class Findings(Out):
    """One page of findings; total counts all that match."""

    items: list[Finding]
    total: int
    limit: int
    offset: int


class CarrierAmount(Out):
    """What was used of one carrier; kgce null for water, unknown amounts and carriers without a factor."""

    carrier: str
    amount: Number
    unit: str
    kgce: Number
    coverage_ratio: Number


class Today(Out):
    """Amounts in [start, end): since local midnight."""

    start: str
    end: str
    institutions: int | None
    factor_set: str
    carriers: list[CarrierAmount]


class Taken(BaseModel):
    """What became of the readings of a batch: stored + duplicate + refused = all of them."""

    stored: int
    duplicate: int = Field(description="They were there already, with this value and quality.")
    refused: int = Field(description="They can never be kept.")
    replaced: int = Field(description="Part of stored: another value stood at that time.")
    expired: int = Field(description="Part of refused: older than the store keeps.")


class InfluxProblem(BaseModel):
    """An error as InfluxDB's clients read it."""

    code: str
    message: str
