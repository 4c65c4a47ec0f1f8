"""Collected: values by name while a published file is read; used by every adapter of an hourly or finer table."""

from collections.abc import Container
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from kgce.collectors.files.numbers import number
from kgce.collectors.files.refusal import Refusal, refuse
from kgce.collectors.files.table import Columns, Progress, read_table
from kgce.collectors.files.times import TimeReader
from kgce.domain.batch import Batch, FloatArray, Int64Array, UInt8Array
from kgce.domain.tree import Series


class Values(NamedTuple):
    """(n,) columns of one name, in time order; equal times keep the order of the file."""

    time_ms: Int64Array
    value: FloatArray


@dataclass(slots=True)
class Collected:
    """Values by name of the meter (or another quantity), as they come, and the rows that could not be kept."""

    time_ms: dict[str, list[int]] = field(default_factory=dict)
    value: dict[str, list[float]] = field(default_factory=dict)
    refusals: list[Refusal] = field(default_factory=list)

    def add(self, name: str, time_ms: int, value: float) -> None:
        """One value more."""
        self.time_ms.setdefault(name, []).append(time_ms)
        self.value.setdefault(name, []).append(value)

    def read(
        self,
        path: Path,
        columns: Columns,
        times: TimeReader,
        known: Container[str],
        progress: Progress | None = None,
        *,
        blank_is_missing: bool = False,
    ) -> None:
        """Rows of (meter, time, value, ...); a row of a meter that is not known is refused."""
        for line in read_table(path, columns, progress):
            name, time_text, value_text, *_ = line.cells
            if blank_is_missing and not (value_text or line.fault):
                continue
            fault = line.fault or ("" if name in known else f"unknown meter {name!r}")
            instant, value = times.read(time_text), number(value_text)
            if fault or isinstance(instant, str) or isinstance(value, str):
                reason = fault or (instant if isinstance(instant, str) else str(value))
                self.refusals.append(refuse(path, line.number, reason, columns.all, line.cells))
            else:
                self.add(name, instant.ms, value)

    def columns(self) -> dict[str, Values]:
        """The columns of every name."""
        found = {}
        for name, stamps in self.time_ms.items():
            time_ms, value = np.array(stamps, np.int64), np.array(self.value[name], np.float64)
            order = np.argsort(time_ms, kind="stable")
            found[name] = Values(time_ms[order], value[order])
        return found


def batch_of(series: Series, time_ms: Int64Array, value: FloatArray, quality: UInt8Array | None = None) -> Batch:
    """(n,) columns of one series as a batch; quality defaults to good."""
    return Batch.of((series,), np.zeros(len(value), np.int32), time_ms, value, quality)
