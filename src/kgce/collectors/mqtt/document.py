"""Bytes of a message to a JSON document of bounded size."""

from typing import Any, Final

import orjson

from kgce.collectors.mqtt.json_number import Refused

LARGEST_PAYLOAD: Final = 1 << 20  # bytes; no meter says more at once, and the memory is the gateway's


def document_of(payload: bytes) -> Any:
    """The document.

    Raises:
        Refused: empty, too large, or no JSON.
    """
    if len(payload) > LARGEST_PAYLOAD:
        raise Refused("payload too large")
    if not payload.strip():
        raise Refused("empty payload")
    try:
        return orjson.loads(payload)
    except orjson.JSONDecodeError:
        raise Refused("not JSON") from None
