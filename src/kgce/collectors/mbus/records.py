"""Variable data structure of EN 13757-3: data after the header to records; every chain is bounded."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

from kgce.collectors.mbus import values
from kgce.collectors.mbus.link import FrameError
from kgce.collectors.mbus.values import MeterTime
from kgce.collectors.mbus.vif import MANUFACTURER, Meaning, ValueForm, meaning_of

EXTENDED: Final = 0x80
LONGEST_CHAIN: Final = 10  # the standard's limit for DIFEs and for VIFEs
MANUFACTURER_DATA: Final = 0x0F
MORE_FOLLOWS: Final = 0x1F
FILLER: Final = 0x2F
SPECIAL: Final = 0x0F  # low four bits of those three, and of codes the standard reserves
VARIABLE: Final = 0x0D
REAL: Final = 0x05
READOUT: Final = 0x08
_LENGTHS: Final = (0, 1, 2, 3, 4, 4, 6, 8, 0, 1, 2, 3, 4, 0, 6)
_FIRST_BCD: Final = 0x09


class Function(Enum):
    """What a value is in relation to the present one."""

    INSTANTANEOUS = 0
    MAXIMUM = 1
    MINIMUM = 2
    ERROR_STATE = 3  # the value while the meter knew that it was wrong


Value = float | str | bytes | MeterTime | None


@dataclass(frozen=True, slots=True)
class Record:
    """One value with all that qualifies it; `value` is in `meaning.unit`, NaN where the meter says "not available"."""

    function: Function
    storage: int
    tariff: int
    subunit: int
    has_dife: bool
    meaning: Meaning
    vifes: bytes  # that qualify the value beyond its scale
    value: Value
    raw: bytes


@dataclass(frozen=True, slots=True)
class Block:
    """All records of one telegram; `manufacturer_data` has no meaning without the manufacturer's papers."""

    records: tuple[Record, ...]
    manufacturer_data: bytes | None
    more_follows: bool


class _Reader:
    """Takes bytes from the front; running out of them is an error, never a shorter value."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    @property
    def is_empty(self) -> bool:
        return self._at >= len(self._data)

    def take(self, count: int, what: str) -> bytes:
        end = self._at + count
        if end > len(self._data):
            raise FrameError(f"the telegram ends in the middle of {what}")
        taken, self._at = self._data[self._at : end], end
        return taken

    def byte(self, what: str) -> int:
        return self.take(1, what)[0]

    def chain(self, first: int, what: str) -> bytes:
        """Extension bytes after `first`, as long as the highest bit says that another one follows."""
        taken, last = bytearray(), first
        while last & EXTENDED:
            if len(taken) == LONGEST_CHAIN:
                raise FrameError(f"more than {LONGEST_CHAIN} {what} in a row")
            last = self.byte(what)
            taken.append(last)
        return bytes(taken)

    def rest(self) -> bytes:
        return self.take(len(self._data) - self._at, "the rest")


def decode_records(data: bytes) -> Block:
    """All records, or none.

    Raises:
        FrameError: a record is cut off or uses a code the standard reserves: where the next begins is unknown.
    """
    reader = _Reader(data)
    records: list[Record] = []
    while not reader.is_empty:
        dif = reader.byte("a DIF")
        if dif == FILLER:
            continue
        if dif in {MANUFACTURER_DATA, MORE_FOLLOWS}:
            return Block(tuple(records), reader.rest(), dif == MORE_FOLLOWS)
        if dif & 0x0F == SPECIAL:
            raise FrameError(f"reserved DIF {dif:02x}")
        records.append(_record(dif, reader))
    return Block(tuple(records), None, more_follows=False)


def _record(dif: int, reader: _Reader) -> Record:
    difes = reader.chain(dif, "DIFEs")
    storage, tariff, subunit = dif >> 6 & 1, 0, 0
    for place, dife in enumerate(difes):
        storage |= (dife & 0x0F) << (1 + 4 * place)
        tariff |= (dife >> 4 & 3) << (2 * place)
        subunit |= (dife >> 6 & 1) << place
    vif = reader.byte("a VIF")
    unit_text = ""
    if vif & 0x7F == 0x7C:  # noqa: PLR2004 - plain text comes between VIF and VIFEs
        unit_text = _unit_text(reader)
    meaning, vifes = meaning_of(vif, reader.chain(vif, "VIFEs"), unit_text)
    kind = dif & 0x0F
    raw, value = _variable(reader) if kind == VARIABLE else _fixed(kind, meaning, reader)
    if isinstance(value, float):
        value = _scaled(value, meaning)
    function = Function(dif >> 4 & 3)
    return Record(function, storage, tariff, subunit, bool(difes), meaning, vifes, value, raw)


def _unit_text(reader: _Reader) -> str:
    length = reader.byte("the length of a unit's text")
    return values.text(reader.take(length, "a unit's text"))


def _fixed(kind: int, meaning: Meaning, reader: _Reader) -> tuple[bytes, Value]:
    raw = reader.take(_LENGTHS[kind], "a value")
    if not raw:
        return raw, None  # no data, or a selection for readout: nothing was measured
    if kind == REAL:
        return raw, values.real(raw)
    if kind >= _FIRST_BCD:
        return raw, float(values.bcd(raw))
    if meaning.form is not ValueForm.NUMBER:
        return raw, _time(raw, meaning.form)
    return raw, float(values.integer(raw))


def _time(raw: bytes, form: ValueForm) -> Value:
    readers = {2: values.date, 3: values.time_of_day, 4: values.minute_time, 6: values.second_time}
    read = readers.get(len(raw))
    if read is None or (form is ValueForm.DATE and len(raw) != 2):  # noqa: PLR2004 - a date has two bytes
        return raw
    return read(raw)


def _variable(reader: _Reader) -> tuple[bytes, Value]:
    """Variable length: the first byte (LVAR) says what follows and how much of it."""
    length = reader.byte("a length")
    if length <= 0xBF:  # noqa: PLR2004 - LVAR 00 to BF, text
        raw = reader.take(length, "a text")
        return raw, values.text(raw)
    if length <= 0xDF:  # noqa: PLR2004 - C0 to CF positive BCD, D0 to DF negative
        raw = reader.take(length & 0x0F, "a BCD number")
        size = math.nan if not raw else float(values.bcd(raw))
        return raw, -abs(size) if length >= 0xD0 else size  # noqa: PLR2004 - see above
    if length <= 0xEF:  # noqa: PLR2004 - E0 to EF binary
        raw = reader.take(length & 0x0F, "a binary number")
        return raw, raw
    if length <= 0xF4:  # noqa: PLR2004 - F0 to F4, multiples of 4 bytes
        raw = reader.take(4 * (length - 0xEC), "a binary number")
        return raw, raw
    if length in {0xF5, 0xF6}:
        raw = reader.take(48 if length == 0xF5 else 64, "a binary number")  # noqa: PLR2004 - see the set
        return raw, raw
    raise FrameError(f"reserved length {length:02x}")


def _scaled(raw: float, meaning: Meaning) -> float:
    """Divided where the exponent is negative: 4616 / 100 is the float nearest to 46.16, 4616 * 0.01 is not."""
    value = raw * meaning.factor
    scale: int = 10 ** abs(meaning.exponent)
    return value * scale if meaning.exponent >= 0 else value / scale


def plain(records: tuple[Record, ...]) -> Iterator[Record]:
    """Records that nothing qualifies beyond function, storage, tariff and subunit."""
    return (record for record in records if not record.vifes and record.meaning is not MANUFACTURER)
