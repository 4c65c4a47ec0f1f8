"""Culprits: a batch no sink will ever take is found, kept as a dead letter, and does not hold up the rest.

parcel --refused--> batch by batch --refused again n times--> row by row: what fits is stored, the others are set aside

An error about the data (`InputError`) blames the batch. Any other error blames it only if the sink takes others
meanwhile; a sink that takes nothing at all is down, and nobody is blamed.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from kgce.domain.batch import Batch
from kgce.domain.errors import InputError, TryAgain, UnknownItem
from kgce.domain.ports import AppendResult, SeriesKey
from kgce.edge.buffer.parcel import Parcel

log: Final = logging.getLogger(__name__)

DATA_ERRORS: Final = (InputError, UnknownItem)  # the batch is at fault, not the sink: asking again cannot help

Deliver = Callable[[Parcel], Awaitable[AppendResult]]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one batch: the rows the sink took, and those it never will."""

    parcel: Parcel
    result: AppendResult
    refused: Batch
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Stuck:
    """A batch that broke the sink; whose fault that is, others show."""

    parcel: Parcel
    error: Exception


async def judge(parcel: Parcel, deliver: Deliver, *, tries: int) -> Verdict | Stuck:
    """Deliver one batch; after `tries` refusals for good, as many of its rows as the sink takes.

    Raises:
        TryAgain: the sink is down.
    """
    try:
        return Verdict(parcel, await deliver(parcel), _no_rows(parcel))
    except TryAgain:
        raise
    except DATA_ERRORS as error:
        if tries > 1:
            return await judge(parcel, deliver, tries=tries - 1)
        log.warning("batch %d is refused for good: %s", parcel.first, error)
        result, refused = await _what_fits(parcel, deliver)
        return Verdict(parcel, result, parcel.batch.select(refused), str(error) or repr(error))
    except Exception as error:  # noqa: BLE001 - judged by the caller, who compares with the other batches
        return Stuck(parcel, error)


async def _what_fits(parcel: Parcel, deliver: Deliver) -> tuple[AppendResult, npt.NDArray[np.intp]]:
    """Halve until only the rows at fault are left."""
    rows = len(parcel)
    if rows == 1:
        return AppendResult(), np.array([0], np.intp)
    result, refused = AppendResult(), []
    for part in np.array_split(np.arange(rows, dtype=np.intp), 2):
        piece = Parcel(parcel.boot, parcel.first, parcel.last, parcel.batch.select(part))
        try:
            result += await deliver(piece)
        except DATA_ERRORS:
            more, inside = await _what_fits(piece, deliver)
            result += more
            refused.append(part[inside])
    return result, np.concatenate(refused) if refused else np.empty(0, np.intp)


async def refused_rows(parcel: Parcel, deliver: Deliver, known: set[SeriesKey]) -> npt.NDArray[np.intp]:
    """Which rows a sink refuses that took the others; asking again is harmless. `known` learns whose they are.

    A sink refuses most often for one series (a field of another type), so its rows are asked about first.
    """
    keys = [series.key for series in parcel.batch.series]
    suspects = np.array([key in known for key in keys], np.bool_)[parcel.batch.index]
    found = [await _refused_in(parcel, np.flatnonzero(part), deliver) for part in (suspects, ~suspects) if part.any()]
    rows = np.sort(np.concatenate(found)) if found else np.empty(0, np.intp)
    known.update(keys[position] for position in parcel.batch.index[rows].tolist())
    return rows


async def _refused_in(parcel: Parcel, rows: npt.NDArray[np.intp], deliver: Deliver) -> npt.NDArray[np.intp]:
    piece = Parcel(parcel.boot, parcel.first, parcel.last, parcel.batch.select(rows))
    refused = (await deliver(piece)).refused
    if refused == 0:
        return np.empty(0, np.intp)
    if refused >= len(rows):
        return rows
    halves = [await _refused_in(parcel, part, deliver) for part in np.array_split(rows, 2)]
    return np.concatenate(halves)


def _no_rows(parcel: Parcel) -> Batch:
    return parcel.batch.select(np.empty(0, np.intp))
