"""RegisterMap: where a device keeps its quantities, and how a range of registers is read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from kgce.simulators.devices.encode import WordType, text_words, to_words
from kgce.simulators.modbus_frames import ExceptionCode, Refusal

_MOST_PER_READ: Final = 125
_FROM_END: Final = -1


@dataclass(frozen=True, slots=True)
class Register:
    """One quantity: raw = canonical value x per_canonical + raw_offset."""

    name: str
    address: int  # on the wire, zero-based
    word_type: WordType
    per_canonical: float = 1.0
    function: int | None = None  # None = the map's
    low_word_first: bool = False
    raw_offset: float = 0.0
    text_length: int = 0  # registers of a text; 0 = a number

    @property
    def length(self) -> int:
        """Registers it takes."""
        return self.text_length or self.word_type.length

    def words(self, value: float | str) -> tuple[int, ...]:
        """Its registers when the device measures this."""
        if isinstance(value, str):
            return text_words(value, self.length)
        raw = value * self.per_canonical + self.raw_offset
        return to_words(raw, self.word_type, low_word_first=self.low_word_first)


@dataclass(frozen=True, slots=True)
class Habits:
    """What a device model does with requests."""

    most_per_read: int = _MOST_PER_READ
    one_value: bool = False  # a request for anything but one whole value is refused (exception 03)
    enron: bool = False  # one register number is one 4-byte value
    swapped_words: bool = False  # the words of a value the other way round: a fault


class RegisterMap:
    """The registers of one device model.

    Addresses between quantities that the device reserves read as 0; every other address does not exist.
    """

    def __init__(
        self,
        *,
        function: int,
        registers: Sequence[Register],
        reserved: Sequence[range] = (),
        constants: Mapping[str, float | str] | None = None,
        habits: Habits | None = None,
    ) -> None:
        self.function = function
        self.registers = tuple(registers)
        self.reserved = tuple(reserved)
        self.constants = dict(constants or {})
        self.habits = habits or Habits()
        self._owner: dict[tuple[int, int], tuple[Register, int] | None] = {
            (function, address): None for addresses in reserved for address in addresses
        }
        for register in registers:
            for part in range(1 if self.habits.enron else register.length):
                key = (register.function or function, register.address + part)
                if key in self._owner:
                    raise ValueError(f"register {key[1]} has two owners")
                self._owner[key] = (register, part)
        self.functions = frozenset(number for number, _ in self._owner)

    def with_habits(self, habits: Habits) -> "RegisterMap":
        """The same registers, other habits."""
        return RegisterMap(
            function=self.function,
            registers=self.registers,
            reserved=self.reserved,
            constants=self.constants,
            habits=habits,
        )

    def read(
        self, address: int, count: int, values: Mapping[str, float | str], *, function: int | None = None
    ) -> list[int]:
        """Words of a range, from the canonical values by quantity name.

        Raises:
            Refusal: an address does not exist (exception 02), or more is asked for than the device gives (03).
        """
        asked = function or self.function
        if count > self.habits.most_per_read:
            raise Refusal(ExceptionCode.ILLEGAL_DATA_VALUE)
        try:
            owners = [self._owner[asked, at] for at in range(address, address + count)]
        except KeyError:
            raise Refusal(ExceptionCode.ILLEGAL_DATA_ADDRESS) from None
        if self.habits.one_value and not _is_one_value(owners):
            raise Refusal(ExceptionCode.ILLEGAL_DATA_VALUE)
        encoded: dict[int, tuple[int, ...]] = {}
        words: list[int] = []
        for owner in owners:
            if owner is None:
                words.append(0)
                continue
            register, part = owner
            if register.address not in encoded:
                encoded[register.address] = self._encode(register, values)
            found = encoded[register.address]
            words += found if self.habits.enron else found[part : part + 1]
        return words

    def _encode(self, register: Register, values: Mapping[str, float | str]) -> tuple[int, ...]:
        constant = self.constants.get(register.name)
        is_text = isinstance(constant, str)
        value = constant if constant is not None and (is_text or register.name not in values) else values[register.name]
        words = register.words(value)
        return words[::_FROM_END] if self.habits.swapped_words and not register.text_length else words


def _is_one_value(owners: Sequence[tuple[Register, int] | None]) -> bool:
    first = owners[0]
    if first is None or first[1] != 0:
        return False
    return len(owners) == first[0].length and all(owner is not None and owner[0] is first[0] for owner in owners)
