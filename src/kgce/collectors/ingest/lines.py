"""Line protocol in: what InfluxDB clients and Telegraf send, as a batch; lines that cannot be taken, with their reason.

    electricity,institution=town-hall,device=main,building=a active_power=12.5,voltage=231i 1767225600000000000

Tags `institution` and `device` are needed, `building` and `region` may be there, `host` (Telegraf's) is passed over;
any other tag would make two series one, so such a line is refused. `<quantity>_q` holds quality bits. Texts are no
readings.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from kgce.domain.batch import Batch
from kgce.domain.errors import InputError
from kgce.domain.tree import Series

# Divisor to milliseconds; the words of InfluxDB 1.x and 2.x. Negative: a factor.
PRECISIONS: Final[Mapping[str, int]] = {
    "ns": 1_000_000, "n": 1_000_000, "us": 1_000, "u": 1_000, "µ": 1_000, "ms": 1, "s": -1_000, "m": -60_000,
    "h": -3_600_000,
}  # fmt: skip
_TAGS: Final = frozenset({"institution", "device", "building", "region"})
_PASSED_OVER: Final = frozenset({"host"})
_NUMBER: Final = re.compile(r"-?(\d+[iu]?|\d+\.\d*([eE][+-]?\d+)?|\.\d+([eE][+-]?\d+)?|\d+[eE][+-]?\d+)")
_SHOWN: Final = 80  # signs of a refused line
_QUALITY: Final = "_q"
_BAD: Final = 1
_BITS: Final = 0xFF


@dataclass(frozen=True, slots=True)
class Refusal:
    """A line that cannot be taken."""

    line: int  # from 1
    reason: str
    text: str


def parse_lines(body: bytes, *, precision: str = "ns", now_ms: int) -> tuple[Batch, list[Refusal]]:
    """The readings, and the refused lines; a line without a time is of now.

    Raises:
        InputError: the precision is unknown, or the body is not UTF-8.
    """
    divisor = PRECISIONS.get(precision)
    if divisor is None:
        raise InputError(f"precision {precision!r}: write one of {', '.join(PRECISIONS)}")
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise InputError(f"line protocol is UTF-8: {error}") from None
    rows: list[tuple[Series, int, float, int]] = []
    refused: list[Refusal] = []
    for number, line in enumerate(_lines(text), 1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            rows += _rows(line, divisor, now_ms)
        except InputError as error:
            refused.append(Refusal(number, str(error), line[:_SHOWN]))
    return Batch.from_rows(rows), refused


def _lines(text: str) -> Iterator[str]:
    """Lines end at line breaks outside of quoted texts."""
    start = at = 0
    is_quoted = False
    while at < len(text):
        sign = text[at]
        if sign == "\\":
            at += 1
        elif sign == '"':
            is_quoted = not is_quoted
        elif sign == "\n" and not is_quoted:
            yield text[start:at].rstrip("\r")
            start = at + 1
        at += 1
    yield text[start:].rstrip("\r")


def _rows(line: str, divisor: int, now_ms: int) -> list[tuple[Series, int, float, int]]:
    measurement, at = _until(line, 0, ", ")
    tags: dict[str, str] = {}
    while at < len(line) and line[at] == ",":
        name, at = _until(line, at + 1, "=, ")
        if at >= len(line) or line[at] != "=":
            raise InputError(f"tag {name!r} has no value")
        tags[name], at = _until(line, at + 1, ", ")
    if at >= len(line):
        raise InputError("there are no fields")
    fields, at = _fields(line, at + 1)
    time_ms = _time_ms(line[at:].strip(), divisor, now_ms)
    foreign = tags.keys() - _TAGS - _PASSED_OVER
    if foreign:
        raise InputError(f"tag {min(foreign)!r} is none of kgce: leave it out (Telegraf: tagexclude)")
    if not tags.get("institution") or not tags.get("device"):
        raise InputError("tags institution and device are needed")
    place = (tags["institution"], tags["device"])
    more = (measurement, tags.get("building", ""), tags.get("region", ""))
    numbers = {name: value for name, value in fields.items() if not name.endswith(_QUALITY)}
    rows = []
    for name in {**numbers, **{key.removesuffix(_QUALITY): None for key in fields if key.endswith(_QUALITY)}}:
        quality = int(fields.get(f"{name}{_QUALITY}", 0)) & _BITS
        value = numbers.get(name, math.nan)
        rows.append((Series(*place, name, *more), time_ms, value, quality | (_BAD if math.isnan(value) else 0)))
    return rows


def _fields(line: str, at: int) -> tuple[dict[str, float], int]:
    fields: dict[str, float] = {}
    while True:
        name, at = _until(line, at, "=, ")
        if not name or at >= len(line) or line[at] != "=":
            raise InputError(f"field {name!r} has no value")
        at += 1
        if line[at : at + 1] == '"':
            raise InputError(f"field {name!r} is a text: readings are numbers")
        text, at = _until(line, at, ", ")
        fields[name] = _number(name, text)
        if at >= len(line) or line[at] == " ":
            return fields, at
        at += 1


def _number(name: str, text: str) -> float:
    if text in {"t", "T", "true", "True", "TRUE"}:
        return 1.0
    if text in {"f", "F", "false", "False", "FALSE"}:
        return 0.0
    if _NUMBER.fullmatch(text) is None or not math.isfinite(value := float(text.rstrip("iu"))):
        raise InputError(f"field {name!r}: {text!r} is no number")
    return value


def _time_ms(text: str, divisor: int, now_ms: int) -> int:
    if not text:
        return now_ms
    try:
        time = int(text)
    except ValueError:
        raise InputError(f"{text!r} is no time") from None
    return time // divisor if divisor > 0 else time * -divisor


def _until(line: str, at: int, stops: str) -> tuple[str, int]:
    """The text up to the next of these signs that has no backslash before it."""
    found: list[str] = []
    while at < len(line) and line[at] not in stops:
        if line[at] == "\\" and at + 1 < len(line) and line[at + 1] in ",= ":
            at += 1
        found.append(line[at])
        at += 1
    return "".join(found), at
