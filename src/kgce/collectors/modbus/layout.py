"""Layout: which value of a poll is which series, and how it becomes canonical; made once, used at every poll."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from kgce.collectors.modbus.block import Block
from kgce.collectors.modbus.derived import apply_derived
from kgce.collectors.place import Place
from kgce.collectors.profile_point import ProfilePoint
from kgce.domain.batch import Batch, FloatArray, Int32Array, Quality
from kgce.domain.quantities import quantity_of
from kgce.domain.tree import Series
from kgce.domain.units import conversion


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Points of the blocks that answered, in order; the batch holds those that are reported."""

    points: tuple[ProfilePoint, ...]
    series: tuple[Series, ...]  # of the reported points
    index: Int32Array
    scale: FloatArray  # raw to canonical, the profile's own scale included
    offset: FloatArray
    has_derived: bool
    reported: NDArray[np.intp] | None  # places of the reported points; None = all

    @classmethod
    def of(cls, place: Place, measurement: str, blocks: Sequence[Block]) -> Self:
        """Prepare the batches of these blocks of a device."""
        points = tuple(point for block in blocks for point in block.read.points)
        factors = [_to_canonical(block, at) for block in blocks for at in range(len(block.read.points))]
        reported = [at for at, point in enumerate(points) if point.report]
        return cls(
            points,
            tuple(place.series(points[at].name, measurement) for at in reported),
            np.arange(len(reported), dtype=np.int32),
            np.array([scale for scale, _ in factors], np.float64),
            np.array([offset for _, offset in factors], np.float64),
            any(point.is_derived for point in points),
            None if len(reported) == len(points) else np.array(reported, np.intp),
        )

    def batch(self, raw: Sequence[float], time_ms: int) -> Batch:
        """One reading per reported point, all with one time; what is no finite number is NaN and BAD."""
        values = np.array(raw, np.float64) * self.scale + self.offset
        if self.has_derived:
            values = apply_derived(self.points, values)
        if self.reported is not None:
            values = values[self.reported]
        bad = ~np.isfinite(values)
        values[bad] = np.nan
        return Batch(
            self.series,
            self.index,
            np.full(len(values), time_ms, np.int64),
            values,
            bad.astype(np.uint8) * np.uint8(Quality.BAD),
        )


def _to_canonical(block: Block, at: int) -> tuple[float, float]:
    point = block.read.points[at]
    scale, offset = block.scaling(at)
    if point.is_derived:
        return scale, offset
    to_scale, to_offset = conversion(point.unit, quantity_of(point.name).unit)
    return scale * to_scale, offset * to_scale + to_offset
