"""A receipt: the centre's word that a message is in the store, or that it never will be.

    {"stored": 40, "duplicate": 0, "refused": 0, "replaced": 0, "at_ms": 1767225600123, "reason": ""}

It travels to the response topic of the message, with the message's correlation data (MQTT 5 request and response). No
receipt means: not safe yet, send it again.
"""

from dataclasses import asdict, dataclass

import orjson

from kgce.domain.errors import InputError
from kgce.domain.ports import AppendResult

_COUNTS = ("stored", "duplicate", "refused", "replaced")


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one message."""

    result: AppendResult
    at_ms: int  # the centre's clock
    reason: str = ""  # why the whole message can never be taken; empty when it was


def encode(receipt: Receipt) -> bytes:
    """The receipt as JSON."""
    return orjson.dumps({**asdict(receipt.result), "at_ms": receipt.at_ms, "reason": receipt.reason})


def decode(payload: bytes) -> Receipt:
    """The receipt behind the bytes.

    Raises:
        InputError: it is none.
    """
    try:
        document = orjson.loads(payload)
        counts = {name: int(document[name]) for name in _COUNTS}
        return Receipt(AppendResult(**counts), int(document["at_ms"]), str(document["reason"]))
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"not a receipt: {error!r}") from None
