"""Many counters at once: the same as one by one, and the same as the definition done slowly."""

import itertools
import statistics

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kgce.analytics.ledger import counter
from kgce.analytics.ledger.amounts import Amounts, Flag, Provenance
from kgce.analytics.ledger.counter import counter_amounts, counter_amounts_many
from kgce.domain.batch import Quality

HOUR = 3_600_000
COLUMNS = ("amount", "coverage", "provenance", "flags")


def columns(rows: list[tuple[int, int, float, int]]):
    index, time_ms, value, quality = zip(*rows, strict=True) if rows else ((), (), (), ())
    return np.array(index, np.int32), np.array(time_ms, np.int64), np.array(value, float), np.array(quality, np.uint8)


def assert_same(found: Amounts, expected: Amounts) -> None:
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), err_msg=name)


@st.composite
def fleets(draw: st.DrawFn) -> list[tuple[int, int, float, int]]:
    """Readings of five counters in any order, with dips, resets, spikes, gaps, bad and repeated rows."""
    rows = []
    for series in range(draw(st.integers(1, 5))):
        time_ms, level = draw(st.integers(0, HOUR)), draw(st.floats(0, 1e6))
        for _ in range(draw(st.integers(0, 25))):
            time_ms += draw(st.sampled_from([900_000, 900_000, 900_000, 840_000, 0, 3 * HOUR]))
            level = draw(st.sampled_from([level + 1.5, level + 1.5, level + 10, level, 0.0]))
            shown = draw(st.sampled_from([level] * 8 + [0.0, 1e9, np.nan]))
            bits = draw(st.sampled_from([0] * 9 + [Quality.SUSPECT])) | (Quality.BAD if np.isnan(shown) else 0)
            rows.append((series, time_ms, shown, int(bits)))
    return draw(st.permutations(rows)) if draw(st.booleans()) else rows


@given(fleets(), st.sampled_from([300_000, 900_000, HOUR, 24 * HOUR]))
@settings(max_examples=60)
def test_many_counters_at_once_are_bit_for_bit_the_same_as_one_by_one(rows, step) -> None:
    index, time_ms, value, quality = columns(rows)
    edges = np.arange(-step, max(time_ms, default=0) + 2 * step, step, dtype=np.int64)
    found = counter_amounts_many(index, time_ms, value, quality, edges, 6)
    for series in range(6):
        own = index == series
        assert_same(found.row(series), counter_amounts(time_ms[own], value[own], quality[own], edges))


def test_blocks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    """However the counters are cut into blocks, the result is the same."""
    random = np.random.default_rng(3)
    sizes = random.integers(0, 40, 60)
    index = np.repeat(np.arange(60, dtype=np.int32), sizes)
    time_ms = np.concatenate([np.cumsum(random.integers(1, HOUR, size)) for size in sizes]).astype(np.int64)
    value = np.concatenate([np.cumsum(random.random(size)) for size in sizes])
    quality = np.zeros(len(index), np.uint8)
    edges = np.arange(0, 48 * HOUR, HOUR, dtype=np.int64)
    whole = counter_amounts_many(index, time_ms, value, quality, edges, 60)
    for cells, counters in ((1, 1000), (500, 1000), (1 << 30, 7)):
        monkeypatch.setattr(counter, "BLOCK_CELLS", cells)
        monkeypatch.setattr(counter, "BLOCK_COUNTERS", counters)
        assert_same(counter_amounts_many(index, time_ms, value, quality, edges, 60), whole)


def slow_truth(times: list[int], values: list[float], edges: list[int]) -> list[tuple[float | None, float, Provenance]]:
    """Decision 0002 word by word, stretch by stretch; a fall is a reset (the data holds no spikes)."""
    stretches = list(zip(itertools.pairwise(times), itertools.pairwise(values), strict=True))
    limit = max(1.5 * statistics.median(b - a for (a, b), _ in stretches), 60_000)
    found = []
    for start, end in itertools.pairwise(edges):
        amount, bounded, covered, guessed = 0.0, 0, 0, False
        for (a, b), (low, high) in stretches:
            shared = min(b, end) - max(a, start)
            if shared <= 0 or high < low:
                continue
            amount += (high - low) * shared / (b - a)
            bounded += shared
            if (start <= a and b <= end) or b - a <= limit:
                covered += shared
            else:
                guessed = True
        kind = Provenance.MISSING if not bounded else Provenance.INTERPOLATED if guessed else Provenance.MEASURED
        found.append((amount if bounded else None, covered / (end - start), kind))
    return found


@given(
    st.lists(st.tuples(st.sampled_from([600, 900, 900, 1300, 5000, 40_000]), st.floats(0, 100)), min_size=2, max_size=30),
    st.integers(0, 30),
    st.sampled_from([700, 900, 3600, 86_400]),
)  # fmt: skip
def test_the_kernel_agrees_with_the_definition_done_slowly(steps, reset_at, width_s) -> None:
    times = [0, *itertools.accumulate(seconds * 1000 for seconds, _ in steps)]
    values = [1e5, *itertools.accumulate((rise for _, rise in steps), initial=1e5)][1:]
    values = [value if place < reset_at else value - 1e5 for place, value in enumerate(values)]
    edges = list(range(-width_s * 1000, times[-1] + 2 * width_s * 1000, width_s * 1000))
    found = counter_amounts(
        np.array(times, np.int64), np.array(values), np.zeros(len(times), np.uint8), np.array(edges, np.int64)
    )
    for place, (amount, covered, provenance) in enumerate(slow_truth(times, values, edges)):
        assert found.provenance[place] == provenance
        assert found.coverage[place] == pytest.approx(covered, abs=1e-9)
        if amount is None:
            assert np.isnan(found.amount[place])
        else:
            assert found.amount[place] == pytest.approx(amount, rel=1e-9, abs=1e-6)


def test_counters_without_readings_or_with_one_are_missing_between_their_neighbours() -> None:
    rows = [(0, 0, 1.0, 0), (0, HOUR, 2.0, 0), (2, 0, 5.0, 0), (3, 0, 1.0, 0), (3, HOUR, 4.0, 0)]
    found = counter_amounts_many(*columns(rows), np.array([0, HOUR], np.int64), 5)
    np.testing.assert_array_equal(found.amount[:, 0], [1, np.nan, np.nan, 3, np.nan])


def test_a_reset_of_one_counter_flags_no_other() -> None:
    rows = [(series, hour * HOUR, float(hour + 100), 0) for series in (0, 2) for hour in range(8)]
    rows += [(1, hour * HOUR, 1000.0 + hour if hour < 4 else float(hour), 0) for hour in range(8)]
    found = counter_amounts_many(*columns(rows), np.arange(8, dtype=np.int64) * HOUR, 3)
    assert found.flags.tolist() == [[0] * 7, [0] * 3 + [Flag.RESET] + [0] * 3, [0] * 7]
    assert np.isnan(found.amount).sum() == 1


def test_columns_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="differ in length"):
        counter_amounts(np.zeros(1, np.int64), np.zeros(2), np.zeros(1, np.uint8), np.array([0, 1], np.int64))
