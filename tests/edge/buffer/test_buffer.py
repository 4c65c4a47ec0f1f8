"""The buffer keeps what it took, in order, within its bound, and counts what it could not keep."""

import shutil
from collections import Counter

import numpy as np
import pytest

from kgce.domain.batch import Batch
from kgce.domain.errors import ConfigError, InputError, StoreUnavailable
from kgce.domain.tree import Series
from kgce.edge.buffer.buffer import Buffer
from kgce.edge.buffer.counters import Count, holds
from kgce.edge.buffer.space import Bounds
from tests.edge.fakes import ENERGY, NOW_MS, clock, corrupt_waiting, full_disk, power_batch, rows_of


@pytest.fixture
def buffer(tmp_path):
    with Buffer(tmp_path, clock=clock) as opened:
        yield opened


def reopen(buffer: Buffer) -> Buffer:
    """What a new process finds after the old one was killed: committed transactions, nothing else."""
    buffer._db.close()
    return Buffer(buffer.path.parent, max_bytes=buffer.max_bytes, clock=clock)


def waiting(buffer: Buffer) -> list[int]:
    """Numbers of the batches that wait, oldest first."""
    return [seq for (seq,) in buffer._db.execute("SELECT seq FROM batch ORDER BY seq")]


def energy_batch(first: int, count: int = 1) -> Batch:
    """Like power_batch, of a counter: the last thing to be given up."""
    return power_batch(first, count, ENERGY)


def stored(rows: int) -> Counter:
    return Counter({(Count.STORED, ""): rows})


def test_batches_come_out_oldest_first_as_they_went_in(buffer) -> None:
    given = [power_batch(i * 3, 3) for i in range(5)]
    seqs = [buffer.put(batch) for batch in given]
    parcel = buffer.peek_oldest(1000)
    assert (parcel.boot, parcel.first, parcel.last) == (buffer.boot, seqs[0], seqs[-1])
    assert rows_of(parcel.batch) == [row for batch in given for row in rows_of(batch)]
    assert (buffer.waiting_batches(), buffer.waiting_rows()) == (5, 15)


def test_peeking_gives_at_most_the_rows_asked_for_but_at_least_one_batch(buffer) -> None:
    for i in range(4):
        buffer.put(power_batch(10 * i, 10))
    assert [len(buffer.peek_oldest(limit)) for limit in (1, 10, 19, 20, 1000)] == [10, 10, 10, 20, 40]
    assert [len(buffer.peek_newest(limit, upto=99)) for limit in (1, 10, 19, 20, 1000)] == [10, 10, 10, 20, 40]
    assert buffer.waiting_batches() == 4, "peeking takes nothing away"


def test_done_deletes_the_batch_and_counts_its_rows_together(buffer) -> None:
    buffer.put(power_batch(0, 4))
    second = buffer.put(power_batch(4, 2))
    buffer.done(buffer.peek_oldest(1), stored(4))
    assert waiting(buffer) == [second]
    assert buffer.counters() == {
        "polled": 6, "stored": 4, "duplicate": 0, "refused": 0, "dropped": 0, "waiting": 2,
    }  # fmt: skip


def test_a_batch_put_is_there_after_the_process_is_gone(buffer) -> None:
    buffer.put(power_batch(0, 4))
    with reopen(buffer) as again:
        parcel = again.peek_oldest(10)
        assert rows_of(parcel.batch) == rows_of(power_batch(0, 4))
        assert parcel.boot == buffer.boot, "a batch keeps the start it was put in"
        assert again.counters()["polled"] == again.counters()["waiting"] == 4
        assert (again.starts, again.boot.split("-")[:2]) == (2, [buffer.boot.split("-")[0], "2"])
        assert again.created_ms == NOW_MS


def test_numbers_are_never_used_again_after_a_restart(buffer) -> None:
    """(gateway, boot, seq) names one batch for good."""
    last = buffer.put(power_batch(0))
    buffer.done(buffer.peek_oldest(1), stored(1))
    with reopen(buffer) as again:
        assert again.put(power_batch(1)) > last
        assert again.newest_seq() == last + 1


def test_a_copy_of_the_disk_that_is_put_back_makes_no_number_twice(tmp_path) -> None:
    """Two starts of the same copy reach the same number with other readings."""
    with Buffer(tmp_path / "a", clock=clock) as original:
        original.put(power_batch(0))
    for name in ("b", "c"):
        shutil.copytree(tmp_path / "a", tmp_path / name)
    names = set()
    for name in ("b", "c"):
        with Buffer(tmp_path / name, clock=clock) as copy:
            names.add((copy.boot, copy.put(power_batch(1))))
    assert len(names) == 2


