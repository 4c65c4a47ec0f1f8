"""Observers see what was kept and can lose nothing."""

import pytest

from kgce.domain.errors import StoreUnavailable
from kgce.domain.ports import AppendResult
from kgce.edge.uplink.tee import TeeSink
from tests.edge.fakes import MemorySink, MoodySink, power_batch


def test_observers_see_a_batch_after_the_sink_has_kept_it() -> None:
    sink, seen = MemorySink(), []
    tee = TeeSink(sink, lambda batch: seen.append((len(batch), len(sink.rows))), seen.append)
    batch = power_batch(0, 3)
    assert tee.append(batch) == AppendResult(stored=3)
    assert seen == [(3, 3), batch]


def test_observers_see_nothing_the_sink_did_not_take() -> None:
    seen = []
    tee = TeeSink(MoodySink(["down"]), seen.append)
    with pytest.raises(StoreUnavailable):
        tee.append(power_batch(0))
    assert seen == []


def test_a_failing_observer_loses_nothing_and_is_reported_once(caplog) -> None:
    caplog.set_level("INFO")
    seen, broken = [], [True]

    def moody(_batch) -> None:
        if broken[0]:
            raise RuntimeError("page gone")

    sink = MemorySink()
    tee = TeeSink(sink, moody, seen.append)
    for i in range(3):
        assert tee.append(power_batch(i)).stored == 1
    broken[0] = False
    tee.append(power_batch(3))
    assert len(sink.rows) == len(seen) == 4
    assert [record.levelname for record in caplog.records] == ["ERROR", "INFO"]
