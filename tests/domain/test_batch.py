"""Batch keeps its columns together."""

import numpy as np
import pytest

from kgce.domain.batch import Batch, Quality
from kgce.domain.tree import Series

POWER = Series("office-1", "main", "active_power_total", "electricity")
ENERGY = Series("office-1", "main", "active_energy_import", "electricity")


def test_rows_of_one_series_share_one_table_entry() -> None:
    batch = Batch.from_rows([(POWER, 1, 2.0, 0), (ENERGY, 1, 3.0, 0), (POWER, 2, 4.0, 1)])
    assert batch.series == (POWER, ENERGY)
    assert batch.index.tolist() == [0, 1, 0]
    assert batch.of_series(0).value.tolist() == [2.0, 4.0]
    assert batch.of_series(0).quality.tolist() == [0, Quality.BAD]


def test_joining_batches_keeps_every_row_with_its_own_series() -> None:
    """Tables in different order are merged, not overlaid."""
    first = Batch.from_rows([(POWER, 1, 1.0, 0), (ENERGY, 1, 2.0, 0)])
    second = Batch.from_rows([(ENERGY, 2, 3.0, 0), (POWER, 2, 4.0, 0)])
    joined = Batch.concat([first, Batch.empty(), second])
    rows = [(joined.series[i], t, v) for i, t, v in zip(joined.index, joined.time_ms, joined.value, strict=True)]
    assert rows == [(POWER, 1, 1.0), (ENERGY, 1, 2.0), (ENERGY, 2, 3.0), (POWER, 2, 4.0)]
    assert len(Batch.concat([])) == 0


def test_columns_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="differ in length"):
        Batch.of([POWER], [0], [1, 2], [1.0, 2.0])


def test_a_row_that_points_outside_the_table_is_refused() -> None:
    with pytest.raises(ValueError, match="outside the table"):
        Batch.of([POWER], [1], [1], [1.0])


def test_the_place_in_the_tree_describes_a_series_but_does_not_identify_it() -> None:
    """Moving a meter to another building must not split its history."""
    moved = Series("office-1", "main", "active_power_total", "electricity", building="b2")
    assert moved == POWER
    assert np.array_equal(Batch.from_rows([(POWER, 1, 1.0, 0), (moved, 2, 2.0, 0)]).index, [0, 0])
