"""Numbers out of a JSON document; what is none is refused with a stable reason."""

import math
import re
from typing import Any, Final

from kgce.collectors.mqtt.json_path import Absent, Step, follow

_NUMBER: Final = re.compile(r"\s*[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?\s*")


class Refused(ValueError):
    """The message or the field is no reading; the text is the reason it is counted under."""


def find(document: Any, steps: tuple[Step, ...]) -> Any:
    """What lies at the path.

    Raises:
        Refused: nothing, or null.
    """
    try:
        found = follow(document, steps)
    except Absent:
        raise Refused("absent") from None
    if found is None:
        raise Refused("null")
    return found


def number(document: Any, steps: tuple[Step, ...]) -> float:
    """A finite number, or text that is one: some devices put quotes around every value.

    Raises:
        Refused: anything else; true and false are no numbers.
    """
    match find(document, steps):
        case bool():
            raise Refused("not a number")
        case int() | float() as found:
            value = float(found)
        case str() as text if _NUMBER.fullmatch(text):
            value = float(text)
        case _:
            raise Refused("not a number")
    if not math.isfinite(value):
        raise Refused("not finite")
    return value
