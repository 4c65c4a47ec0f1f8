"""Application layer of EN 13757-3: a meter's answer to who it is and what it measured."""

from dataclasses import dataclass
from typing import Final

from kgce.collectors.mbus.fixed import FixedValue, decode_fixed
from kgce.collectors.mbus.link import FrameError, LongFrame
from kgce.collectors.mbus.records import Record, decode_records

CI_VARIABLE: Final = 0x72
CI_VARIABLE_HIGH_FIRST: Final = 0x76  # mode 2, which nobody may use any more
CI_FIXED: Final = 0x73
CI_FIXED_HIGH_FIRST: Final = 0x77
CI_ERROR: Final = 0x70
CI_ALARM: Final = 0x71
CI_SHORT_HEADER: Final = 0x7A
CI_NO_HEADER: Final = 0x78

_HEADER: Final = 12
_SHORT_HEADER: Final = 4
_PLAIN_START: Final = b"\x2f\x2f"  # decrypted payload begins with two fillers
_CIPHERS: Final = {
    2: "DES", 3: "DES", 4: "AES-128", 5: "AES-128", 7: "AES-128", 8: "AES-128", 9: "AES-128", 10: "AES-128", 13: "TLS",
}  # fmt: skip
_PERMANENT_ERROR: Final = 0x08  # of the status byte
_TEMPORARY_ERROR: Final = 0x10
_LOW_POWER: Final = 0x04
_ERRORS: Final = (
    "unspecified error", "this kind of request is not implemented", "buffer too long, truncated", "too many records",
    "premature end of a record", "more than 10 DIFEs", "more than 10 VIFEs", "reserved",
    "application too busy", "too many readouts",
)  # fmt: skip


class EncryptedTelegram(FrameError):
    """The payload is encrypted; kgce has no key for it."""


class MeterRefuses(FrameError):
    """The meter answered with an application error instead of values."""


@dataclass(frozen=True, slots=True)
class Header:
    """Who answered; `manufacturer` is three letters, `status` the meter's own state bits."""

    identification: str  # eight digits as printed on the meter
    manufacturer: str
    version: int
    medium: int
    access_number: int
    status: int
    configuration: int

    @property
    def is_faulty(self) -> bool:
        """Whether the meter itself reports a permanent or temporary error."""
        return bool(self.status & (_PERMANENT_ERROR | _TEMPORARY_ERROR))

    @property
    def is_low_on_power(self) -> bool:
        """Whether the meter's battery is nearly empty."""
        return bool(self.status & _LOW_POWER)


@dataclass(frozen=True, slots=True)
class Telegram:
    """One decoded answer; `header` is None where the meter sent none, `fixed` filled by the old fixed structure."""

    address: int
    header: Header | None
    records: tuple[Record, ...] = ()
    fixed: tuple[FixedValue, ...] = ()
    manufacturer_data: bytes | None = None
    more_follows: bool = False


def decode_telegram(frame: LongFrame) -> Telegram:
    """What a meter's answer says.

    Raises:
        EncryptedTelegram: it is encrypted.
        MeterRefuses: it is an application error.
        FrameError: it cannot be read to its end.
    """
    if frame.ci == CI_VARIABLE:
        return _variable(frame)
    if frame.ci == CI_FIXED:
        return _fixed(frame)
    if frame.ci == CI_ERROR:
        raise MeterRefuses(f"the meter answers: {_error_text(frame.data)}")
    if frame.ci == CI_ALARM:
        raise MeterRefuses(f"the meter sends an alarm, status {frame.data.hex() or 'missing'}")
    if frame.ci == CI_SHORT_HEADER:
        return _short_header(frame)
    if frame.ci == CI_NO_HEADER:
        return _telegram(frame, None, frame.data)
    if frame.ci in {CI_VARIABLE_HIGH_FIRST, CI_FIXED_HIGH_FIRST}:
        raise FrameError(f"CI {frame.ci:02x}: high byte first, which the standard has withdrawn, is not read")
    raise FrameError(f"CI {frame.ci:02x} carries no values of a meter")


def _variable(frame: LongFrame) -> Telegram:
    data = frame.data
    if len(data) < _HEADER:
        raise FrameError(f"header of {len(data)} bytes, needs {_HEADER}")
    header = Header(
        identification=data[3::-1].hex(),
        manufacturer=manufacturer_name(int.from_bytes(data[4:6], "little")),
        version=data[6],
        medium=data[7],
        access_number=data[8],
        status=data[9],
        configuration=int.from_bytes(data[10:12], "little"),
    )
    _refuse_encrypted(header.configuration, data[_HEADER:])
    return _telegram(frame, header, data[_HEADER:])


def _short_header(frame: LongFrame) -> Telegram:
    if len(frame.data) < _SHORT_HEADER:
        raise FrameError(f"header of {len(frame.data)} bytes, needs {_SHORT_HEADER}")
    _refuse_encrypted(int.from_bytes(frame.data[2:4], "little"), frame.data[_SHORT_HEADER:])
    return _telegram(frame, None, frame.data[_SHORT_HEADER:])


def _telegram(frame: LongFrame, header: Header | None, data: bytes) -> Telegram:
    block = decode_records(data)
    return Telegram(
        frame.address,
        header,
        block.records,
        manufacturer_data=block.manufacturer_data,
        more_follows=block.more_follows,
    )


def _fixed(frame: LongFrame) -> Telegram:
    found = decode_fixed(frame.data)
    header = Header(found.identification, "", 0, found.medium, found.access_number, found.status, 0)
    return Telegram(frame.address, header, fixed=found.values)


def _refuse_encrypted(configuration: int, payload: bytes) -> None:
    """Old meters have a signature in this place, so only a known mode with encrypted blocks counts."""
    cipher = _CIPHERS.get(configuration >> 8 & 0x1F)
    if cipher and configuration & 0xF0 and not payload.startswith(_PLAIN_START):
        raise EncryptedTelegram(
            f"encrypted with {cipher} (mode {configuration >> 8 & 0x1F}): switch encryption off in the meter, or ask "
            "its supplier for a profile without it"
        )


def manufacturer_name(code: int) -> str:
    """Three letters of a manufacturer's code, each five bits above 64 (EN 62056-21, FLAG association)."""
    return "".join(chr(64 + (code >> shift & 0x1F)) for shift in (10, 5, 0))


def manufacturer_code(name: str) -> int:
    """The code of three letters."""
    first, second, third = (ord(letter) - 64 & 0x1F for letter in name)
    return first << 10 | second << 5 | third


def _error_text(data: bytes) -> str:
    code = data[0] if data else 0
    return _ERRORS[code] if code < len(_ERRORS) else f"error {code}"