def test_a_run_ends_where_another_start_begins_or_a_number_is_missing(buffer) -> None:
    for i in range(4):
        buffer.put(power_batch(i))
    buffer.done(buffer.peek_oldest(1, after=1), stored(1))  # number 2
    with reopen(buffer) as again:
        again.put(power_batch(9))
        assert [(p.first, p.last) for p in _runs(again)] == [(1, 1), (3, 4), (5, 5)]
        newest = again.peek_newest(100, upto=4)
        assert (newest.first, newest.last) == (3, 4)


def _runs(buffer: Buffer):
    after = 0
    while (parcel := buffer.peek_oldest(100, after=after)) is not None:
        yield parcel
        after = parcel.last


def test_a_batch_without_rows_only_counts_what_was_refused_with_it(buffer) -> None:
    assert buffer.put(Batch.empty(), Counter({(Count.REFUSED, "value.infinite"): 3})) == 0
    assert buffer.waiting_batches() == 0
    assert buffer.counters()["polled"] == buffer.counters()["refused"] == 3
    assert buffer.reasons() == {"refused": {"value.infinite": 3}}


def test_beyond_its_bound_the_oldest_batches_go_and_leave_a_record(tmp_path) -> None:
    with Buffer(tmp_path, max_bytes=100_000, clock=clock) as buffer:
        seqs = [buffer.put(energy_batch(100 * i, 100)) for i in range(400)]
        kept = waiting(buffer)
        assert buffer.size_bytes() <= 100_000
        assert 0 < len(kept) < 400
        assert kept == seqs[-len(kept) :], "the newest are kept"
        counts = buffer.counters()
        assert counts["dropped"] == 100 * (400 - len(kept))
        assert holds(counts)
        (drop,) = buffer.drops()
        assert (drop.batches, drop.rows) == (400 - len(kept), counts["dropped"])
        assert (drop.first_seq, drop.last_seq) == (seqs[0], kept[0] - 1)
        first_ms = NOW_MS - 86_400_000  # where power_batch(0) starts, one row per second
        assert (drop.from_ms, drop.to_ms) == (first_ms, first_ms + (drop.rows - 1) * 1000)
        assert buffer.reasons() == {"dropped": {"buffer.full": drop.rows}}


def test_what_the_uplink_is_sending_is_not_dropped_under_its_hands(tmp_path) -> None:
    with Buffer(tmp_path, max_bytes=100_000, clock=clock) as buffer:
        for i in range(10):
            buffer.put(energy_batch(100 * i, 100))
        parcel = buffer.peek_oldest(1000)
        for i in range(10, 400):
            buffer.put(energy_batch(100 * i, 100))
        assert buffer.counters()["dropped"] > 0
        buffer.done(parcel, stored(1000))
        assert holds(buffer.counters())
        assert buffer.counters()["stored"] == 1000


def test_released_batches_may_be_dropped_again(tmp_path) -> None:
    with Buffer(tmp_path, max_bytes=100_000, clock=clock) as buffer:
        first = buffer.put(energy_batch(0, 100))
        buffer.peek_oldest(1)
        buffer.release()
        for i in range(1, 400):
            buffer.put(energy_batch(100 * i, 100))
        assert waiting(buffer)[0] > first


def test_a_batch_larger_than_the_bound_is_kept_while_it_is_the_newest(tmp_path) -> None:
    """Nothing is dropped in the moment it is acknowledged."""
    with Buffer(tmp_path, max_bytes=50_000, clock=clock) as buffer:
        seq = buffer.put(power_batch(0, 50_000))
        assert waiting(buffer) == [seq]


def test_what_is_too_old_is_dropped_with_a_record(tmp_path) -> None:
    now = [0.0]
    bounds = Bounds(10**9, max_age_h=1.0, min_free_bytes=0, min_free_share=0)
    with Buffer(tmp_path, bounds=bounds, clock=clock, monotonic=lambda: now[0]) as buffer:
        buffer.put(energy_batch(0, 5))  # a day old
        now[0] = 61.0
        buffer.put(energy_batch(86_400 - 60, 5))
        assert waiting(buffer) == [2]
        assert buffer.reasons() == {"dropped": {"buffer.age": 5}}
        assert holds(buffer.counters())


def test_a_damaged_batch_is_set_aside_and_the_rest_goes_on(buffer, caplog) -> None:
    seqs = [buffer.put(power_batch(i, 2)) for i in range(3)]
    corrupt_waiting(buffer, seqs[1])
    assert [(p.first, p.last) for p in _runs(buffer)] == [(seqs[0], seqs[0]), (seqs[2], seqs[2])]
    assert buffer.quarantined() == 1
    assert buffer.counters()["dropped"] == 2
    assert buffer.reasons() == {"dropped": {"buffer.corrupt": 2}}
    assert holds(buffer.counters())
    assert len(caplog.records) == 1
    with reopen(buffer) as again:
        assert holds(again.counters())
        assert again.quarantined() == 1


