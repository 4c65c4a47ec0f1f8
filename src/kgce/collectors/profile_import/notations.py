"""The notations register lists are written in: function codes, addresses, types, orders, scales, units."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from kgce.collectors.modbus.types import TYPES
from kgce.domain.errors import InputError
from kgce.domain.units import UNITS

TABLE_OF_CODE: Final = {
    1: "coil",
    2: "discrete",
    3: "holding",
    4: "input",
    5: "coil",
    6: "holding",
    15: "coil",
    16: "holding",
}
WRITING_CODES: Final = {5, 6, 15, 16}
_TABLE_OF_WORD: Final = {"coil": "coil", "discrete": "discrete", "holding": "holding", "input": "input"}
_TABLE_OF_DIGIT: Final = {"0": "coil", "1": "discrete", "3": "input", "4": "holding"}


class Notation(StrEnum):
    """How a list counts its addresses."""

    WIRE = "wire"  # as sent, from 0
    DOCUMENT = "document"  # from 1: wire address + 1
    CLASSIC = "4xxxx"  # 40001 or 400001 is holding register 0; the first digit is the table


def table_of(text: str) -> tuple[str, bool]:
    """(table, whether the code writes) of a function code such as 3, 03, 3/4 or a word such as holding.

    Raises:
        InputError: neither.
    """
    plain = text.strip().lower()
    for word, table in _TABLE_OF_WORD.items():
        if word in plain:
            return table, False
    found = re.search(r"0x([0-9a-f]+)|(\d+)", plain)
    code = (int(found[1], 16) if found[1] else int(found[2])) if found else 0
    if code not in TABLE_OF_CODE:
        raise InputError(f"function code {text!r} reads no table; give 1, 2, 3 or 4")
    return TABLE_OF_CODE[code], code in WRITING_CODES


def address_of(text: str, notation: Notation) -> tuple[int, str | None]:
    """(wire address, the table where the notation says it); 0x.., ..h and plain digits.

    Raises:
        InputError: no address, or one that this notation does not have.
    """
    plain = re.sub(r"\(.*|\.0+$", "", text.strip().lower()).replace("_", "").replace(" ", "")
    plain = re.split(r"-|–|/|\.\.|to", plain)[0]  # of a range such as 3059-3060 its first register
    hexed = re.fullmatch(r"0x([0-9a-f]+)|([0-9a-f]+)h", plain)
    if hexed is None and not re.fullmatch(r"\d+", plain):
        raise InputError(f"address {text!r} is no number")
    if notation is Notation.CLASSIC and hexed is None:
        return _classic(plain, text)
    address = int(hexed[1] or hexed[2], 16) if hexed else int(plain)
    address -= notation is not Notation.WIRE
    if not 0 <= address <= 0xFFFF:  # noqa: PLR2004 - the protocol's 16 bits
        raise InputError(f"address {text!r} is not within 0 to 65535 on the wire")
    return address, None


def _classic(plain: str, text: str) -> tuple[int, str | None]:
    digits = plain.zfill(5)
    table, number = _TABLE_OF_DIGIT.get(digits[0]), int(digits[1:])
    if len(digits) > 6 or table is None or not 1 <= number <= 0x1_0000:  # noqa: PLR2004 - 4 + 5 digits at most
        raise InputError(f"address {text!r} is not of the form 4xxxx or 4xxxxx")
    return number - 1, table


_SIZES: Final = r"(?:_|-|\s|\b)*(8|16|32|48|64)"
_TYPES: Final = (  # first match wins; groups: the number of bits, where the name has one
    (r"acc\D*(32|64)", "acc{}"),
    (r"(?:float|real|fp|f|ieee\D*754\D*|single)" + _SIZES, "float{}"),
    (r"double|lreal", "float64"),
    (r"half", "float16"),
    (r"float|real|single|ieee", "float32"),
    (r"(?:uint|unsigned|uns|ui|u)(?:\s*int|integer|eger|long)?" + _SIZES, "uint{}"),
    (r"(?:sint|int|signed|integer|si|s|i)(?:\s*int|integer|eger)?" + _SIZES, "int{}"),
    (r"u(?:nsigned)?[ _]*long[ _]*long|qword", "uint64"),
    (r"long[ _]*long", "int64"),
    (r"u(?:nsigned)?[ _]*(?:long|dword)|dword|udint", "uint32"),
    (r"long|dint", "int32"),
    (r"u(?:nsigned)?[ _]*(?:short|int|word|char)?\b|ushort|word|enum|bit(?:map|field|mask|s)\D*|uint", "uint16"),
    (r"short|sint|int|integer|signed", "int16"),
    (r"bool|bit|coil|flag", "bool"),
)


@dataclass(frozen=True, slots=True)
class TypeOfValue:
    """A type of ours, with the length of a text or of BCD digits in bytes."""

    name: str
    length: int | None = None


def type_of(text: str) -> TypeOfValue | None:
    """Our type for one of the field's names; None where it is not known."""
    plain = re.sub(r"^(?:s?int)(\d+)u(?:nsigned)?", r"uint\1", text.strip().lower())
    if re.match(r"utf[-_ ]?16|unicode|wstring", plain):
        return TypeOfValue("utf16be", _bytes_in(plain))
    if re.match(r"ascii|string|str\b|char\b|char\[|text|str\[", plain) or re.match(
        r"(?:ascii|string|str|char)\d", plain
    ):
        return TypeOfValue("ascii", _bytes_in(plain))
    if digits := re.match(r"bcd\D*(\d+)?\s*(byte|digit)?", plain):
        return TypeOfValue("bcd", _digits_length(int(digits[1] or 2), digits[2]))
    if plain in TYPES:
        return TypeOfValue(plain)
    low = re.match(r"(u?)(?:s|int|i)?(?:8|byte)(?:\D*(low|high))?", plain.replace("byte", "8"))
    if low and "8" in plain.replace("byte", "8"):
        signed = "" if not low[1] and plain.startswith(("s", "int", "i")) else "u"
        return TypeOfValue(f"{signed}int8_{low[2] or 'low'}")
    return next(
        (TypeOfValue(ours.format(*found.groups())) for pattern, ours in _TYPES if (found := re.match(pattern, plain))),
        None,
    )


