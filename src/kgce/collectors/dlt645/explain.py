"""DL/T 645 in words: what an address, a frame or line traffic says, for people and for published examples."""

import math
from typing import Any, Final

from kgce.collectors.dlt645.bcd import digits
from kgce.collectors.dlt645.exchange import REASONS
from kgce.collectors.dlt645.frame import Frame, parse, printed_address, wire_address
from kgce.collectors.dlt645.identifiers import Block, Edition, Identifier, meaning_of
from kgce.domain.errors import InputError

_FUNCTIONS: Final = {
    0x01: "read data (1997)",
    0x02: "read following data (1997)",
    0x08: "broadcast time",
    0x11: "read data",
    0x12: "read following data",
    0x13: "read address",
    0x14: "write data",
}
_EDITIONS: Final = {0x11: Edition.Y2007, 0x12: Edition.Y2007, 0x01: Edition.Y1997, 0x02: Edition.Y1997}
_READ_ADDRESS: Final = 0x13
_READ_MORE_2007: Final = 0x12
_CLOCK: Final = {"04000101": ("date", 4), "04000102": ("time", 3)}  # weekday day month year; second minute hour


def explain_address(address: str) -> dict[str, Any]:
    """How a printed address goes over the line.

    Raises:
        InputError: it is no address.
    """
    return {"wire_hex": wire_address(address).hex()}


def explain_stream(data: bytes) -> dict[str, Any]:
    """Every frame in a piece of line traffic."""
    return {"frames": [explain_frame(frame) for frame in parse(data)]}


def explain(data: bytes) -> dict[str, Any]:
    """The first frame in these bytes; what to do when there is none."""
    frames = parse(data)
    if not frames:
        return {"valid": False, "action": "discard, wait for timeout, retry"}
    return explain_frame(frames[0])


def explain_frame(frame: Frame) -> dict[str, Any]:
    """Address, control, identifier and values of one frame; keys that say nothing are left out."""
    said: dict[str, Any] = {"valid": True, "address": frame.address, "control": f"{frame.control:02X}"}
    edition = _EDITIONS.get(frame.function)
    if frame.is_refusal:
        bits = frame.data[0] if frame.data else 0
        return said | {"error_bits": f"{bits:02X}", "error": [word for bit, word in REASONS.items() if bits & bit]}
    if edition is None:
        said["name"] = _FUNCTIONS.get(frame.function, f"function {frame.function:02X}")
        if frame.function == _READ_ADDRESS and frame.is_answer:
            said["read_address"] = printed_address(frame.data)
        return said
    di, payload = printed_address(frame.data[: edition.di_bytes]).upper(), frame.data[edition.di_bytes :]
    said |= {"di": di, "name": _title(edition, di), "has_more": frame.has_more}
    return said | _values(frame, edition, di, payload) if frame.is_answer else said


def _values(frame: Frame, edition: Edition, di: str, payload: bytes) -> dict[str, Any]:
    said: dict[str, Any] = {"data_le_hex": payload.hex()}
    if frame.function == _READ_MORE_2007 and payload:
        said |= {"data_le_hex": payload[:-1].hex(), "sequence": payload[-1]}
    if frame.has_more or frame.function in {0x02, _READ_MORE_2007}:
        return said  # a part of an answer is no value
    if di in _CLOCK:
        return said | _clock(di, payload)
    meaning = meaning_of(edition, di)
    try:
        return said | _numbers(meaning, payload)
    except InputError as error:
        return said | {"value": None, "note": str(error)}


def _numbers(meaning: Identifier | Block | None, payload: bytes) -> dict[str, Any]:
    if isinstance(meaning, Block):
        parts = meaning.split(payload)
        return {"values": [_or_none(one.value(raw)) for one, raw in parts], **_format(meaning.members[0])}
    if meaning is None:
        return {"value": None, "note": "this identifier is not known"}
    if len(payload) != meaning.size:
        return {"value": None, "note": f"{len(payload)} bytes instead of {meaning.size}"}
    return {"value": _or_none(meaning.value(payload)), "quantity": meaning.name, **_format(meaning)}


def _format(one: Identifier) -> dict[str, Any]:
    return {"scale": 1 / 10**one.decimals, "unit": one.unit, "confidence": one.confidence}


def _clock(di: str, payload: bytes) -> dict[str, Any]:
    name, size = _CLOCK[di]
    found = digits(payload)
    if found is None or len(payload) != size:
        return {"value": None, "name": f"meter {name}"}
    pairs = [found[at : at + 2] for at in range(0, len(found), 2)]
    text = f"20{pairs[0]}-{pairs[1]}-{pairs[2]}" if name == "date" else ":".join(pairs)
    return {"value": text, "name": f"meter {name}"}


def _title(edition: Edition, di: str) -> str:
    if di in _CLOCK:
        return f"meter {_CLOCK[di][0]}"
    meaning = meaning_of(edition, di)
    title = "unknown identifier" if meaning is None else meaning.title
    return f"{title} (1997)" if edition is Edition.Y1997 else title


def _or_none(value: float) -> float | None:
    return None if math.isnan(value) else value
