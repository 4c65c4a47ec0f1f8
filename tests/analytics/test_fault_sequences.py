"""Conservation over random sequences of faults: whatever happens to the readings, the energy is the planted one."""

import itertools
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kgce.analytics.ledger.changes import Rules
from kgce.analytics.ledger.counter import counter_amounts
from kgce.domain.batch import Quality
from kgce.domain.changes import MeterChange

QUARTER = 900_000
WIDTH = 10_000.0
SLOTS = 240


@dataclass
class Meter:
    """A register that follows a planted load, and what goes wrong with it; quarter by quarter."""

    load: list[float]
    rows: list[tuple[int, float, int]] = field(default_factory=list)
    changes: list[MeterChange] = field(default_factory=list)
    used: list[float] = field(default_factory=list)  # planted, up to each slot
    shown: float = 9_000.0
    hidden: int = 0  # slots still without readings
    low: int = 0  # slots still showing zero
    quiet: int = 0  # slots to stay healthy, so that one fault's end is seen before the next begins

    def run(self, faults: dict[int, str]) -> None:
        total = 0.0
        for slot in range(SLOTS):
            if slot:
                total += self.load[slot % len(self.load)]
                self.shown = (self.shown + self.load[slot % len(self.load)]) % WIDTH
            self.used.append(total)
            fault = faults.get(slot) if not self.quiet else None
            if fault in {"dip", "spike"} and not 600 < self.shown < WIDTH - 600:
                fault = None  # beside a roll-over a zero and a nine-thousand are what the register shows
            self._begin(slot, fault)
            self._show(slot, fault)

    def _begin(self, slot: int, fault: str | None) -> None:
        self.quiet = 12 if fault else max(self.quiet - 1, 0)
        if fault == "outage":
            self.hidden = 7
        elif fault == "dip":
            self.low = 3
        elif fault == "replaced":
            new_first = 4_321.0
            self.changes.append(
                MeterChange("a", "m", "q", slot * QUARTER + 1, old_last=self.shown, new_first=new_first)
            )
            self.shown = new_first

    def _show(self, slot: int, fault: str | None) -> None:
        time_ms = slot * QUARTER + (2 if fault == "replaced" else 0)
        if self.hidden:
            self.hidden -= 1
        elif self.low:
            self.low -= 1
            self.rows.append((time_ms, 0.0, 0))
        elif fault == "spike":
            self.rows.append((time_ms, 9_999.0, 0))
        elif fault == "bad":
            self.rows.append((time_ms, 77.0, int(Quality.BAD)))
        else:
            copies = 3 if fault == "repeated" else 1
            self.rows += [(time_ms, self.shown, 0)] * copies


faults_at = st.dictionaries(
    st.integers(12, SLOTS - 20),
    st.sampled_from(["outage", "dip", "replaced", "bad", "repeated", "spike"]),
    max_size=12,
)


@settings(deadline=None)
@given(st.lists(st.floats(0.5, 40), min_size=1, max_size=12), faults_at, st.randoms(use_true_random=False))
def test_whatever_happens_the_amounts_add_up_to_what_was_used(load, faults, random) -> None:
    """Rolls over at 10 000; outages, dips, spikes, swaps, bad and repeated rows, in any order of arrival."""
    meter = Meter(load)
    meter.run(faults)
    rows = list(meter.rows)
    random.shuffle(rows)
    time_ms, value, quality = (np.array(column) for column in zip(*rows, strict=True))
    edges = np.arange(SLOTS, dtype=np.int64) * QUARTER
    rules = Rules(np.array([WIDTH]), np.array([4 * 45.0]), {0: meter.changes} if meter.changes else {})
    found = counter_amounts(time_ms.astype(np.int64), value.astype(float), quality.astype(np.uint8), edges, rules)
    assert not np.isnan(found.amount).any(), f"nothing here is unknown: {faults}"
    assert found.amount.sum() == pytest.approx(meter.used[-1], rel=1e-9)
    quarters = np.diff(meter.used)
    untouched = (found.provenance == 1) & (found.flags == 0)
    np.testing.assert_allclose(found.amount[untouched], quarters[untouched], rtol=0, atol=45 * 2 / QUARTER * 50 + 1e-6)
    assert (found.estimated >= 0).all()
    assert (found.estimated <= found.amount + 1e-9).all()
    for low, high in itertools.pairwise(sorted(random.sample(range(SLOTS), 5))):
        days = counter_amounts(
            time_ms.astype(np.int64), value.astype(float), quality.astype(np.uint8), edges[[low, high]], rules
        )
        assert days.amount[0] == pytest.approx(found.amount[low:high].sum(), rel=1e-9), "a coarser grid, the same sum"


def test_outages_alone_are_told_as_estimated_and_nothing_else_is() -> None:
    meter = Meter([10.0])
    meter.run({100: "outage"})
    time_ms, value, quality = (np.array(column) for column in zip(*meter.rows, strict=True))
    edges = np.arange(SLOTS, dtype=np.int64) * QUARTER
    found = counter_amounts(
        time_ms.astype(np.int64),
        value.astype(float),
        quality.astype(np.uint8),
        edges,
        Rules(np.array([WIDTH]), np.array([np.nan])),
    )
    assert np.flatnonzero(found.estimated).tolist() == list(range(99, 107))
    assert found.estimated.sum() == pytest.approx(80)
    whole = counter_amounts(
        time_ms.astype(np.int64),
        value.astype(float),
        quality.astype(np.uint8),
        edges[[0, -1]],
        Rules(np.array([WIDTH]), np.array([np.nan])),
    )
    assert whole.estimated[0] == 0, "the sum over the outage was measured"
