"""Seeded noise that depends on (seed, stream, index) only, so the same hour has the same value in every range."""

from functools import cache
from hashlib import blake2b
from typing import Final

import numpy as np
import numpy.typing as npt

from kgce.domain.batch import FloatArray, Int64Array

# Constants of the public-domain SplitMix64 generator (Steele, Lea, Flood 2014): a counter in, a well mixed word out.
_STEP: Final = np.uint64(0x9E3779B97F4A7C15)
_MIX_1: Final = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2: Final = np.uint64(0x94D049BB133111EB)


@cache
def derived_seed(seed: int, name: str) -> int:
    """A seed of its own for one named thing."""
    return int.from_bytes(blake2b(f"{seed}/{name}".encode(), digest_size=8).digest(), "big")


def uniform(seed: int, stream: str, index: npt.NDArray[np.integer]) -> FloatArray:
    """Uniform numbers in [0, 1), one for each index; same shape as index."""
    words = np.atleast_1d(index).astype(np.uint64) * _STEP + np.uint64(derived_seed(seed, stream))
    words = (words ^ (words >> np.uint64(30))) * _MIX_1
    words = (words ^ (words >> np.uint64(27))) * _MIX_2
    words ^= words >> np.uint64(31)
    mixed: FloatArray = (words >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return mixed


def normal(seed: int, stream: str, index: Int64Array) -> FloatArray:
    """Standard normal numbers, one for each index (Box-Muller)."""
    radius = np.sqrt(-2.0 * np.log1p(-uniform(seed, f"{stream}/radius", index)))
    found: FloatArray = radius * np.cos(2 * np.pi * uniform(seed, f"{stream}/angle", index))
    return found


def normal_by_day(seed: int, stream: str, days: Int64Array) -> FloatArray:
    """Standard normal numbers that hold for a whole day; cheap where many entries share a day."""
    if not len(days):
        return np.zeros(0)
    first = int(days.min())
    each = normal(seed, stream, np.arange(first, int(days.max()) + 1, dtype=np.int64))
    found: FloatArray = each[days - first]
    return found


def drift(seed: int, stream: str, index: Int64Array, *, spacing: int) -> FloatArray:
    """Slow noise: normal numbers every `spacing` indices, joined by straight lines."""
    if not len(index):
        return np.zeros(0)
    node = index // spacing
    part = (index - node * spacing) / spacing
    first = int(node.min())
    nodes = normal(seed, stream, np.arange(first, int(node.max()) + 2, dtype=np.int64))
    found: FloatArray = nodes[node - first] * (1 - part) + nodes[node - first + 1] * part
    return found


def pick(seed: int, name: str, low: float, high: float) -> float:
    """One constant drawn evenly between two limits."""
    return low + (high - low) * float(uniform(seed, name, np.zeros(1, np.int64))[0])
