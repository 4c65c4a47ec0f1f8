"""A damaged file costs what is damaged: the rest is delivered, the loss is counted and told, and the gateway starts."""

import contextlib
import sqlite3
from collections import Counter

import numpy as np
import pytest

from kgce.domain.errors import StoreUnavailable
from kgce.domain.events import Event, Severity
from kgce.edge.buffer.buffer import Buffer
from kgce.edge.buffer.counters import Count, holds
from tests.edge.fakes import NOW_MS, clock, power_batch, rows_of

BATCHES, ROWS = 100, 50
PAGE = 4096


@pytest.fixture
def folder(tmp_path):
    """A buffer with batches, an event, a dead letter and counts, closed properly."""
    random = np.random.default_rng(1)
    with Buffer(tmp_path, clock=clock) as buffer:
        for i in range(BATCHES):
            batch = power_batch(i * ROWS, ROWS)
            batch.value[:] = random.random(ROWS)  # does not compress: the file has many pages
            buffer.put(batch)
        buffer.put_event(Event("clock.jumped", NOW_MS, "gateway", Severity.WARNING, "jumped"))
        buffer.done(buffer.peek_oldest(ROWS), Counter({(Count.STORED, ""): ROWS}))
    return tmp_path


def damage(folder, page: int, size: int = PAGE) -> None:
    with (folder / "buffer.sqlite").open("r+b") as file:
        file.seek(page * PAGE)
        file.write(b"\xa5" * size)


def pages(folder) -> int:
    return (folder / "buffer.sqlite").stat().st_size // PAGE


def delivered(buffer: Buffer) -> int:
    """Hand everything over; rows."""
    rows = 0
    while (parcel := buffer.peek_oldest(1_000_000)) is not None:
        assert rows_of(parcel.batch)
        rows += len(parcel)
        buffer.done(parcel, Counter({(Count.STORED, ""): len(parcel)}))
    return rows


def check(folder, *, at_least: float) -> dict:
    with Buffer(folder, clock=clock) as buffer:
        status = buffer.status()
        counts = buffer.counters()
        assert holds(counts), counts
        rows = delivered(buffer)
        assert rows >= at_least * (BATCHES - 1) * ROWS
        assert holds(buffer.counters())
        new = buffer.put(power_batch(0))
        assert new > BATCHES or rows == 0, "numbers go on where any could be read"
    return status


def test_a_sound_file_is_not_repaired(folder) -> None:
    assert check(folder, at_least=1.0)["repairs"] == []


def test_a_file_with_records_of_drops_is_sound_too(folder) -> None:
    with Buffer(folder, clock=clock, max_bytes=60_000) as buffer:
        buffer.put(power_batch(9_000_000, 1000))
        assert buffer.drops()
    with Buffer(folder, clock=clock) as buffer:
        assert buffer.status()["repairs"] == []
        assert not list(folder.glob("*.damaged-*"))


def test_a_corrupted_last_page_costs_that_page(folder) -> None:
    damage(folder, pages(folder) - 1)
    status = check(folder, at_least=0.9)
    if status["repairs"]:
        assert list(folder.glob("buffer.sqlite.damaged-*"))


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_a_corrupted_page_in_the_middle_costs_what_was_on_it(folder, share) -> None:
    damage(folder, int(pages(folder) * share))
    status = check(folder, at_least=0.8)
    (repair,) = status["repairs"] or [{"rows": 0}]
    assert repair["rows"] < 0.2 * BATCHES * ROWS


def test_a_corrupted_head_costs_what_cannot_be_read_but_the_gateway_starts(folder, caplog) -> None:
    damage(folder, 0)
    status = check(folder, at_least=0.0)
    assert "not a database" in status["repairs"][0]["what"] or "malformed" in status["repairs"][0]["what"]
    assert any("damaged" in record.message for record in caplog.records)
    assert list(folder.glob("buffer.sqlite.damaged-*")), "the old file is kept for a person"


def test_a_truncated_file_costs_what_was_cut_off(folder) -> None:
    with (folder / "buffer.sqlite").open("r+b") as file:
        file.truncate(PAGE * (pages(folder) // 2))
    status = check(folder, at_least=0.0)
    assert status["repairs"]


def test_a_file_that_is_no_database_is_moved_aside(tmp_path) -> None:
    (tmp_path / "buffer.sqlite").write_bytes(b"not a database " * 1000)
    with Buffer(tmp_path, clock=clock) as buffer:
        assert buffer.put(power_batch(0)) == 1
        (repair,) = buffer.status()["repairs"]
    assert (tmp_path / repair["moved_to"]).read_bytes().startswith(b"not a database")


def test_events_dead_letters_and_counts_survive_a_repair(folder) -> None:
    with sqlite3.connect(folder / "buffer.sqlite") as db:
        (root,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'quarantine'").fetchone()
    db.close()
    damage(folder, root - 1)
    with Buffer(folder, clock=clock) as buffer:
        assert len(buffer.status()["repairs"]) == 1
        assert [event.id for _, event in buffer.peek_events(10)] == ["clock.jumped"]
        counts = buffer.counters()
        assert (counts["polled"], counts["stored"]) == (BATCHES * ROWS, ROWS)
        assert delivered(buffer) == (BATCHES - 1) * ROWS


def test_a_page_that_breaks_while_the_gateway_runs_stops_nothing(folder) -> None:
    with Buffer(folder, clock=clock) as buffer:
        (root,) = buffer._db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'batch'").fetchone()
        buffer._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        buffer._db.execute("PRAGMA cache_size = 1")
        buffer._db.execute("PRAGMA shrink_memory")
        damage(folder, root - 1)
        before = buffer.counters()
        for _ in range(2):
            with contextlib.suppress(StoreUnavailable):  # the first may meet the broken page
                buffer.put(power_batch(10**6, 3))
                break
        else:
            pytest.fail("it never takes readings again")
        counts = buffer.counters()
        assert counts["polled"] == before["polled"] + 3
        assert holds(counts)


def test_without_its_log_a_file_is_what_the_last_checkpoint_left(tmp_path) -> None:
    """The log of a killed gateway is garbage: what it held is lost, and nothing else."""
    buffer = Buffer(tmp_path, clock=clock)
    buffer.put(power_batch(0, 5))
    buffer._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    buffer.put(power_batch(10, 5))
    log = (tmp_path / "buffer.sqlite-wal").read_bytes()
    main = (tmp_path / "buffer.sqlite").read_bytes()
    buffer.close()
    other = tmp_path / "other"
    other.mkdir()
    (other / "buffer.sqlite").write_bytes(main)
    (other / "buffer.sqlite-wal").write_bytes(bytes(byte ^ 0xFF for byte in log))
    with Buffer(other, clock=clock) as again:
        assert delivered(again) == 5
        assert holds(again.counters())


def test_a_repair_that_was_killed_is_taken_up_at_the_next_start(folder) -> None:
    damage(folder, 5)
    (folder / "buffer.sqlite").rename(folder / "buffer.sqlite.damaged-20260101T000000")  # then the power went
    status = check(folder, at_least=0.9)
    assert "interrupted" in status["repairs"][0]["what"]
    with Buffer(folder, clock=clock) as buffer:
        assert len(buffer.status()["repairs"]) == 1, "and only once"
