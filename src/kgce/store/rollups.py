"""Rollups for stores that cannot work them out themselves: read in slices of bounded size, sum up here."""

from collections.abc import Sequence
from typing import Final, Protocol

from kgce.domain.batch import Batch
from kgce.domain.errors import InputError
from kgce.domain.ports import SeriesKey
from kgce.domain.rollup import Rollup

_SLICE_MS: Final = 30 * 86_400_000
_KEYS: Final = 20


class _Readable(Protocol):
    def read(self, keys: Sequence[SeriesKey], *, start_ms: int, end_ms: int) -> Batch: ...

    def extent(self, institution: str | None = None) -> tuple[int, int] | None: ...


def rollup_by_reading(
    store: _Readable, keys: Sequence[SeriesKey], *, start_ms: int, end_ms: int, every_ms: int
) -> Rollup:
    """The rollup of what `store.read` gives.

    Raises:
        InputError: every_ms is not positive.
    """
    if every_ms <= 0:
        raise InputError(f"an interval of {every_ms} ms: give a positive length")
    extent = store.extent() if keys else None
    if extent is None:
        return Rollup.empty()
    start_ms, end_ms = max(start_ms, extent[0]), min(end_ms, extent[1] + 1)
    step_ms = -(-_SLICE_MS // every_ms) * every_ms
    wanted, parts = sorted(set(keys)), []
    for at in range(0, len(wanted), _KEYS):
        since_ms = start_ms
        while since_ms < end_ms:
            until_ms = min((since_ms // every_ms) * every_ms + step_ms, end_ms)
            batch = store.read(wanted[at : at + _KEYS], start_ms=since_ms, end_ms=until_ms)
            parts.append(Rollup.of(batch, every_ms=every_ms))
            since_ms = until_ms
    return Rollup.concat(parts)
