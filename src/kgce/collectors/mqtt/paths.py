"""Paths into JSON: `ENERGY.Power[0]`, `params.em:0.a_act_power`, `"a.b".c`; an empty path is the whole document."""

import re
from functools import cache
from typing import Any, Final

from kgce.domain.errors import InputError

_STEP: Final = re.compile(r'(?:^|\.)(?:"([^"]*)"|([^.\[\]"]+))|\[(\d+)\]')

MISSING: Final = object()


@cache
def parse_path(path: str) -> tuple[str | int, ...]:
    """Steps of a path: names and list positions.

    Raises:
        InputError: not a path.
    """
    steps: list[str | int] = []
    at = 0
    while at < len(path):
        found = _STEP.match(path, at)
        if found is None or found.end() == at:
            raise InputError(f"{path!r} is not a path; write names with dots and positions in brackets: a.b[0]")
        quoted, plain, position = found.groups()
        steps.append(int(position) if position is not None else quoted if quoted is not None else plain)
        at = found.end()
    return tuple(steps)


def lookup(document: Any, path: str) -> Any:
    """What lies at a path, or MISSING. A name made of digits also finds a list position."""
    for step in parse_path(path):
        if isinstance(document, dict):
            document = document.get(str(step), MISSING)
        elif isinstance(document, list) and str(step).isdecimal() and int(step) < len(document):
            document = document[int(step)]
        else:
            return MISSING
    return document
