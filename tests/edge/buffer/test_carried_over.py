"""A file of an older kgce keeps every batch, count and number; the boots of earlier starts are remembered."""

import sqlite3
from pathlib import Path

import pytest

from kgce.edge.buffer.buffer import Buffer
from kgce.edge.buffer.counters import holds
from tests.edge.fakes import clock, power_batch, rows_of

OLD = Path(__file__).with_name("schema1.sql")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What an older kgce left: five batches, one of them damaged, two gone for want of space."""
    db = sqlite3.connect(tmp_path / "buffer.sqlite")
    db.executescript(OLD.read_text() + "INSERT INTO dropped VALUES (90, 91, 5, 6, 7, 2);")
    db.execute("PRAGMA journal_mode = WAL")
    db.close()
    return tmp_path


def test_a_file_of_schema_1_keeps_every_batch_count_and_number(folder: Path) -> None:
    with Buffer(folder, clock=clock) as buffer:
        assert buffer.counters() == {
            "polled": 58, "stored": 0, "duplicate": 0, "refused": 5, "dropped": 3, "waiting": 50,
        }  # fmt: skip
        assert buffer.reasons() == {"dropped": {"buffer.unavailable": 3}, "refused": {"time.future": 5}}
        (drop,) = buffer.drops()
        assert (drop.first_seq, drop.last_seq, drop.rows, drop.reason) == (90, 91, 7, "buffer.full")
        first = buffer.peek_oldest(10)
        assert (first.first, first.boot) == (1, "schema1-1")
        assert rows_of(first.batch) == rows_of(power_batch(0, 10)), "its rows are what they were"
        rest = buffer.peek_oldest(1000, after=1)
        assert (rest.first, rest.last, len(rest)) == (3, 5, 30), "the damaged one is set aside"
        assert buffer.quarantined() == 1
        assert buffer.put(power_batch(90, 1)) == 6, "numbers go on"
        assert holds(buffer.counters())


def test_a_file_is_carried_over_once(folder: Path) -> None:
    for _ in range(2):
        with Buffer(folder, clock=clock) as buffer:
            assert buffer.waiting_rows() == 50
    with Buffer(folder, clock=clock) as buffer:
        assert buffer.starts == 4, "the old one had started once"


def test_the_last_twenty_boots_are_known_after_a_start(tmp_path: Path) -> None:
    boots = []
    for _ in range(25):
        with Buffer(tmp_path, clock=clock) as buffer:
            boots.append(buffer.boot)
    assert len(set(boots)) == 25
    with Buffer(tmp_path, clock=clock) as buffer:
        assert buffer.past_boots == frozenset(boots[-20:])
        assert buffer.boot not in buffer.past_boots
