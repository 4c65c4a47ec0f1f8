"""One OCPP-J frame: text in, its parts out, or a FrameError; bounded, whatever comes."""

from dataclasses import dataclass
from typing import Any, Final

import orjson

from kgce.domain.errors import InputError

CALL: Final = 2
CALL_RESULT: Final = 3
CALL_ERROR: Final = 4
_LENGTHS: Final = {CALL: (4, 4), CALL_RESULT: (3, 3), CALL_ERROR: (4, 5)}  # OCPP-J 1.6, section 4.2
LONGEST_ID: Final = 36  # characters of a message's id


class FrameError(InputError):
    """The text is no OCPP frame; it says why."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A call, a result or an error."""

    kind: int
    unique_id: str
    action: str  # of a call
    payload: dict[str, Any]  # of a call or a result; details of an error


def parse(text: str | bytes) -> Frame:
    """The parts of one frame.

    Raises:
        FrameError: no JSON, no list, or parts of other kinds than the protocol has; nothing else is ever raised.
    """
    try:
        parts = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise FrameError(f"not JSON: {error}") from None
    if not isinstance(parts, list) or not parts or type(parts[0]) is not int or parts[0] not in _LENGTHS:
        raise FrameError("not a list that begins with 2, 3 or 4")
    kind = parts[0]
    least, most = _LENGTHS[kind]
    if not least <= len(parts) <= most:
        raise FrameError(f"{len(parts)} parts instead of {least}")
    if not isinstance(parts[1], str) or not 0 < len(parts[1]) <= LONGEST_ID:
        raise FrameError("the message id is no text of 1 to 36 characters")
    if kind != CALL_RESULT and not isinstance(parts[2], str):
        raise FrameError("the action or error code is no text")
    payload = parts[-1] if len(parts) == most else {}
    if not isinstance(payload, dict):
        raise FrameError("the payload is no object")
    return Frame(kind, parts[1], parts[2] if kind == CALL else "", payload)
