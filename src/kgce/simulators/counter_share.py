"""ShareCounter: a part of another counter, as a sub-meter sees it."""

from kgce.domain.batch import FloatArray, Int64Array
from kgce.simulators.counter import Counting


class ShareCounter:
    """A constant part of a counter, or the same in another unit."""

    def __init__(self, whole: Counting, factor: float) -> None:
        self._whole, self._factor = whole, factor

    def rate(self, time_ms: Int64Array) -> FloatArray:
        """Its part of the rate."""
        found: FloatArray = self._whole.rate(time_ms) * self._factor
        return found

    def total(self, time_ms: Int64Array) -> FloatArray:
        """Its part of the total."""
        found: FloatArray = self._whole.total(time_ms) * self._factor
        return found
