"""Single values out of registers, and whole register images of a device."""

from collections.abc import Mapping
from typing import Any

from kgce.collectors.modbus.decode import decoder


def decoded(vector: Mapping[str, Any]) -> dict[str, Any]:
    """The value of one decode vector; None where the device says "not available"."""
    wire = bytes.fromhex(vector["hex"])
    decode = decoder(
        vector["type"],
        vector.get("byte_order", "big"),
        scale=float(vector.get("scale", 1.0)),
        offset=float(vector.get("offset", 0.0)),
        length=len(wire),
    )
    value = decode(wire)
    return {"value": value} | ({"quality": "bad", "decision": "no sample"} if value is None else {"quality": "good"})
