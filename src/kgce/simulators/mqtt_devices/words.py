"""Pieces the messages are made of: scaled numbers by name; a quantity the truth lacks is left out."""

import json
from collections.abc import Mapping
from typing import Any

Sent = tuple[str, bytes, bool]  # topic, payload, retain
Scales = Mapping[str, tuple[str, float]]  # the device's name -> (quantity, device's number per canonical unit)


def numbers(values: Mapping[str, float], scales: Scales, suffix: str = "") -> dict[str, float]:
    """The device's own names and numbers; `suffix` picks a channel of the truth."""
    return {
        name: round(values[quantity + suffix] * per_canonical, 6)
        for name, (quantity, per_canonical) in scales.items()
        if quantity + suffix in values
    }


def json_of(document: Any) -> bytes:
    """Compact JSON."""
    return json.dumps(document, separators=(",", ":")).encode()


def plain(value: float) -> bytes:
    """A bare number."""
    return f"{value:.6f}".rstrip("0").rstrip(".").encode()
