"""A stopped gateway's buffer is read without changing it; what waits can be carried out as CSV."""

import csv
import hashlib
import io
from collections import Counter

import pytest

from kgce.collectors.files.readings import COLUMNS
from kgce.domain.batch import Batch, Quality
from kgce.domain.errors import ConfigError, InputError
from kgce.domain.events import Event, Severity
from kgce.domain.tree import Series
from kgce.edge.buffer.buffer import Buffer
from kgce.edge.buffer.counters import Count
from kgce.edge.buffer.export import BILLED, export
from kgce.edge.buffer.inspection import Inspection
from tests.edge.fakes import NOW_MS, clock, power_batch, rows_of

METER = Series("hall", "main", "active_energy_import", measurement="electricity")
HEAT_VOLUME = Series("hall", "heat", "water_volume", measurement="heat")


def leave(folder) -> dict:
    """A buffer with something of everything; its status at the end."""
    with Buffer(folder, clock=clock) as buffer:
        for i in range(4):
            buffer.put(power_batch(10 * i, 10), Counter({(Count.DUPLICATE, "repeated"): 1}))
        parcel = buffer.peek_oldest(10)
        buffer.bury(parcel, parcel.batch, "the store said no", Counter())
        buffer.put_event(Event("counter.fell", NOW_MS, "hall/main", Severity.WARNING, "it fell", {"from": 5.0}))
        buffer.put_all([(power_batch(40, 2), Counter())], clock_id="a-boot")
        return {
            "counters": buffer.counters(),
            "reasons": buffer.reasons(),
            "events": buffer.event_counts(),
            "buffer": buffer.status(),
        }


def test_inspection_says_what_the_gateway_said_last(tmp_path) -> None:
    last = leave(tmp_path)
    with Inspection(tmp_path) as found:
        status = found.status()
        assert [len(batch) for batch in found.waiting()] == [10, 10, 10, 2]
        assert [event.evidence for event in found.events()] == [{"from": 5.0}]
        (letter,) = found.letters()
        assert (letter.rows, letter.reason) == (10, "the store said no")
        assert rows_of(found.letter(letter.seq)[1]) == rows_of(power_batch(0, 10))
    assert {name: status[name] for name in ("counters", "reasons", "events")} == {
        name: last[name] for name in ("counters", "reasons", "events")
    }
    assert status["equation_holds"]
    same = ("batches", "rows", "held_rows", "dead_letters", "quarantined_batches", "oldest_ms", "drops", "repairs")
    assert {name: status["buffer"][name] for name in same} == {name: last["buffer"][name] for name in same}
    assert status["buffer"]["held_rows"] == 2


def test_looking_changes_nothing_in_the_file(tmp_path) -> None:
    leave(tmp_path)
    before = hashlib.sha256((tmp_path / "buffer.sqlite").read_bytes()).hexdigest()
    with Inspection(tmp_path) as found:
        found.status()
        list(found.waiting())
    assert hashlib.sha256((tmp_path / "buffer.sqlite").read_bytes()).hexdigest() == before


def test_a_killed_gateways_log_of_writes_is_read_too(tmp_path) -> None:
    buffer = Buffer(tmp_path / "one", clock=clock) if (tmp_path / "one").mkdir() is None else None
    buffer.put(power_batch(0, 3))
    (tmp_path / "two").mkdir()
    for file in (tmp_path / "one").iterdir():  # as a kill leaves them: the log not yet in the file
        (tmp_path / "two" / file.name).write_bytes(file.read_bytes())
    buffer.close()
    with Inspection(tmp_path / "two") as found:
        assert found.status()["counters"]["waiting"] == 3


def test_a_folder_without_buffer_a_running_gateway_and_a_damaged_file_are_told_apart(tmp_path) -> None:
    with pytest.raises(ConfigError, match="no gateway has run"):
        Inspection(tmp_path)
    with Buffer(tmp_path, clock=clock) as buffer:
        buffer.put(power_batch(0, 1))
        with pytest.raises(ConfigError, match="stop it first"):
            Inspection(tmp_path)
    (tmp_path / "buffer.sqlite").write_bytes(b"\0" * 8192)
    with pytest.raises(ConfigError, match="the next start of the gateway repairs it"):
        Inspection(tmp_path)


def test_a_letter_that_is_not_there_is_told(tmp_path) -> None:
    leave(tmp_path)
    with Inspection(tmp_path) as found, pytest.raises(InputError, match="no dead letter 99"):
        found.letter(99)


def test_export_writes_billed_counters_in_the_form_that_import_reads() -> None:
    assert COLUMNS.required == BILLED
    power = Series("hall", "main", "active_power_total", measurement="electricity")
    rows = [
        (METER, 1_767_225_600_123, 10.5, 0),
        (power, 1_767_225_600_123, 3.2, 0),
        (METER, 1_767_225_660_000, 11.5, int(Quality.SUSPECT)),
        (METER, 1_767_225_720_000, 12.5, int(Quality.TIME_UNSURE)),
        (HEAT_VOLUME, 1_767_225_720_000, 99.0, 0),
    ]
    out = io.StringIO()
    result = export([Batch.from_rows(rows), None], out)
    assert list(csv.reader(out.getvalue().splitlines()))[1:] == [
        ["2026-01-01T00:00:00.123+00:00", "hall", "main", "electricity", "counter", "kWh", "10.5"],
        ["2026-01-01T00:02:00.000+00:00", "hall", "main", "electricity", "counter", "kWh", "12.5"],
    ]
    assert (result.rows, result.other, result.unusable, result.damaged_batches) == (2, 2, 1, 1)


def test_raw_export_writes_every_reading_with_its_quality() -> None:
    rows = [
        (METER, 1_767_225_600_000, 10.5, int(Quality.SUSPECT)),
        (Series("hall", "x", "of an older kgce"), 1_767_225_600_000, 1.0, 0),
    ]
    out = io.StringIO()
    assert export([Batch.from_rows(rows)], out, raw=True).rows == 2
    assert out.getvalue().splitlines()[1:] == [
        "2026-01-01T00:00:00.000+00:00,hall,main,active_energy_import,kWh,10.5,2",
        "2026-01-01T00:00:00.000+00:00,hall,x,of an older kgce,,1.0,0",
    ]
