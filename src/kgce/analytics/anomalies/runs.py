"""Runs: unbroken stretches of places where something holds."""

import numpy as np

from kgce.domain.batch import BoolArray


def runs_of(holds: BoolArray) -> list[tuple[int, int]]:
    """[first, end) of every stretch of True in (n,), in order."""
    padded = np.concatenate(([False], holds, [False]))
    turns = np.flatnonzero(padded[1:] != padded[:-1]).tolist()
    return list(zip(turns[::2], turns[1::2], strict=True))
