"""Accepted: rows that are good by themselves, then checked against the other rows of their point; feeds readings.

rows -> one meaning for each repeated local time -> one row per time -> one step per point
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from kgce.collectors.files.meters import Meter, Meters
from kgce.collectors.files.refusal import Refusal, refuse
from kgce.collectors.files.steps import SHORTEST_MS, infer_step, modal_spacing_ms, spacing_text
from kgce.collectors.files.table import Columns
from kgce.collectors.files.times import Instant
from kgce.domain.batch import BoolArray, Int64Array
from kgce.domain.quantities import Kind
from kgce.domain.tree import Step


@dataclass(slots=True)
class Accepted:
    """Columns of good rows in file order, with the texts a later refusal must show."""

    path: Path
    meters: list[Meter] = field(default_factory=list)
    device: list[int] = field(default_factory=list)  # position of the row's (institution, point) in `devices`
    time_ms: list[int] = field(default_factory=list)
    value: list[float] = field(default_factory=list)
    line: list[int] = field(default_factory=list)
    texts: list[tuple[str, str]] = field(default_factory=list)  # time and value as written
    twice: dict[int, int] = field(default_factory=dict)  # row -> second meaning of its local time
    devices: dict[tuple[str, str], int] = field(default_factory=dict)

    def add(self, meter: Meter, instant: Instant, value: float, line: int, texts: tuple[str, str]) -> None:
        """Take one row."""
        if instant.second_ms is not None:
            self.twice[len(self.line)] = instant.second_ms
        self.meters.append(meter)
        self.device.append(self.devices.setdefault(meter.device, len(self.devices)))
        self.time_ms.append(instant.ms)
        self.value.append(value)
        self.line.append(line)
        self.texts.append(texts)


class Checks:
    """Refuses rows for what other rows of the same point say; `keep` marks the rows that stay."""

    def __init__(self, rows: Accepted, columns: Columns) -> None:
        self._rows = rows
        self._columns = columns
        self.device = np.array(rows.device, np.int32)
        self.time_ms: Int64Array = np.array(rows.time_ms, np.int64)
        self.keep: BoolArray = np.ones(len(rows.line), np.bool_)
        self.refusals: list[Refusal] = []
        self.steps: dict[int, Step] = {}

    def run(self, meters: Meters) -> None:
        """All checks in their order."""
        self._place_repeated_local_times()
        self._refuse_duplicates()
        self._find_steps(meters)

    def _refuse(self, row: int, reason: str) -> None:
        self.keep[row] = False
        rows = self._rows
        time_text, value_text = rows.texts[row]
        cells = (time_text, *rows.meters[row].identity[:5], value_text, rows.meters[row].identity.step)
        self.refusals.append(refuse(rows.path, rows.line[row], reason, self._columns.all, cells))

    def _place_repeated_local_times(self) -> None:
        """In autumn the clock shows an hour twice: two rows of a point are both, in file order; one is a guess."""
        groups: dict[tuple[int, int], list[int]] = {}
        for row in self._rows.twice:
            groups.setdefault((self._rows.device[row], self._rows.time_ms[row]), []).append(row)
        for group in groups.values():
            if len(group) == 1:
                text = self._rows.texts[group[0]][0]
                self._refuse(group[0], f"local time {text!r} happens twice and is given once; add the offset")
                continue
            for row in group[1:]:
                self.time_ms[row] = self._rows.twice[row]

    def _refuse_duplicates(self) -> None:
        kept = np.flatnonzero(self.keep)
        order = kept[np.lexsort((self.time_ms[kept], self.device[kept]))]  # stable: file order among equals
        if not len(order):
            return
        device, time_ms = self.device[order], self.time_ms[order]
        repeats = np.zeros(len(order), np.bool_)
        repeats[1:] = (device[1:] == device[:-1]) & (time_ms[1:] == time_ms[:-1])
        first = np.maximum.accumulate(np.where(repeats, 0, np.arange(len(order))))
        for position in np.flatnonzero(repeats).tolist():
            self._refuse(int(order[position]), f"duplicate of line {self._rows.line[order[first[position]]]}")

    def _find_steps(self, meters: Meters) -> None:
        kept = np.flatnonzero(self.keep)
        order = kept[np.lexsort((self.time_ms[kept], self.device[kept]))]
        parts = np.split(order, np.flatnonzero(np.diff(self.device[order])) + 1)
        for rows in parts:
            if not len(rows) or self._rows.meters[rows[0]].kind is not Kind.INTERVAL:
                continue
            step = self._step_of(self._rows.meters[rows[0]], self.time_ms[rows], meters)
            if isinstance(step, Step):
                self.steps[int(self.device[rows[0]])] = step
            else:
                for row in rows.tolist():
                    self._refuse(row, step)

    def _step_of(self, meter: Meter, time_ms: Int64Array, meters: Meters) -> Step | str:
        if meter.step is None:
            step = infer_step(time_ms, meter.timezone)
            if step is None:
                return (
                    f"stamps {spacing_text(modal_spacing_ms(time_ms))} apart show no known step in {meter.timezone} "
                    f"({', '.join(Step)}); name it in a column 'step'"
                )
            return step
        if len(time_ms) > 1 and (spacing_ms := modal_spacing_ms(time_ms)) < SHORTEST_MS[meter.step]:
            origin = "registered" if meters.known(meter) else "stated"
            return f"stamps {spacing_text(spacing_ms)} apart, but the {origin} step is {meter.step}: they would overlap"
        return meter.step
