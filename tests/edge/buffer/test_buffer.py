"""The buffer keeps what it took, in order, within its bound, and counts what it could not keep."""

from collections import Counter

import pytest

from kgce.domain.batch import Batch
from kgce.domain.errors import ConfigError, StoreUnavailable
from kgce.edge.buffer.buffer import Buffer
from kgce.edge.buffer.counters import Count, holds
from tests.edge.fakes import NOW_MS, clock, corrupt_waiting, full_disk, power_batch, rows_of


@pytest.fixture
def buffer(tmp_path):
    with Buffer(tmp_path, clock=clock) as opened:
        yield opened


def reopen(buffer: Buffer) -> Buffer:
    """What a new process finds after the old one was killed: committed transactions, nothing else."""
    buffer._db.close()
    return Buffer(buffer.path.parent, max_bytes=buffer.max_bytes, clock=clock)


def stored(rows: int) -> Counter:
    return Counter({(Count.STORED, ""): rows})


def test_batches_come_out_oldest_first_as_they_went_in(buffer) -> None:
    given = [power_batch(i, 3) for i in range(5)]
    seqs = [buffer.put(batch) for batch in given]
    peeked = buffer.peek(1000)
    assert [seq for seq, _ in peeked] == seqs == sorted(seqs)
    assert [rows_of(batch) for _, batch in peeked] == [rows_of(batch) for batch in given]
    assert (buffer.waiting_batches(), buffer.waiting_rows()) == (5, 15)


def test_peeking_gives_about_as_many_rows_as_asked_and_at_least_one_batch(buffer) -> None:
    for i in range(4):
        buffer.put(power_batch(10 * i, 10))
    assert len(buffer.peek(1)) == 1
    assert len(buffer.peek(10)) == 1
    assert len(buffer.peek(11)) == 2
    assert len(buffer.peek(1000)) == 4
    assert buffer.waiting_batches() == 4, "peeking takes nothing away"


def test_done_deletes_the_batch_and_counts_its_rows_together(buffer) -> None:
    first, second = buffer.put(power_batch(0, 4)), buffer.put(power_batch(4, 2))
    buffer.done([first], stored(4))
    assert [seq for seq, _ in buffer.peek(1000)] == [second]
    assert buffer.counters() == {
        "polled": 6, "stored": 4, "duplicate": 0, "refused": 0, "dropped": 0, "waiting": 2,
    }  # fmt: skip


def test_a_batch_put_is_there_after_the_process_is_gone(buffer) -> None:
    buffer.put(power_batch(0, 4))
    with reopen(buffer) as again:
        assert [rows_of(batch) for _, batch in again.peek(10)] == [rows_of(power_batch(0, 4))]
        assert again.counters()["polled"] == again.counters()["waiting"] == 4
        assert again.boot == buffer.boot + 1
        assert again.created_ms == NOW_MS


def test_numbers_are_never_used_again_after_a_restart(buffer) -> None:
    """(gateway, boot, seq) names one batch for good."""
    last = buffer.put(power_batch(0))
    buffer.done([last], stored(1))
    with reopen(buffer) as again:
        assert again.put(power_batch(1)) > last


def test_a_batch_without_rows_only_counts_what_was_refused_with_it(buffer) -> None:
    assert buffer.put(Batch.empty(), Counter({(Count.REFUSED, "value.infinite"): 3})) == 0
    assert buffer.waiting_batches() == 0
    assert buffer.counters()["polled"] == buffer.counters()["refused"] == 3
    assert buffer.reasons() == {"refused": {"value.infinite": 3}}


def test_beyond_its_bound_the_oldest_batches_go_and_leave_a_record(tmp_path) -> None:
    with Buffer(tmp_path, max_bytes=100_000, clock=clock) as buffer:
        seqs = [buffer.put(power_batch(100 * i, 100)) for i in range(400)]
        waiting = [seq for seq, _ in buffer.peek(1_000_000)]
        assert buffer.size_bytes() <= 100_000
        assert 0 < len(waiting) < 400
        assert waiting == seqs[-len(waiting) :], "the newest are kept"
        counts = buffer.counters()
        assert counts["dropped"] == 100 * (400 - len(waiting))
        assert holds(counts)
        (drop,) = buffer.drops()
        assert (drop.batches, drop.rows) == (400 - len(waiting), counts["dropped"])
        first_ms = NOW_MS - 86_400_000  # where power_batch(0) starts, one row per second
        assert (drop.from_ms, drop.to_ms) == (first_ms, first_ms + (drop.rows - 1) * 1000)
        assert buffer.reasons() == {"dropped": {"buffer.full": drop.rows}}


def test_what_the_uplink_is_sending_is_not_dropped_under_its_hands(tmp_path) -> None:
    with Buffer(tmp_path, max_bytes=100_000, clock=clock) as buffer:
        for i in range(10):
            buffer.put(power_batch(100 * i, 100))
        leased = [seq for seq, _ in buffer.peek(1000)]
        for i in range(10, 400):
            buffer.put(power_batch(100 * i, 100))
        assert buffer.counters()["dropped"] > 0
        buffer.done(leased, stored(1000))
        assert holds(buffer.counters())
        assert buffer.counters()["stored"] == 1000


def test_released_batches_may_be_dropped_again(tmp_path) -> None:
    with Buffer(tmp_path, max_bytes=100_000, clock=clock) as buffer:
        first = buffer.put(power_batch(0, 100))
        buffer.peek(1)
        buffer.release()
        for i in range(1, 400):
            buffer.put(power_batch(100 * i, 100))
        assert buffer.peek(1)[0][0] > first


def test_a_batch_larger_than_the_bound_is_kept_while_it_is_the_newest(tmp_path) -> None:
    """Nothing is dropped in the moment it is acknowledged."""
    with Buffer(tmp_path, max_bytes=50_000, clock=clock) as buffer:
        seq = buffer.put(power_batch(0, 50_000))
        assert [number for number, _ in buffer.peek(1)] == [seq]


def test_a_damaged_batch_is_set_aside_and_the_rest_goes_on(buffer, caplog) -> None:
    seqs = [buffer.put(power_batch(i, 2)) for i in range(3)]
    corrupt_waiting(buffer, seqs[1])
    assert [seq for seq, _ in buffer.peek(1000)] == [seqs[0], seqs[2]]
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
    assert buffer.peek(1000) == []
    assert buffer.waiting_batches() == buffer.waiting_rows() == 0


def test_the_quarantine_keeps_only_the_newest_hundred(buffer) -> None:
    seqs = [buffer.put(power_batch(i)) for i in range(105)]
    buffer.set_aside(seqs, Count.REFUSED, "sink.failed")
    assert buffer.quarantined() == 100
    assert buffer.counters()["refused"] == 105


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


def test_a_file_that_is_no_buffer_is_refused_with_what_to_do(tmp_path) -> None:
    (tmp_path / "buffer.sqlite").write_bytes(b"not a database " * 100)
    with pytest.raises(ConfigError, match="move the file away"):
        Buffer(tmp_path)


def test_a_buffer_of_another_version_is_refused(buffer) -> None:
    buffer._db.execute("UPDATE meta SET value = 99 WHERE name = 'schema'")
    buffer.close()
    with pytest.raises(ConfigError, match="schema 99"):
        Buffer(buffer.path.parent)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ConfigError, match="give the gateway a folder it may write"):
        Buffer(tmp_path / "file")


def test_closing_twice_is_harmless(tmp_path) -> None:
    buffer = Buffer(tmp_path)
    buffer.close()
    buffer.close()
    with pytest.raises(StoreUnavailable):
        buffer.put(power_batch(0))
