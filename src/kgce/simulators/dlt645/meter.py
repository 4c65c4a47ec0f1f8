"""One simulated DL/T 645 meter: a request frame in, its answer frame out."""

from collections.abc import Mapping
from typing import Final, Literal

from kgce.simulators.devices.device import Clock, SimulatedDevice, time_ms_of
from kgce.simulators.dlt645.codec import bcd, frame, unmask
from kgce.simulators.dlt645.registers import BLOCKS_2007, REGISTERS_1997, REGISTERS_2007, Register

NO_SUCH_DATA: Final = 0x02
_READ: Final = {"2007": 0x11, "1997": 0x01}
_READ_MORE: Final = {"2007": 0x12, "1997": 0x02}
_DI_SIZE: Final = {"2007": 4, "1997": 2}
_READ_ADDRESS: Final = 0x13
_ANSWER: Final = 0x80
_REFUSAL: Final = 0x40
_MORE: Final = 0x20
_LONGEST_ANSWER: Final = 200  # bytes of data in a read answer


class Dlt645Meter:
    """A meter of one edition; what it measures comes from a simulated device."""

    def __init__(
        self,
        address: str,
        device: SimulatedDevice,
        *,
        edition: Literal["2007", "1997"] = "2007",
        lacks: frozenset[str] = frozenset(),
        mute_on: frozenset[str] = frozenset(),
        longest_answer: int = _LONGEST_ANSWER,
    ) -> None:
        """`lacks`: identifiers it refuses; `mute_on`: ones it does not even refuse; shorter answers come in parts."""
        self.address = address
        self.edition = edition
        self._device = device
        self._lacks, self._mute_on, self._longest = lacks, mute_on, longest_answer

    def answer(self, request: bytes, clock: Clock) -> bytes | None:
        """Its answer; None where a meter stays silent: another edition's question, a broadcast, a write."""
        _, control, data = unmask(request)
        if control == _READ_ADDRESS and self.edition == "2007":
            return frame(self.address, control | _ANSWER, bytes.fromhex(self.address)[::-1])
        if control not in {_READ[self.edition], _READ_MORE[self.edition]} or len(data) < _DI_SIZE[self.edition]:
            return None
        di = data[: _DI_SIZE[self.edition]]
        name = di[::-1].hex().upper()
        if name in self._mute_on:
            return None
        payload = None if name in self._lacks else self._payload(name, self._device.values(time_ms_of(clock)))
        if payload is None:
            return frame(self.address, control | _ANSWER | _REFUSAL, bytes([NO_SUCH_DATA]))
        return self._part(control, di, payload, data[_DI_SIZE[self.edition] :])

    def _part(self, control: int, di: bytes, payload: bytes, number: bytes) -> bytes:
        """The whole payload, or the part of it that was asked for."""
        part = number[0] if number else 0
        rest = payload[part * self._longest :]
        more = _MORE if len(rest) > self._longest else 0
        return frame(self.address, control | _ANSWER | more, di + rest[: self._longest] + number)

    def _payload(self, di: str, values: Mapping[str, float]) -> bytes | None:
        registers = REGISTERS_2007 if self.edition == "2007" else REGISTERS_1997
        if di in registers:
            return _written(registers[di], values)
        members = BLOCKS_2007.get(di, ()) if self.edition == "2007" else ()
        written = [_written(registers[member], values) for member in members]
        whole = [one for one in written if one is not None]
        return b"".join(whole) if whole and len(whole) == len(written) else None


def _written(register: Register, values: Mapping[str, float]) -> bytes | None:
    value = values.get(register.quantity)
    if value is None:
        return None
    return bcd(value, register.size, register.decimals, signed=register.signed)
