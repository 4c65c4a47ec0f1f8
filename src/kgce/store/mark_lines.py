"""Marks of touched slots as lines: measurement `touched`, time = start of the slot, fields end and at (both ms).

Marking a slot again writes over the same place, with a later `at`.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from kgce.domain.touched import Touched
from kgce.domain.tree import Series
from kgce.store.line_protocol import Lines, place_of, ready, tags_of

MEASUREMENT: Final = "touched"


def mark_lines(entries: Sequence[Series], marks: Touched, *, at_ms: int) -> list[bytes]:
    """One line per mark; the series' own measurement and quantity are tags here."""
    numbers, head = np.unique(marks.index, return_inverse=True)
    heads = [f"{MEASUREMENT}{tags_of(place_of(entries[number]))}".encode() for number in numbers.tolist()]
    fields = [b"end=%d,at=%d" % (end_ms, at_ms) for end_ms in marks.end_ms.tolist()]
    return Lines(heads, head.astype(np.int32), marks.start_ms, ready(fields)).texts
