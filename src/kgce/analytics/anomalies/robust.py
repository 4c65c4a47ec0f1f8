"""Middle and noise of figures of which a few may be wildly wrong and others missing."""

from typing import Final

import numpy as np
import numpy.typing as npt

from kgce.domain.batch import FloatArray

MAD_TO_SIGMA: Final = 1.4826  # 1 / the upper quartile of the standard normal distribution
ROUNDING: Final = 1e-9  # a figure on its limit stays there although binary fractions are not exact


def median_of(values: FloatArray) -> float:
    """Median of the known ones of any shape; NaN without any."""
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else np.nan


def noise_of(values: FloatArray) -> float:
    """Standard deviation that the median distance from the median stands for; NaN without known values.

    Source: median absolute deviation, Hampel 1974; 1.4826 makes it a standard deviation for normal noise.
    """
    return MAD_TO_SIGMA * median_of(np.abs(values - median_of(values)))


def row_medians(values: FloatArray) -> FloatArray:
    """(n,) median of the known ones in each row of (n, m); NaN where fewer than half are known."""
    ordered = np.sort(values, axis=1)  # NaN last
    known = np.isfinite(values).sum(axis=1)
    rows = np.arange(len(values))
    middle = (
        ordered[rows, np.maximum(known - 1, 0) // 2] + ordered[rows, np.minimum(known // 2, values.shape[1] - 1)]
    ) / 2
    return np.where((known > 0) & (2 * known >= values.shape[1]), middle, np.nan)


def group_medians(group: npt.NDArray[np.intp], values: FloatArray, *, min_known: int) -> FloatArray:
    """(g,) median of the known values of each group; NaN where fewer than min_known are known.

    Args:
        group: (n,) 0-based group of each value.
        values: (n,) NaN = unknown.
        min_known: how many a median needs, at least 1.
    """
    groups = int(group.max(initial=-1)) + 1
    is_known = np.isfinite(values)
    order = np.lexsort((values[is_known], group[is_known]))
    ordered = values[is_known][order]
    count = np.bincount(group[is_known], minlength=groups)
    first = np.cumsum(count) - count
    found = np.full(groups, np.nan)
    enough = np.flatnonzero(count >= min_known)
    low, high = first[enough] + (count[enough] - 1) // 2, first[enough] + count[enough] // 2
    found[enough] = (ordered[low] + ordered[high]) / 2
    return found