def _digits_length(number: int, of_what: str | None) -> int:
    """Bytes of packed digits; bcd48 counts bits, bcd6 bytes."""
    if of_what == "digit":
        return 2 * -(-number // 4)
    return number // 8 if of_what is None and number % 16 == 0 else 2 * -(-number // 2)


def _bytes_in(plain: str) -> int | None:
    found = re.search(r"(\d+)", plain.removeprefix("utf-16").removeprefix("utf16").removeprefix("utf_16"))
    return int(found[1]) if found else None


def orders_of(text: str) -> tuple[str, str] | None:
    """(word order, byte order); None where the notation is not known."""
    plain = text.strip().lower()
    letters = re.search(r"\b([a-h]{2,8}|[1-8](?:-?[1-8]){1,7})\b", plain)
    if letters and sorted(letters[1].replace("-", "")) in _ALPHABETS:
        return _orders_of_letters(letters[1].replace("-", ""))
    if not plain or plain in {"n/a", "na", "-", "none"}:
        return "big", "big"
    if re.match(r"hi[-_ ]?lo|high.?low", plain):
        return "big", "big"
    if re.search(r"lsw|low word|little|lo[-_ ]?hi|least|reverse|swap|\ble\b|\blo\b", plain):
        return ("big", "little") if "byte swap" in plain else ("little", "big")
    if re.search(r"msw|high word|big|hi[-_ ]?lo|most|\bbe\b|normal|network|standard", plain):
        return "big", "big"
    return None


_ALPHABETS: Final = [sorted(letters[:size]) for letters in ("abcdefgh", "12345678") for size in (2, 4, 6, 8)]


def _orders_of_letters(letters: str) -> tuple[str, str]:
    ranks = [ord(letter) - ord("a" if letter.isalpha() else "1") for letter in letters]
    byte_order = "little" if ranks[0] > ranks[1] else "big"
    return ("little" if ranks[0] > ranks[-1] and len(ranks) > 2 else "big"), byte_order  # noqa: PLR2004 - one word has no word order


def scale_of(text: str) -> float | None:
    """A factor such as 0.1, 0,1, 1/10, /10, x0.001, 10^-2, 0.1 x PT; None where it is none."""
    plain = re.sub(r"\(.*?\)", "", text).strip().lower().replace(" ", "").replace("×", "x").replace("*", "x")
    plain = re.sub(r"(?:x?(?:pt|vt|ct))+$", "", plain).lstrip("x")
    if not plain:
        return 1.0
    if re.fullmatch(r"\d+,\d+", plain):
        plain = plain.replace(",", ".")
    number = r"([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)"
    if found := re.fullmatch(number, plain):
        return float(found[1]) or None
    if found := re.fullmatch(rf"{number}?/{number}", plain):
        return float(found[1] or 1) / float(found[2]) if float(found[2]) else None
    if found := re.fullmatch(r"10(?:\^|xx|e)([-+]?\d+)", plain):
        return 10.0 ** int(found[1])
    return None


_SAME_UNIT: Final = {
    "℃": "degC", "°c": "degC", "c": "degC", "deg c": "degC", "degree c": "degC", "celsius": "degC", "degc": "degC",
    "℉": "degF", "°f": "degF", "deg f": "degF", "f": "degF", "kelvin": "K",
    "volt": "V", "volts": "V", "amp": "A", "amps": "A", "ampere": "A", "watt": "W", "watts": "W", "hertz": "Hz",
    "m^3": "m3", "cbm": "m3", "m3n": "Nm3", "sm3": "Nm3", "nm³": "Nm3", "m^3/h": "m3/h", "cbm/h": "m3/h",
    "nm³/h": "Nm3/h", "sm3/h": "Nm3/h", "lpm": "L/min", "l/m": "L/min", "lph": "L/h", "litre": "L", "liter": "L",
    "litres": "L", "liters": "L", "sec": "s", "secs": "s", "second": "s", "seconds": "s", "hour": "h", "hours": "h",
    "hrs": "h", "hr": "h", "minutes": "min", "mins": "min", "day": "d", "days": "d", "°": "deg", "degree": "deg",
    "degrees": "deg", "percent": "%", "%rh": "%", "% rh": "%", "pct": "%", "ua": "µA", "μa": "µA", "r/min": "rpm",
    "1/min": "rpm",
    "kwhr": "kWh", "kw.h": "kWh", "kw·h": "kWh", "kw-h": "kWh", "varhr": "varh", "1": "", "-": "", "none": "",
    "n/a": "", "na": "", "ratio": "", "l/sec": "L/s", "tonne": "t", "tonnes": "t",
}  # fmt: skip
_BY_CASE: Final = {symbol.casefold(): symbol for symbol in UNITS if symbol not in {"mW", "MW", "mV", "MPa", "mHz"}}


@dataclass(frozen=True, slots=True)
class UnitOfValue:
    """A unit of ours with what the notation says beside it."""

    symbol: str
    factor: float = 1.0
    ratios: tuple[str, ...] = ()  # such as the totaliser's multiplier
    register: int | None = None  # where the device says it
    remark: str = ""


def unit_of_text(text: str) -> UnitOfValue | None:
    """The unit behind a notation such as 0.1 kWh, °C, see reg 100; None where it names no known unit."""
    plain = re.sub(r"\([^)]*\)", "", text).strip()
    if found := re.match(r"see (?:reg(?:ister)?\.?|unit)\s*(\d+)?", plain, re.IGNORECASE):
        return UnitOfValue("", register=int(found[1]) if found[1] else None, remark="set on the device")
    if re.search(r"configur|select|depend|variable", plain, re.IGNORECASE):
        return UnitOfValue("", remark="set on the device")
    if " or " in plain:
        first = unit_of_text(plain.split(" or ")[0])
        return UnitOfValue(first.symbol, first.factor, remark=f"the source says {text!r}") if first else None
    if found := re.match(r"x (.+?)\s+(\S+)$", plain):
        inner = unit_of_text(found[2])
        return UnitOfValue(inner.symbol, inner.factor, ratios_in(found[1]) or (_slug(found[1]),)) if inner else None
    if (found := re.match(r"([\d.,]+(?:e[-+]?\d+)?)\s*(?:x|\*)?\s*(\D\S*)$", plain)) and (scale := scale_of(found[1])):
        inner = unit_of_text(found[2])
        return UnitOfValue(inner.symbol, scale * inner.factor) if inner else None
    symbol = _symbol(plain)
    return None if symbol is None else UnitOfValue(symbol)


def ratios_in(text: str) -> tuple[str, ...]:
    """Transformer ratios a remark names: x PT x CT."""
    words = re.findall(r"[a-z]+", text.lower())
    return tuple(name for name, names in (("pt", {"pt", "vt"}), ("ct", {"ct"})) if names & set(words))


def _symbol(plain: str) -> str | None:
    if plain in UNITS:
        return plain
    return _SAME_UNIT.get(plain.casefold(), _BY_CASE.get(plain.casefold()))


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
