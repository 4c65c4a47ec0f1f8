"""Writing: rows into the readings file, and what they are compared with before."""

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

from kgce.domain.tree import Series
from kgce.store.duckdb import statements as sql
from kgce.store.intake import Intake, Settlement


def compared(cursor: duckdb.DuckDBPyConnection, intake: Intake, late: npt.NDArray[np.intp]) -> Settlement:
    """What becomes of each group; only the `late` ones may be stored already."""
    if not len(late):
        return intake.settle(late, np.empty(0), np.empty(0, np.uint8))
    time_ms = intake.time_ms[late]
    cursor.register("late", {"position": late, "number": intake.number[late], "time_ms": time_ms})
    found = cursor.execute(sql.LATE, [int(time_ms.min()), int(time_ms.max())]).fetchnumpy()
    cursor.unregister("late")
    return intake.settle(found["position"], np.ma.filled(found["value"], np.nan), found["quality"])


def write(cursor: duckdb.DuckDBPyConnection, intake: Intake, settled: Settlement) -> None:
    """Insert what is new, update what was corrected."""
    for rows, is_update in ((settled.insert, False), (settled.update, True)):
        if not rows.any():
            continue
        time_ms = intake.time_ms[rows]
        columns: dict[str, npt.NDArray[Any]] = {"value": intake.value[rows], "quality": intake.quality[rows]}
        columns |= {"number": intake.number[rows], "time_ms": time_ms}
        span = [int(time_ms.min()), int(time_ms.max())] if is_update else []
        with_columns(cursor, "fresh", columns, sql.UPDATE if is_update else sql.INSERT, span)


def add_series(cursor: duckdb.DuckDBPyConnection, first: int, new: Sequence[Series]) -> None:
    """Number these series from `first` on."""
    columns: dict[str, npt.NDArray[Any]] = {"id": np.arange(first, first + len(new))}
    for name in sql.SERIES_COLUMNS:
        columns[name] = np.array([getattr(one, name) for one in new], object)
    with_columns(cursor, "new", columns, sql.INSERT_SERIES)


def with_columns(
    cursor: duckdb.DuckDBPyConnection,
    name: str,
    columns: Mapping[str, npt.NDArray[Any]],
    statement: str,
    parameters: Sequence[int] = (),
) -> None:
    """Run the statement with these columns as a table of that name."""
    cursor.register(name, columns)
    cursor.execute(statement, list(parameters))
    cursor.unregister(name)
