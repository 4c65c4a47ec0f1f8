"""Peer groups: class x level x climate zone, merged where too few units would be compared."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from kgce.domain.batch import BoolArray, FloatArray, Int64Array, UInt8Array

IndexArray = npt.NDArray[np.intp]

MIN_SIZE: Final = 5  # fewer than five can be told apart by name, and their median hangs on one unit
MAX_CELLS: Final = 1 << 22  # codes are rows of short tables of names; this many cells are no such codes


class MergeStep(IntEnum):
    """How far a group had to be merged; it says what the group consists of."""

    NONE = 0  # one class, level and zone
    ZONES = 1  # several zones of one class and level
    LEVELS = 2  # several levels of one class


@dataclass(frozen=True, slots=True)
class PeerNames:
    """What the codes stand for: row = code."""

    classes: Sequence[str]
    levels: Sequence[str]
    zones: Sequence[str]


@dataclass(frozen=True, slots=True, eq=False)
class PeerGroups:
    """Groups of n units over c cells (a cell is one class, level and zone that occurs).

    group: (n,) 0-based group of each unit; size: (g,) units that count; step: (g,) MergeStep; too_small: (g,) still
    below the minimum after all merging; cell: (c, 3) class, level and zone code; cell_group: (c,) group of each cell.
    """

    group: IndexArray
    size: Int64Array
    step: UInt8Array
    too_small: BoolArray
    cell: IndexArray
    cell_group: IndexArray

    def label(self, group: int, names: PeerNames) -> str:
        """What a group consists of, such as `hospital / city / A + B`; levels are joined by `;`."""
        cells = self.cell[self.cell_group == group].tolist()
        zones: dict[int, list[str]] = {}
        for _, level, zone in cells:
            zones.setdefault(level, []).append(names.zones[zone])
        parts = (f"{names.levels[level]} / {' + '.join(inside)}" for level, inside in zones.items())
        return f"{names.classes[cells[0][0]]} / {'; '.join(parts)}"

    def labels(self, names: PeerNames) -> list[str]:
        """The label of every group, in order."""
        return [self.label(group, names) for group in range(len(self.size))]


def peer_groups(
    class_code: IndexArray,
    level_code: IndexArray,
    zone_code: IndexArray,
    *,
    counts: BoolArray | None = None,
    min_size: int = MIN_SIZE,
) -> PeerGroups:
    """Groups that are as alike as their size allows.

    A cell too small is put together with the other too small zones of its class and level; where that is not enough,
    with the smallest of its other zones. What is still too small does the same with the levels of its class. So a
    group that is large enough changes only where nothing else is left, and then the one with the fewest units does:
    four provincial hospitals do not change who leads among thousands of clinics. A class smaller than the minimum is
    one group, marked too small.

    Args:
        class_code: (n,) 0-based.
        level_code: (n,) 0-based.
        zone_code: (n,) 0-based.
        counts: (n,) who counts towards the size, such as those with data; None = everyone.
        min_size: smallest size that is compared.

    Raises:
        ValueError: a negative code, or codes so large that they are no rows of tables of names.
    Source: energy_domain.md section 11: group by type x level x zone. The minimum and the merging are house rules.
    """
    packed, widths = _pack(class_code, level_code, zone_code)
    present = np.bincount(packed, minlength=int(np.prod(widths))) > 0
    found = np.flatnonzero(present)
    cell = np.stack(np.unravel_index(found, widths), axis=1)
    counted = np.bincount(packed if counts is None else packed[counts], minlength=len(present))[found]
    merged = _merge(cell, counted, min_size)
    cell_group = np.unique(merged, return_inverse=True)[1]
    size = np.bincount(cell_group, weights=counted).astype(np.int64)
    return PeerGroups(
        cell_group[np.cumsum(present)[packed] - 1], size, _steps(cell, cell_group), size < min_size, cell, cell_group
    )


def _pack(*codes: IndexArray) -> tuple[IndexArray, tuple[int, ...]]:
    if any(len(code) and int(code.min()) < 0 for code in codes):
        raise ValueError("codes are 0-based; who has no class, level or zone needs a code of its own")
    widths = tuple(int(code.max()) + 1 if len(code) else 1 for code in codes)
    if int(np.prod(widths, dtype=np.float64)) > MAX_CELLS:
        raise ValueError(f"{widths} classes, levels and zones are more than {MAX_CELLS} cells")
    return np.ravel_multi_index(codes, widths), widths


def _merge(cell: IndexArray, counted: IndexArray, min_size: int) -> IndexArray:
    """(c,) the group of each cell, named by its first cell."""
    group = np.arange(len(cell))
    for family in (cell[:, 0] * (int(cell[:, 1].max(initial=0)) + 1) + cell[:, 1], cell[:, 0]):
        size = np.bincount(group, weights=counted, minlength=len(cell)).astype(np.float64)
        in_need = np.unique(family[size[group] < min_size])
        for name in in_need.tolist():
            _merge_family(group, np.flatnonzero(family == name), size, min_size)
    return group


def _merge_family(group: IndexArray, members: IndexArray, size: FloatArray, least: int) -> None:
    """Put the too small groups of one family together, with the smallest large enough one if that is needed."""
    groups = sorted(set(group[members].tolist()), key=lambda one: (size[one], one))
    together = [one for one in groups if size[one] < least]
    if sum(size[one] for one in together) < least and len(together) < len(groups):
        together.append(groups[len(together)])
    group[members[np.isin(group[members], together)]] = min(together)


def _steps(cell: IndexArray, cell_group: IndexArray) -> UInt8Array:
    groups = int(cell_group.max(initial=-1)) + 1
    lowest, highest = np.full(groups, np.iinfo(np.intp).max), np.full(groups, -1)
    np.minimum.at(lowest, cell_group, cell[:, 1])
    np.maximum.at(highest, cell_group, cell[:, 1])
    several = np.bincount(cell_group, minlength=groups) > 1
    return np.where(lowest < highest, MergeStep.LEVELS, np.where(several, MergeStep.ZONES, MergeStep.NONE)).astype(
        np.uint8
    )
