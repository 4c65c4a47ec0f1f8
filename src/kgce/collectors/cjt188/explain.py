"""CJ/T 188 in words: what a frame or line traffic says, for people and for published examples."""

from typing import Any

from kgce.collectors.cjt188.exchange import READ, DiOrder
from kgce.collectors.cjt188.frame import HEAD, Frame, parse, wire_address
from kgce.collectors.cjt188.layouts import kind_of
from kgce.collectors.cjt188.values import CURRENT, SETTLEMENT, Reading, decode
from kgce.domain.errors import InputError

_METERING = frozenset(order.value for order in DiOrder)


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
    """Type, address, control, identifier and values of one frame."""
    kind = kind_of(frame.meter_type)
    said: dict[str, Any] = {
        "valid": True,
        "meter_type": f"{frame.meter_type:02X}",
        "kind": kind.title if kind else "unknown",
        "address": frame.address,
        "control": f"{frame.control:02X}",
    }
    if frame.is_refusal:
        return said | {"error_data": frame.data.hex()}
    if len(frame.data) < HEAD:
        return said
    di = frame.data[:2].hex().upper()
    said |= {"di": di, "ser": f"{frame.data[2]:02X}"}
    if not frame.is_answer or frame.function != READ or di not in _METERING:
        return said
    try:
        return said | _values(decode(frame.meter_type, frame.data[HEAD:]))
    except InputError as error:
        return said | {"value": None, "note": str(error)}


def _values(reading: Reading) -> dict[str, Any]:
    current = reading.current
    said: dict[str, Any] = {
        "current_raw": current.raw[::-1].hex().upper(),
        "unit_code": f"{current.unit_code:02X}",
        "value": current.number,
        "unit": current.unit,
        "quantity": reading.kind.current,
        "meter_time": None if reading.clock is None else reading.clock.isoformat(),
        "status": reading.status.hex(),
    }
    for value in reading.values:
        if value.field.name == SETTLEMENT:
            said["settlement"] = value.number
        elif value.field.name != CURRENT:
            said[value.field.name] = {"value": value.number, "unit": value.unit}
    unverified = [value.field.name for value in reading.values if not value.is_verified]
    return said | ({"unverified": unverified} if unverified else {})
