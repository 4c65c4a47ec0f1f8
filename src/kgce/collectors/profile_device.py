"""What holds for a whole device: orders, limits of a request, identification, holes."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from kgce.collectors.profile_point import Address, Confidence, Order, ProfileTable, RegisterPlace, Table

PROTOCOL_REGISTERS = 125  # Modbus Application Protocol V1.1b3, sections 6.1 to 6.4
PROTOCOL_BITS = 2000


class ProfileDevice(ProfileTable):
    """What holds for the whole device."""

    brand: str
    model: str
    measurement: str
    protocol: Literal["modbus"]
    word_order: Order = "big"
    byte_order: Order = "big"
    max_registers: Annotated[int, Field(gt=0, le=PROTOCOL_REGISTERS)] = PROTOCOL_REGISTERS  # 16-bit ones, per request
    max_bits: Annotated[int, Field(gt=0, le=PROTOCOL_BITS)] = PROTOCOL_BITS
    max_gap: Annotated[int, Field(ge=0, le=124)] = 10  # unread registers worth bridging
    one_value_per_request: bool = False
    pause_ms: Annotated[float, Field(ge=0, le=10_000)] = 0  # silence from the end of an answer on
    wake_up_read: bool = False  # the first request of a poll only wakes the device
    min_interval_s: Annotated[float, Field(ge=0)] = 0  # polled more often it misbehaves
    enron: bool = False  # one register number is one value of 4 bytes
    base: Literal[0, 1] = 0  # the source's numbers are wire address + base
    unit_ids: tuple[Annotated[int, Field(ge=0, le=255)], ...] = ()  # usual or allowed ones; none = any
    ratios: Annotated[
        dict[str, Annotated[float, Field(gt=0)]], Field(default_factory=dict)
    ]  # such as pt and ct, with what holds unless configured
    confidence: Confidence
    unverified: bool = False
    source: str
    note: str = ""


class Identify(ProfileTable):
    """A register that tells whether it is this device at all."""

    register_: Annotated[RegisterPlace, Field(alias="register")]
    equals: int | str | None = None
    one_of: tuple[int | str, ...] = ()
    between: tuple[int, int] | None = None
    prefix: str | None = None  # of a text
    word_order: Order | None = None
    source: str = ""
    note: str = ""

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        self.register_.check()
        said = [self.equals is not None, bool(self.one_of), self.between is not None, self.prefix is not None]
        if sum(said) != 1:
            raise ValueError("identify needs exactly one of equals, one_of, between, prefix")
        if self.prefix is not None and not self.register_.is_text:
            raise ValueError("prefix is for text")
        return self

    @property
    def expected(self) -> str:
        """What it must be, for people."""
        if self.between is not None:
            return f"{self.between[0]} to {self.between[1]}"
        if self.prefix is not None:
            return f"text that begins with {self.prefix!r}"
        return " or ".join(repr(one) for one in ((self.equals,) if self.equals is not None else self.one_of))

    def accepts(self, value: float | str | None) -> bool:
        """Whether this is the device's value; "not available" is not."""
        if value is None:
            return False
        if self.between is not None:
            return not isinstance(value, str) and self.between[0] <= value <= self.between[1]
        if self.prefix is not None:
            return isinstance(value, str) and value.startswith(self.prefix)
        return value in ((self.equals,) if self.equals is not None else self.one_of)


class Hole(ProfileTable):
    """Addresses no request may touch: not there, or changed by reading them."""

    table: Table
    first: Address
    last: Address
    why: str = ""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last < self.first:
            raise ValueError(f"hole ends at {self.last} before it begins at {self.first}")
        return self