def test_when_every_waiting_batch_is_damaged_nothing_is_left_to_send(buffer) -> None:
    for seq in [buffer.put(power_batch(i)) for i in range(3)]:
        corrupt_waiting(buffer, seq)
    assert buffer.peek_oldest(1000) is None
    assert buffer.waiting_batches() == buffer.waiting_rows() == 0


def test_the_quarantine_keeps_only_the_newest_hundred(buffer) -> None:
    for seq in [buffer.put(power_batch(i)) for i in range(105)]:
        corrupt_waiting(buffer, seq)
    assert buffer.peek_oldest(1000) is None
    assert buffer.quarantined() == 100
    assert buffer.counters()["dropped"] == 105


def test_rows_refused_for_good_are_kept_as_a_dead_letter_until_somebody_decides(buffer) -> None:
    buffer.put(power_batch(0, 4))
    parcel = buffer.peek_oldest(10)
    buffer.bury(parcel, parcel.batch.select(np.array([1, 3])), "no such unit", stored(2))
    (letter,) = buffer.letters()
    assert (letter.seq, letter.rows, letter.reason) == (1, 2, "no such unit")
    assert rows_of(buffer.letter(1)[1]) == [rows_of(power_batch(0, 4))[row] for row in (1, 3)]
    assert buffer.reasons() == {"refused": {"sink.refused": 2}}
    assert holds(buffer.counters())
    with reopen(buffer) as again:
        assert again.retry_letter(1) == 2
        assert again.counters()["refused"] == 0
        assert again.counters()["waiting"] == 2
        assert holds(again.counters())
        assert again.letters() == []
        assert again.peek_oldest(10).first == 1, "it keeps its number"
        with pytest.raises(InputError, match="no dead letter 1"):
            again.discard_letter(1)


def test_a_full_disk_is_a_clear_error_and_loses_nothing_older(buffer) -> None:
    buffer.put(power_batch(0, 5))
    full_disk(buffer, is_full=True)
    with pytest.raises(StoreUnavailable, match="disk is full; free some space"):
        buffer.put(power_batch(0, 10_000))
    before = buffer.counters()
    assert holds(before)
    buffer.note_dropped(1000, "buffer.unavailable")
    counts = buffer.counters()
    assert counts["dropped"] == 1000
    assert holds(counts)
    full_disk(buffer, is_full=False)
    buffer.put(power_batch(0, 3))
    buffer.put(power_batch(3, 4))
    with reopen(buffer) as again:
        assert again.counters() == {**counts, "polled": counts["polled"] + 7, "waiting": counts["waiting"] + 7}


def test_drops_that_could_not_be_written_are_written_on_closing(tmp_path) -> None:
    with Buffer(tmp_path) as buffer:
        buffer.note_dropped(3, "buffer.unavailable")
    with Buffer(tmp_path) as again:
        assert again.counters()["dropped"] == again.counters()["polled"] == 3


def test_a_second_gateway_on_the_same_folder_is_told_so(buffer) -> None:
    with pytest.raises(ConfigError, match="in use by another gateway") as caught:
        Buffer(buffer.path.parent)
    assert "\n" not in str(caught.value)


def test_a_buffer_of_another_version_is_refused(buffer) -> None:
    buffer._db.execute("UPDATE meta SET value = 99 WHERE name = 'schema'")
    buffer.close()
    with pytest.raises(ConfigError, match="schema 99, this version knows 2; start the kgce that wrote it"):
        Buffer(buffer.path.parent)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ConfigError, match="give the gateway a folder it may write"):
        Buffer(tmp_path / "file")


def test_thousands_of_series_come_into_one_buffer(buffer) -> None:
    for first in range(0, 3000, 300):
        series = [Series("hall", f"meter-{first + i}", "active_power") for i in range(300)]
        assert buffer.put(Batch.of(series, range(300), [NOW_MS] * 300, range(300)))
    assert buffer.waiting_rows() == 3000
    again = Series("hall", "meter-2999", "active_power")
    buffer.put(Batch.of([again], [0], [NOW_MS], [5.0]))
    rows = buffer._db.execute("SELECT amends FROM batch ORDER BY seq").fetchall()
    assert rows == [(0,)] * 10 + [(1,)], "only the last one amends"


def test_closing_twice_is_harmless(tmp_path) -> None:
    buffer = Buffer(tmp_path)
    buffer.close()
    buffer.close()
    with pytest.raises(StoreUnavailable):
        buffer.put(power_batch(0))
