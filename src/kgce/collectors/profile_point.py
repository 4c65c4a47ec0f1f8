"""One point of a device profile: where a quantity lies, and how it becomes a value in its unit."""

from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from kgce.collectors.metering import CARRIER_OF_QUANTITY
from kgce.collectors.modbus.types import RegisterType, register_type
from kgce.domain.errors import InputError, ProfileError
from kgce.domain.quantities import Kind, quantity_of
from kgce.domain.units import conversion

Order = Literal["big", "little"]
Table = Literal["input", "holding", "coil", "discrete"]
Confidence = Literal["high", "medium", "low"]
LAST_ADDRESS: Final = 65_535
Address = Annotated[int, Field(ge=0, le=LAST_ADDRESS)]


class ProfileTable(BaseModel):
    """A table of a profile: unknown fields are refused, nothing changes once read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class RegisterPlace(ProfileTable):
    """Where a value lies on the wire; addresses are zero-based."""

    table: Table
    address: Address
    type: str
    length: Annotated[int, Field(gt=0, le=250)] | None = None  # bytes of a text or of BCD digits

    @property
    def register_type(self) -> RegisterType:
        """The type behind the name."""
        return register_type(self.type)

    @property
    def words(self) -> int:
        """Registers of 16 bits the value takes."""
        return ((self.register_type.length or self.length or 2) + 1) // 2

    @property
    def is_text(self) -> bool:
        """Whether the value is text, of as many bytes as stated."""
        return self.register_type.is_text

    def check(self) -> None:
        """Whether type, length and table fit each other.

        Raises:
            ValueError: they do not.
        """
        if self.register_type.length == 0 and self.length is None:
            raise ValueError(f"type {self.type} needs a length in bytes")
        if self.register_type.length and self.length not in {None, self.register_type.length}:
            raise ValueError(f"type {self.type} has {self.register_type.length} bytes, not {self.length}")
        if (self.type == "bool") is not (self.table in {"coil", "discrete"}):
            raise ValueError(f"table {self.table} does not hold values of type {self.type}")
        if self.address + self.words - 1 > LAST_ADDRESS:
            raise ValueError(f"a value of {self.words} registers does not fit behind address {self.address}")


class UnitFrom(ProfileTable):
    """The unit is set on the device; another point reads it as a code. A code that is not listed means BAD.

    Without any listed code the meaning is unknown: the point's own unit is assumed, and the point must say unverified.
    """

    point: str
    units: dict[int, str]


class ExponentFrom(ProfileTable):
    """Another point holds a decimal exponent x: the value is raw x 10^(x - minus)."""

    point: str
    minus: int = 0


class ValidIf(ProfileTable):
    """The point means something only while another one holds one of these values, or none of those."""

    point: str
    one_of: tuple[float, ...] = ()
    none_of: tuple[float, ...] = ()

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if bool(self.one_of) is bool(self.none_of):
            raise ValueError("say one_of or none_of")
        return self

    def holds(self, value: float) -> bool:
        """Whether a value of the other point satisfies the condition; "not available" never does."""
        if value != value:  # noqa: PLR0124 - NaN
            return False
        return value in self.one_of if self.one_of else value not in self.none_of


class ProfilePoint(ProfileTable):
    """One quantity of a device: value in `unit` = (raw x scale + offset) x factors read elsewhere."""

    name: str
    register_: Annotated[RegisterPlace, Field(alias="register")]
    scale: float = 1.0  # negative where the device counts the other way round: import is positive
    offset: float = 0.0
    unit: str = ""
    unit_from: UnitFrom | None = None
    exponent_from: ExponentFrom | None = None
    multiplied_by: tuple[str, ...] = ()  # points, or ratios of the device such as pt and ct
    plus: str | None = None  # the point that holds the rest of the value, such as a counter's decimals
    valid_if: ValidIf | None = None
    kind: Kind
    word_order: Order | None = None  # where it differs from the device's
    byte_order: Order | None = None
    invalid: tuple[str, ...] | None = None  # hex patterns in value order; none stated = the habits of the type
    mask: int | None = None
    shift: int = 0
    metering: bool = False  # the point that measures the device's total
    poll: bool = True  # False: identification and settings, read when asked for
    report: bool = True  # False: read for other points' sake only
    together: str | None = None  # points of one such name are read in one request
    read_to_clear: bool = False  # reading it changes it: never read along
    confidence: Confidence
    unverified: bool = False
    source: str = ""  # where it differs from the device's
    note: str = ""
    document_name: str | None = None  # what the source calls it, where that differs from the name
    document_unit: str | None = None
    document_scale: float | None = None

    @property
    def reads_its_unit(self) -> bool:
        """Whether a code on the device decides the unit."""
        return self.unit_from is not None and bool(self.unit_from.units)

    @property
    def needs(self) -> tuple[str, ...]:
        """Names the value depends on: other points, or ratios of the device."""
        single = (self.unit_from, self.exponent_from, self.valid_if)
        return (*(one.point for one in single if one), *self.multiplied_by, *((self.plus,) if self.plus else ()))

    @property
    def is_derived(self) -> bool:
        """Whether its value needs other points' values; ratios of the device are part of the scale by then."""
        return bool(self.reads_its_unit or self.exponent_from or self.multiplied_by or self.plus or self.valid_if)

    @model_validator(mode="after")
    def _fits_the_catalogue(self) -> Self:
        try:
            self.register_.check()
            self._check_use()
            self._check_quantity()
        except (InputError, ProfileError, ValueError) as error:
            raise ValueError(f"{self.name}: {error}") from None
        return self

    def _check_use(self) -> None:
        if self.register_.is_text and self.poll:
            raise ValueError("text is no reading; say poll = false")
        if self.name in self.needs:
            raise ValueError("depends on itself")
        if self.scale == 0.0:
            raise ValueError("scale 0 leaves nothing of the value")

    def _check_quantity(self) -> None:
        quantity = quantity_of(self.name)
        conversion(self.unit, quantity.unit)
        if self.kind is not quantity.kind:
            raise ValueError(f"kind is {self.kind}, the quantity is a {quantity.kind}")
        if self.metering and self.name not in CARRIER_OF_QUANTITY:
            raise ValueError(f"measures no carrier; these do: {', '.join(CARRIER_OF_QUANTITY)}")
        for unit in self.unit_from.units.values() if self.unit_from else ():
            conversion(unit, quantity.unit)
        if self.unit_from and not self.unit_from.units and not self.unverified:
            raise ValueError("the codes of its unit are not known; say unverified = true")
