"""Paths into a JSON document: ENERGY.Total, currents[1], ENERGY.Power.0, params."em:0".total; "" is the document."""

import re
from typing import Any, Final

Step = str | int

_STEP: Final = re.compile(r'"(?P<quoted>[^"]+)"|\[(?P<index>\d+)\]|(?P<plain>[^.\[\]"]+)')


class Absent(LookupError):
    """Nothing lies at the path."""


def parse_path(text: str) -> tuple[Step, ...]:
    """Steps of a path.

    Raises:
        ValueError: it is not a path.
    """
    steps: list[Step] = []
    at = 0
    while at < len(text):
        if steps and text[at] == ".":
            at += 1
        elif steps and text[at] != "[":
            raise ValueError(f"path {text!r}: expected . or [ at position {at + 1}")
        found = _STEP.match(text, at)
        if found is None:
            raise ValueError(f"path {text!r}: no name at position {at + 1}")
        index = found["index"]
        steps.append(int(index) if index is not None else found["quoted"] or found["plain"])
        at = found.end()
    return tuple(steps)


def follow(document: Any, steps: tuple[Step, ...]) -> Any:
    """What lies at the path; a plain number names a key of an object or a place in an array.

    Raises:
        Absent: nothing does.
    """
    for step in steps:
        match document:
            case dict() if str(step) in document:
                document = document[str(step)]
            case list() if str(step).isdecimal() and int(step) < len(document):
                document = document[int(step)]
            case _:
                raise Absent
    return document
