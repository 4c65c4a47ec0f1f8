"""RegisterMap: where a device keeps its quantities, and how a range of registers is read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kgce.simulators.devices.encode import WordType, to_words
from kgce.simulators.modbus_frames import ExceptionCode, Refusal


@dataclass(frozen=True, slots=True)
class Register:
    """One quantity: raw = canonical value x per_canonical."""

    name: str
    address: int  # on the wire, zero-based
    word_type: WordType
    per_canonical: float = 1.0


class RegisterMap:
    """The registers of one device model.

    Addresses between quantities that the device reserves read as 0; every other address does not exist.
    """

    def __init__(self, *, function: int, registers: Sequence[Register], reserved: Sequence[range] = ()) -> None:
        self.function = function
        self.registers = tuple(registers)
        self._owner: dict[int, tuple[Register, int] | None] = {
            address: None for addresses in reserved for address in addresses
        }
        for register in registers:
            for part in range(register.word_type.length):
                if register.address + part in self._owner:
                    raise ValueError(f"register {register.address + part} has two owners")
                self._owner[register.address + part] = (register, part)

    def read(self, address: int, count: int, values: Mapping[str, float]) -> list[int]:
        """Words of a range, from the canonical values by quantity name.

        Raises:
            Refusal: an address does not exist (exception 02).
        """
        try:
            owners = [self._owner[at] for at in range(address, address + count)]
        except KeyError:
            raise Refusal(ExceptionCode.ILLEGAL_DATA_ADDRESS) from None
        encoded: dict[str, tuple[int, ...]] = {}
        words = []
        for owner in owners:
            if owner is None:
                words.append(0)
                continue
            register, part = owner
            if register.name not in encoded:
                encoded[register.name] = to_words(values[register.name] * register.per_canonical, register.word_type)
            words.append(encoded[register.name][part])
        return words
