"""Which record is which point, as data: rows of records.toml and of a device's own configuration."""

import tomllib
from functools import cache
from importlib import resources
from typing import Annotated, Final, Literal, get_args

from pydantic import Field, field_validator

from kgce.collectors.mbus.records import Function, Record
from kgce.collectors.place import Strict
from kgce.domain.errors import ConfigError
from kgce.domain.quantities import quantity_of

Medium = Literal["electricity", "gas", "heat", "cooling", "water", "other"]
MEDIUMS: Final[tuple[Medium, ...]] = get_args(Medium)

# Codes of EN 13757-3 that a meter of this kind may state; pulse adapters say "other", "bus" or "unknown".
_UNSPECIFIC: Final = frozenset({0x00, 0x0E, 0x0F})
MEDIUM_CODES: Final[dict[Medium, frozenset[int]]] = {
    "electricity": frozenset({0x02}) | _UNSPECIFIC,
    "gas": frozenset({0x03}) | _UNSPECIFIC,
    "heat": frozenset({0x04, 0x0C, 0x0D}) | _UNSPECIFIC,
    "cooling": frozenset({0x0A, 0x0B, 0x0D}) | _UNSPECIFIC,
    "water": frozenset({0x06, 0x07, 0x15, 0x16, 0x17}) | _UNSPECIFIC,
    "other": frozenset(range(256)),
}
MEDIUM_NAMES: Final[dict[int, str]] = {
    0x00: "other", 0x01: "oil", 0x02: "electricity", 0x03: "gas", 0x04: "heat (outlet)", 0x05: "steam",
    0x06: "warm water", 0x07: "water", 0x08: "heat cost allocator", 0x09: "compressed air", 0x0A: "cooling (outlet)",
    0x0B: "cooling (inlet)", 0x0C: "heat (inlet)", 0x0D: "heat and cooling", 0x0E: "bus or system", 0x0F: "unknown",
    0x15: "hot water", 0x16: "cold water", 0x17: "dual water", 0x18: "pressure", 0x19: "A/D converter",
}  # fmt: skip


class RecordRule(Strict):
    """One row: a record that fits becomes the point `name`."""

    name: str
    quantity: str
    medium: tuple[Medium, ...] = MEDIUMS
    vifes: str = ""
    tariff: Annotated[int, Field(ge=0)] = 0
    subunit: Annotated[int, Field(ge=0)] = 0
    by_tariff: bool = False
    occurrence: Annotated[int, Field(ge=0)] | None = (
        None  # the n-th that fits, from 0, where nothing else tells them apart
    )

    @field_validator("name")
    @classmethod
    def _is_known(cls, name: str) -> str:
        quantity_of(name)
        return name

    @field_validator("vifes")
    @classmethod
    def _is_hex(cls, vifes: str) -> str:
        return _codes(bytes.fromhex(vifes))

    def name_for(self, record: Record, *, storage: int) -> str | None:
        """Point this record is, None where the row does not fit it."""
        live = record.function in {Function.INSTANTANEOUS, Function.ERROR_STATE} and record.storage == storage
        if not live or record.meaning.quantity != self.quantity or record.subunit != self.subunit:
            return None
        if _codes(record.vifes) != self.vifes:
            return None
        if record.tariff == self.tariff:
            return self.name
        return f"{self.name}_t{record.tariff}" if self.by_tariff and not self.tariff else None


def _codes(vifes: bytes) -> str:
    """Hex without the highest bits, which only say that another VIFE follows."""
    return bytes(vife & 0x7F for vife in vifes).hex()


@cache
def usual_rules(medium: Medium) -> tuple[RecordRule, ...]:
    """Rows of records.toml for this kind of meter.

    Raises:
        ConfigError: the file that was shipped is damaged.
    """
    text = (resources.files("kgce.collectors.mbus") / "records.toml").read_text(encoding="utf-8")
    try:
        rules = [RecordRule.model_validate(row) for row in tomllib.loads(text)["record"]]
    except (tomllib.TOMLDecodeError, KeyError, ValueError) as error:
        raise ConfigError(f"records.toml of the M-Bus driver is damaged: {error}") from None
    return tuple(rule for rule in rules if medium in rule.medium)
