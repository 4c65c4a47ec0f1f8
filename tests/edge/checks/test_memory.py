"""The checks' memory on disk: whole or as good as none."""

import pytest

from kgce.domain.batch import Batch, Quality
from kgce.edge.checks.checks import Checks
from kgce.edge.checks.memory import CheckMemory, restore
from kgce.edge.intake import Intake
from tests.edge.fakes import ENERGY, NOW_MS, clock


class _Nowhere:
    def put_all(self, batches, *, clock_id=""):
        return 1


def saved(folder) -> None:
    intake = Intake(Checks(clock=clock), _Nowhere())
    intake.take([Batch.from_rows([(ENERGY, NOW_MS - 5000, 5000.0, 0)])])
    intake.take([Batch.from_rows([(ENERGY, NOW_MS - 4000, 1.0, 0)])])
    CheckMemory(folder, intake).save()


def test_a_suspicion_goes_on_after_a_restart(tmp_path) -> None:
    saved(tmp_path)
    checks = Checks(clock=clock, confirm_readings=1)
    restore(tmp_path, checks.restore)
    checked = checks.check(Batch.from_rows([(ENERGY, NOW_MS - 3000, 1.1, 0)]))
    assert checked.batch.quality.tolist() == [0], "the second reading on the new level confirms it"
    assert [event.id for event in checked.events] == ["counter.new_level"]


@pytest.mark.parametrize("content", [b"", b"\xff\x00", b"[]", b'{"format": 1}', b'{"format": 1, "counters": [[1]]}'])
def test_a_damaged_memory_costs_only_the_memory(tmp_path, content, caplog) -> None:
    (tmp_path / "checks.json").write_bytes(content)
    checks = Checks(clock=clock)
    restore(tmp_path, checks.restore)
    assert checks.check(Batch.from_rows([(ENERGY, NOW_MS, 1.0, 0)])).batch.quality.tolist() == [0]
    assert "start without a memory" in caplog.text


def test_a_memory_of_another_format_is_not_taken(tmp_path) -> None:
    (tmp_path / "checks.json").write_bytes(b'{"format": 99, "counters": [], "flat_lines": []}')
    checks = Checks(clock=clock)
    restore(tmp_path, checks.restore)
    assert checks.state() == {"counters": [], "flat_lines": []}


def test_suspect_is_what_leaves(tmp_path) -> None:
    saved(tmp_path)
    checks = Checks(clock=clock)
    restore(tmp_path, checks.restore)
    checked = checks.check(Batch.from_rows([(ENERGY, NOW_MS - 3000, 1.1, 0)]))
    assert checked.batch.quality.tolist() == [Quality.SUSPECT]
