"""Late: whether a batch amends what went before. What amends must not overtake what it amends.

History goes up newest first; a correction that went first would be overwritten by the old value that follows it.
"""

import numpy as np
import numpy.typing as npt

from kgce.domain.batch import Batch, Int64Array
from kgce.domain.tree import Series
from kgce.edge.checks.by_table import ByTable

_FIRST_CAPACITY = 256


class Watermarks:
    """The newest time of every series so far; unknown ones count as as new as anything waiting."""

    def __init__(self, waiting_until_ms: int) -> None:
        self._unknown_ms = waiting_until_ms
        self._numbers: dict[tuple[str, str, str], int] = {}
        self._tables = ByTable(self._numbers_of)
        self._newest_ms: Int64Array = np.full(_FIRST_CAPACITY, waiting_until_ms, np.int64)

    def amends(self, batch: Batch) -> bool:
        """Whether a row is not newer than its series was."""
        number = self._number(batch)  # first: new series make the array longer
        return bool((batch.time_ms <= self._newest_ms[number]).any())

    def passed(self, batch: Batch) -> None:
        """The batch is in."""
        number = self._number(batch)
        np.maximum.at(self._newest_ms, number, batch.time_ms)

    def _number(self, batch: Batch) -> npt.NDArray[np.intp]:
        return self._tables.of(batch.series)[batch.index]

    def _numbers_of(self, table: tuple[Series, ...]) -> npt.NDArray[np.intp]:
        numbers = [self._numbers.setdefault(series.key, len(self._numbers)) for series in table]
        while len(self._numbers) > len(self._newest_ms):
            fresh = np.full(len(self._newest_ms), self._unknown_ms, np.int64)
            self._newest_ms = np.concatenate([self._newest_ms, fresh])
        return np.array(numbers, np.intp)
