"""A counter held against the power its own device sends."""

import numpy as np
import pytest

from kgce.analytics.power_check import power_findings
from kgce.domain.batch import Batch
from kgce.domain.quantities import Kind
from kgce.domain.tree import Point, Series
from tests.analytics.fakes import MemoryStore

HOUR = 3_600_000
JANUARY = 1_546_272_000_000  # 2019-01-01 in Asia/Shanghai
COUNTER = Series("hall", "main", "active_energy_import", "electricity", "", "370102")
POWER = Series("hall", "main", "active_power", "electricity", "", "370102")
POINT = Point(COUNTER, "electricity", Kind.COUNTER)


def store(power_kw: float, *, hours: int = 31 * 24, silent: slice = slice(0, 0), device: str = "main") -> MemoryStore:
    """A counter of 5 kWh each hour of January, and a power; a silent stretch takes power readings out."""
    time = JANUARY + HOUR * np.arange(hours + 1)
    held = MemoryStore()
    spoken = np.delete(np.arange(len(time)), silent)
    for series, times, values in (
        (COUNTER, time, 1000 + 5.0 * np.arange(len(time))),
        (
            Series("hall", device, "active_power", "electricity", "", "370102"),
            time[spoken],
            np.full(len(spoken), power_kw),
        ),
    ):
        held.append(Batch.of([series], np.zeros(len(times), np.int32), times, values, np.zeros(len(times), np.uint8)))
    return held


def found(held: MemoryStore, points=(POINT,)):
    return power_findings(held, points, [], year=2019, timezone="Asia/Shanghai")


@pytest.mark.parametrize(("power", "disagrees"), [(5.0, False), (5.24, False), (5.26, True), (4.74, True)])
def test_a_twentieth_is_the_limit(power: float, disagrees: bool) -> None:
    assert bool(found(store(power))) is disagrees


def test_the_evidence_holds_both_sums_and_the_likely_slip() -> None:
    [finding] = found(store(5000.0))
    assert (finding.id, finding.subject) == ("power.disagrees", "hall")
    assert finding.evidence == {
        "year": 2019, "point": "main.active_energy_import", "months": 1,
        "counted_kWh": pytest.approx(5 * 744), "integral_kWh": pytest.approx(5000 * 744), "ratio": pytest.approx(1000),
    }  # fmt: skip
    assert "W taken for kW" in finding.message


def test_a_month_whose_power_is_not_known_nearly_all_the_time_says_nothing() -> None:
    assert found(store(9.0, silent=slice(100, 130))), "30 of 744 hours are missing"
    assert not found(store(9.0, silent=slice(100, 140))), "40 of 744 hours are missing: 5.5 %"


def test_another_devices_power_is_not_looked_at() -> None:
    assert not found(store(9.0, device="boiler"))
