"""Bytes of an M-Bus meter's answer, written from EN 13757-2 and -3 without looking at our decoder."""

import datetime as dt
import math
from dataclasses import dataclass
from enum import Enum
from typing import Final

RSP_UD: Final = 0x08
CI_VARIABLE: Final = 0x72
MORE_RECORDS_FOLLOW: Final = b"\x1f"


class Coding(Enum):
    """Data field of a DIF, with the number of bytes it announces."""

    INT16 = (0x02, 2)
    INT32 = (0x04, 4)
    BCD4 = (0x0A, 2)
    BCD6 = (0x0B, 3)
    BCD8 = (0x0C, 4)


@dataclass(frozen=True, slots=True)
class Field:
    """One record: a quantity's canonical value is sent as a whole number of `step`s."""

    quantity: str
    coding: Coding
    vif: bytes
    step: float
    storage: int = 0  # 0 or 1


def record(field: Field, value: float) -> bytes:
    """DIF, VIF and value; a value that is not there becomes the coding's "invalid".

    Raises:
        ValueError: the number does not fit.
    """
    code, size = field.coding.value
    dif = bytes([code | field.storage << 6])
    if field.coding in {Coding.INT16, Coding.INT32}:
        return dif + field.vif + _integer(value, field.step, size)
    return dif + field.vif + _decimal(value, field.step, size)


def _integer(value: float, step: float, size: int) -> bytes:
    if math.isnan(value):
        return bytes(size - 1) + b"\x80"
    try:
        return round(value / step).to_bytes(size, "little", signed=True)
    except OverflowError:
        raise ValueError(f"{value} does not fit {size} bytes in steps of {step}") from None


def _decimal(value: float, step: float, size: int) -> bytes:
    if math.isnan(value):
        return b"\xee" * size
    number = round(value / step)
    digits = str(abs(number)).rjust(2 * size, "0")
    if number < 0:
        digits = "f" + digits[1:] if digits[0] == "0" else "overflow"
    if len(digits) != 2 * size:
        raise ValueError(f"{value} does not fit {2 * size} digits in steps of {step}")
    return bytes(int(digits[at : at + 2], 16) for at in range(2 * size - 2, -1, -2))


def clock_record(now: dt.datetime) -> bytes:
    """Date and time to the minute (type F, VIF 6D)."""
    century, year = divmod(now.year - 1900, 100)
    bits = now.minute
    bits |= (now.hour | century << 5) << 8
    bits |= (now.day | (year % 8) << 5) << 16
    bits |= (now.month | (year // 8) << 4) << 24
    return b"\x04\x6d" + bits.to_bytes(4, "little")


def header(number: str, maker: str, version: int, medium: int, *, access: int = 0, status: int = 0) -> bytes:
    """The twelve bytes before the records; number in eight digits, maker in three capital letters."""
    code = 0
    for letter in maker:
        code = code * 32 + ord(letter) - ord("A") + 1
    parts = [bytes.fromhex(number)[::-1], code.to_bytes(2, "little"), bytes([version, medium, access, status, 0, 0])]
    return b"".join(parts)


def long_frame(body: bytes) -> bytes:
    """Start, length, sum and end around control, address, CI and data."""
    size = len(body)
    return bytes((0x68, size, size, 0x68)) + body + bytes((sum(body) % 256, 0x16))


def telegram(address: int, payload: bytes) -> bytes:
    """The frame of an answer with a variable data structure."""
    return long_frame(bytes((RSP_UD, address, CI_VARIABLE)) + payload)
