"""Forecast: where a year will end, from what it has used so far and how the unit's own earlier years went on.

accounts.py --months of this year and earlier ones--> here --expected, low, high--> kgce targets forecast, findings

Method (ours): the rest of a year follows the part that is known as it did in the unit's earlier years together; the
interval comes from forecasting each earlier year from the others. Weather is not looked at.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from kgce.domain.batch import BoolArray, FloatArray, Int64Array

# Two-sided 80 % quantiles of Student's t for 1 to 10 degrees of freedom (published tables); more years are taken as 10.
_T80: Final = np.array([3.078, 1.886, 1.638, 1.533, 1.476, 1.440, 1.415, 1.397, 1.383, 1.372])
CONFIDENCE: Final = 0.8
MIN_YEARS: Final = 2  # of own history, for an interval; with one there is an expectation without, with none nothing


@dataclass(frozen=True, slots=True, eq=False)
class Forecast:
    """(n,) each, in the unit of the months.

    so_far: known months of the year; expected: of the whole year, NaN without history; low, high: 80 % interval, NaN
    with less than two earlier years; months: known ones of the year; years: earlier ones that were used.
    """

    so_far: FloatArray
    expected: FloatArray
    low: FloatArray
    high: FloatArray
    months: Int64Array
    years: Int64Array


def forecast_year(now: FloatArray, earlier: FloatArray) -> Forecast:
    """Where each row's year will end.

    Args:
        now: (n, 12) months of the year; NaN = not over yet, or unknown. An unknown month is never a zero.
        earlier: (y, n, 12) months of earlier years; a year with an unknown month is left out.

    Raises:
        ValueError: months are not twelve, or the years are of other rows.
    """
    if now.ndim != 2 or now.shape[1] != 12 or earlier.shape[1:] != now.shape:  # noqa: PLR2004 - tables of months
        raise ValueError(f"expected (n, 12) beside (y, n, 12), got {now.shape} beside {earlier.shape}")
    known = np.isfinite(now)
    so_far = np.where(known, now, 0.0).sum(axis=1)
    is_whole = np.isfinite(earlier).all(axis=2)
    seen = np.where(known, np.nan_to_num(earlier), 0.0).sum(axis=2)  # (y, n) what the same months used then
    whole = np.nan_to_num(earlier).sum(axis=2)
    used = np.asarray(is_whole & (seen > 0) & (whole > 0), np.bool_)
    seen, whole = np.where(used, seen, 0.0), np.where(used, whole, 0.0)
    expected = so_far * _ratio(whole.sum(axis=0), seen.sum(axis=0))
    expected = np.where(known.any(axis=1), expected, np.nan)
    spread = _spread(seen, whole, used)
    low, high = expected * np.maximum(1.0 - spread, 0.0), expected * (1.0 + spread)
    done = known.all(axis=1)
    low, high = np.where(done, so_far, low), np.where(done, so_far, high)
    return Forecast(
        np.where(known.any(axis=1), so_far, np.nan), np.where(done, so_far, expected),
        np.maximum(low, np.minimum(so_far, expected)), high, known.sum(axis=1), used.sum(axis=0),
    )  # fmt: skip


def _ratio(part: FloatArray, whole: FloatArray) -> FloatArray:
    quotient: FloatArray = np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)
    return quotient


def _spread(seen: FloatArray, whole: FloatArray, used: BoolArray) -> FloatArray:
    """(n,) half width of the interval as a share of the expectation.

    Each used year is forecast from the others; the root mean square of the relative misses, widened for the few years.
    """
    others_seen, others_whole = seen.sum(axis=0) - seen, whole.sum(axis=0) - whole
    predicted = seen * _ratio(others_whole, others_seen)
    miss = np.where(used & (predicted > 0), _ratio(whole, predicted) - 1.0, 0.0)
    years: npt.NDArray[np.int64] = used.sum(axis=0)
    enough = years >= MIN_YEARS
    freedom = np.clip(years - 1, 1, len(_T80))
    size = np.sqrt(_ratio((miss**2).sum(axis=0), np.maximum(years, 1).astype(np.float64)))
    return np.where(enough, _T80[freedom - 1] * size * np.sqrt(1.0 + 1.0 / np.maximum(years, 1)), np.nan)
