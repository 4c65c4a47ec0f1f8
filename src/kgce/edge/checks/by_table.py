"""What is worked out once per series table: a source that polls hands over the very same table every time."""

from collections.abc import Callable
from typing import Final, Generic, TypeVar

from kgce.domain.tree import Series

T = TypeVar("T")
_MOST: Final = 2048  # sources that make a new table for every message must not fill the memory


class ByTable(Generic[T]):
    """Remembers a result per table object; tables are immutable, and kept alive here so that ids stay theirs."""

    def __init__(self, work_out: Callable[[tuple[Series, ...]], T]) -> None:
        self._work_out = work_out
        self._known: dict[int, tuple[tuple[Series, ...], T]] = {}

    def of(self, series: tuple[Series, ...]) -> T:
        """The result for this table."""
        known = self._known.get(id(series))
        if known is not None:
            return known[1]
        if len(self._known) >= _MOST:
            self._known.clear()
        result = self._work_out(series)
        self._known[id(series)] = (series, result)
        return result
