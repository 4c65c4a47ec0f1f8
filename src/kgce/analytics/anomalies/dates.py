"""Local days and months as columns: the dates beside a detector's figures."""

from typing import Final

import numpy as np
import numpy.typing as npt

from kgce.domain.batch import Int64Array

DateArray = npt.NDArray[np.datetime64]  # datetime64[D] local days or datetime64[M] local months
SATURDAY: Final = 5  # Monday is 0
_EPOCH_WEEKDAY: Final = 3  # 1970-01-01 was a Thursday


def weekday_of(day: DateArray) -> Int64Array:
    """(n,) 0 = Monday to 6 = Sunday of (n,) local days."""
    numbers: Int64Array = day.astype("datetime64[D]").astype(np.int64)
    return (numbers + _EPOCH_WEEKDAY) % 7


def check_days(day: DateArray, *columns: np.ndarray) -> None:
    """Refuse what a rule over days cannot work on.

    Raises:
        ValueError: columns of another length, or days that do not follow one another without a hole.
    """
    if any(len(column) != len(day) for column in columns):
        raise ValueError(f"{len(day)} days beside columns of {', '.join(str(len(column)) for column in columns)}")
    if bool((np.diff(day.astype("datetime64[D]").astype(np.int64)) != 1).any()):
        raise ValueError("days must follow one another; a day without an amount is NaN, not left out")
