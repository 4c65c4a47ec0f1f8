"""Checks: what leaves the gateway is marked, never repaired; what can never be kept is refused with its reason.

    source --Batch--> refuse -> drop repeats -> mark --Batch--> buffer

| rule                 | limit                                            | what happens                          |
|----------------------|--------------------------------------------------|---------------------------------------|
| series.unnameable    | no quantity, or text that is not Unicode         | refused                               |
| value.infinite       | not a number anyone measured                     | refused                               |
| time.impossible      | outside 1980-01-01 .. 2200-01-01                 | refused                               |
| time.future          | more than future_limit_s ahead of a sane clock   | refused                               |
| repeated             | equal to the series' last reading                | counted as duplicate                  |
| value.missing        | NaN without BAD                                  | BAD                                   |
| value.out_of_range   | outside `limits.py`                              | OUT_OF_RANGE                          |
| counter.fell         | lower than the last accepted, see counter_watch  | SUSPECT                               |
| counter.leapt        | rose faster than `rates.py` allows               | SUSPECT                               |
| counter.frozen       | stands still under power, see flat_line          | SUSPECT                               |
| clock.unsure         | the gateway's own clock is before 2024           | TIME_UNSURE, time.future cannot judge |
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from kgce.domain.batch import UNUSABLE, Batch, BoolArray, FloatArray, Quality, UInt8Array
from kgce.domain.ports import SeriesKey
from kgce.domain.tree import Series
from kgce.edge.buffer.counters import Count, Tally
from kgce.edge.checks.by_table import ByTable
from kgce.edge.checks.counter_watch import CounterState, is_watched, judge
from kgce.edge.checks.flat_line import ENERGY, POWER, FlatLine
from kgce.edge.checks.last_seen import LastSeen
from kgce.edge.checks.limits import Limit, limit_of
from kgce.edge.checks.rates import max_per_hour

# Clocks that lost their battery report 1970 or 2000s epochs; 1980-01-01 is where the oldest device epoch (GPS) starts.
EARLIEST_MS: Final = 315_532_800_000  # 1980-01-01T00:00:00Z
END_MS: Final = 7_258_118_400_000  # 2200-01-01T00:00:00Z
SANE_CLOCK_MS: Final = (
    1_704_067_200_000  # 2024-01-01T00:00:00Z: older than this software, so a clock before it is unset
)

_Device = tuple[str, str]

# numpy takes an IntFlag for a 64-bit number, which a column of bytes cannot hold.
_BAD: Final = np.uint8(Quality.BAD)
_SUSPECT: Final = np.uint8(Quality.SUSPECT)
_OUT_OF_RANGE: Final = np.uint8(Quality.OUT_OF_RANGE)
_TIME_UNSURE: Final = np.uint8(Quality.TIME_UNSURE)
_NO_BASELINE: Final = np.uint8(UNUSABLE | Quality.TIME_UNSURE)  # readings with these bits move no counter's baseline


@dataclass(frozen=True, slots=True)
class Checked:
    """What a batch came to; `Checks.remember` it once it is safe."""

    batch: Batch  # rows that go on, marked
    raw: Batch  # the same rows as the source gave them
    otherwise: Tally  # rows that go no further
    counters: Mapping[SeriesKey, CounterState]
    lines: Mapping[_Device, FlatLine]
    marks: Counter[str]


@dataclass(frozen=True, slots=True)
class _Rule:
    limit: Limit
    is_watched: bool
    shows_power: bool
    shows_energy: bool


@dataclass(frozen=True, slots=True, eq=False)
class _Table:
    """The rules of a series table, as columns."""

    rules: tuple[_Rule, ...]
    unnameable: BoolArray
    low: FloatArray
    high: FloatArray
    is_watched: BoolArray
    shows_flow: BoolArray  # power, or the counter that power must move


class Checks:
    """The rules with what they must remember; not thread-safe, `Intake` calls it one batch at a time."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.time,
        future_limit_s: float = 300.0,
        confirm_readings: int = 3,
        limits: Mapping[str, Limit] | None = None,
        rates: Mapping[str, float] | None = None,
    ) -> None:
        """`limits` and `rates` narrow or widen the bounds of a quantity or a single field."""
        self._clock = clock
        self._future_limit_ms = int(future_limit_s * 1000)
        self._confirm_readings = confirm_readings
        self._overrides = limits or {}
        self._rate_overrides = rates or {}
        self._rules: dict[str, _Rule] = {}
        self._tables = ByTable(self._table)
        self._rates: dict[tuple[str, str], float] = {}
        self._last_seen = LastSeen()
        self._counters: dict[SeriesKey, CounterState] = {}
        self._lines: dict[_Device, FlatLine] = {}
        self.marks: Counter[str] = Counter()  # rows marked since the start, by rule

    def check(self, batch: Batch) -> Checked:
        """Judge every row; nothing is remembered yet."""
        now_ms = int(self._clock() * 1000)
        otherwise: Tally = Counter()
        kept, reasons = self._refuse(batch, now_ms)
        otherwise.update({(Count.REFUSED, reason): rows for reason, rows in reasons.items() if rows})
        raw = batch.select(kept) if not kept.all() else batch
        repeated = self._last_seen.repeats(raw)
        if repeated.any():
            otherwise[Count.DUPLICATE, "repeated"] = int(repeated.sum())
            raw = raw.select(~repeated)
        quality, marks = self._mark(raw, now_ms)
        states, suspects = self._watch(raw, quality)
        lines, frozen = self._frozen(raw, quality)
        for mark, rows in (*suspects.items(), ("counter.frozen", frozen)):
            quality[rows] |= _SUSPECT
            marks[mark] = len(rows)
        marked = Batch(raw.series, raw.index, raw.time_ms, raw.value, quality)
        return Checked(marked, raw, otherwise, states, lines, marks)

    def remember(self, checked: Checked) -> None:
        """The batch is safe: it is what the next one is compared with."""
        self._last_seen.remember(checked.raw)
        self._counters.update(checked.counters)
        self._lines.update(checked.lines)
        self.marks.update(checked.marks)

    def _refuse(self, batch: Batch, now_ms: int) -> tuple[BoolArray, dict[str, int]]:
        """(m,) rows that can be kept, and how many cannot, each under the first rule it breaks."""
        kept = np.ones(len(batch), np.bool_)
        reasons: dict[str, int] = {}
        unnameable = self._tables.of(batch.series).unnameable
        broken: dict[str, BoolArray] = {
            "series.unnameable": unnameable[batch.index] if len(batch) else ~kept,
            "value.infinite": np.isinf(batch.value),
            "time.impossible": (batch.time_ms < EARLIEST_MS) | (batch.time_ms >= END_MS),
        }
        if now_ms >= SANE_CLOCK_MS:
            broken["time.future"] = batch.time_ms > now_ms + self._future_limit_ms
        for reason, rows in broken.items():
            reasons[reason] = int((rows & kept).sum())
            kept &= ~rows
        return kept, reasons

    def _mark(self, batch: Batch, now_ms: int) -> tuple[UInt8Array, Counter[str]]:
        table = self._tables.of(batch.series)
        low, high = table.low[batch.index], table.high[batch.index]
        quality = batch.quality.copy()
        usable = (quality & _BAD) == 0
        missing = np.isnan(batch.value) & usable
        outside = ((batch.value < low) | (batch.value > high)) & usable
        quality[missing] |= _BAD
        quality[outside] |= _OUT_OF_RANGE
        marks = Counter({"value.missing": int(missing.sum()), "value.out_of_range": int(outside.sum())})
        if now_ms < SANE_CLOCK_MS:
            quality |= _TIME_UNSURE
            marks["clock.unsure"] = len(batch)
        return quality, marks

    def _watch(self, batch: Batch, quality: UInt8Array) -> tuple[dict[SeriesKey, CounterState], dict[str, list[int]]]:
        """New states of the counters in this batch, and the rows at which one fell or leapt."""
        states: dict[SeriesKey, CounterState] = {}
        suspects: dict[str, list[int]] = {"counter.fell": [], "counter.leapt": []}
        for row, position, time_ms, value in _rows(batch, quality, self._tables.of(batch.series).is_watched):
            series = batch.series[position]
            states[series.key], is_suspect = judge(
                states.get(series.key) or self._counters.get(series.key),
                time_ms=time_ms,
                value=value,
                confirm_readings=self._confirm_readings,
                max_per_hour=self._rate(series),
            )
            if is_suspect:
                suspects["counter.fell" if value < states[series.key].baseline else "counter.leapt"].append(row)
        return states, suspects

    def _frozen(self, batch: Batch, quality: UInt8Array) -> tuple[dict[_Device, FlatLine], list[int]]:
        """New states of the devices in this batch, and the rows at which a counter stood still under power."""
        lines: dict[_Device, FlatLine] = {}
        frozen: list[int] = []
        table = self._tables.of(batch.series)
        for row, position, time_ms, value in _rows(batch, quality, table.shows_flow):
            series = batch.series[position]
            device = (series.institution, series.device)
            line = lines.get(device) or replace(self._lines.get(device) or FlatLine())
            lines[device] = line
            if table.rules[position].shows_power:
                line.saw_power(series.quantity, time_ms, value)
            elif line.saw_counter(series.quantity, value):
                frozen.append(row)
        return lines, frozen

    def _rate(self, series: Series) -> float:
        name = (series.device, series.quantity)
        if name not in self._rates:
            self._rates[name] = max_per_hour(*name, self._rate_overrides)
        return self._rates[name]

    def _table(self, series: tuple[Series, ...]) -> _Table:
        rules = tuple(self._rule(one.quantity) for one in series)
        return _Table(
            rules,
            np.array([not _is_nameable(one) for one in series], np.bool_),
            np.array([rule.limit.low for rule in rules], np.float64),
            np.array([rule.limit.high for rule in rules], np.float64),
            np.array([rule.is_watched for rule in rules], np.bool_),
            np.array([rule.shows_power or rule.shows_energy for rule in rules], np.bool_),
        )

    def _rule(self, field: str) -> _Rule:
        rule = self._rules.get(field)
        if rule is None:
            limit = limit_of(field, self._overrides)
            rule = self._rules[field] = _Rule(limit, is_watched(field), field in POWER, field in ENERGY)
        return rule


def _rows(batch: Batch, quality: UInt8Array, wanted: BoolArray) -> Iterator[tuple[int, int, int, float]]:
    """(row, series position, time, value) of usable rows of the wanted series, in the batch's order."""
    if not wanted.any():
        return
    rows = np.flatnonzero(wanted[batch.index] & ((quality & _NO_BASELINE) == 0))
    yield from zip(
        rows.tolist(), batch.index[rows].tolist(), batch.time_ms[rows].tolist(), batch.value[rows].tolist(), strict=True
    )


def _is_nameable(series: Series) -> bool:
    """Lone surrogates are not text, and a field needs a name."""
    if not series.quantity:
        return False
    try:
        "".join((*series.key, series.measurement, series.building, series.region)).encode()
    except UnicodeEncodeError:
        return False
    return True
