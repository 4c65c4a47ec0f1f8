"""The readings file over the years: compaction, a full disk, files of older versions."""

import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pytest

from kgce.domain.batch import Batch
from kgce.domain.errors import ConfigError, StoreUnavailable
from kgce.domain.events import Event, Severity
from kgce.domain.ports import AppendResult
from kgce.domain.tree import Series
from kgce.store.duckdb.store import DuckDbStore
from tests.disks import small_disk
from tests.store.rows import NOON_MS, POWER, rows_of

SERIES = [Series(f"s{at % 7}", f"d{at}", "power", "electricity") for at in range(50)]


def random_batch(seed: int, count: int = 5_000) -> Batch:
    rng = np.random.default_rng(seed)
    times = NOON_MS + rng.integers(0, 10_000_000, count) * 1000
    return Batch.of(SERIES, rng.integers(0, len(SERIES), count), times, rng.normal(0, 100, count))


def everything(store: DuckDbStore) -> list[tuple]:
    return rows_of(store.read([series.key for series in SERIES], start_ms=0, end_ms=2**62))


def test_compaction_keeps_every_answer_and_sorts_the_rows(tmp_path):
    path = tmp_path / "it's data" / "readings.duckdb"
    event = Event("clock.jumped", NOON_MS, "gateway", Severity.INFO, "moved", {})
    with DuckDbStore(path) as store:
        for seed in range(6):
            store.append(random_batch(seed))
        store.append_events("g1", [event])
        store.delete([SERIES[3].key], start_ms=0, end_ms=2**62)
        before = (everything(store), rows_of(store.latest()), store.series(), store.extent(), len(store.touched()))
        cursor = store.touched().cursor
        store.compact()
        assert (
            everything(store),
            rows_of(store.latest()),
            store.series(),
            store.extent(),
            len(store.touched()),
        ) == before
        gone = random_batch(0).of_series(3)
        assert store.append(gone).stored == len(gone) > 50
        assert len(store.touched(cursor)) > 0
        assert [one.event for one in store.events(start_ms=0, end_ms=2**60)] == [event]
        store.delete([SERIES[3].key], start_ms=0, end_ms=2**62)
        store.compact()
    with duckdb.connect(str(path), read_only=True) as file:
        rows = file.execute("select series_id, time_ms from readings").fetchall()
    assert rows == sorted(rows)
    assert sorted(one.name for one in path.parent.iterdir()) == ["readings.duckdb"]


def test_reading_and_appending_go_on_around_a_compaction(tmp_path):
    stopping, failures, counts = threading.Event(), [], []
    with DuckDbStore(tmp_path / "readings.duckdb") as store:
        store.append(random_batch(0))

        def work() -> None:
            try:
                while not stopping.is_set():
                    everything(store)
                    store.latest()
            except Exception as error:  # noqa: BLE001 - whatever it is, it must not happen
                failures.append(error)

        readers = [threading.Thread(target=work) for _ in range(3)]
        for reader in readers:
            reader.start()
        for seed in range(1, 6):
            counts.append(store.append(random_batch(seed)))
            store.compact()
        stopping.set()
        for reader in readers:
            reader.join()
        assert not failures
        assert len(everything(store)) == 5_000 - _repeats(0) + sum(one.stored - one.replaced for one in counts)


def _repeats(seed: int) -> int:
    batch = random_batch(seed)
    return len(batch) - len(set(zip(batch.index.tolist(), batch.time_ms.tolist(), strict=True)))


def test_a_compaction_that_finds_no_room_leaves_the_file_as_it_was(tmp_path):
    with small_disk(tmp_path / "disk", 24) as disk:
        with DuckDbStore(disk / "readings.duckdb") as store:
            store.append(random_batch(1, 200_000))
            store.append(random_batch(2, 200_000))
            before = len(everything(store))
            shutil.copy("/dev/null", disk / "filler")
            free = shutil.disk_usage(disk).free
            (disk / "filler").write_bytes(bytes(max(0, free - 2_000_000)))
            with pytest.raises(StoreUnavailable, match="make room"):
                store.compact()
            assert len(everything(store)) == before
            (disk / "filler").unlink()
        with DuckDbStore(disk / "readings.duckdb") as store:
            assert len(everything(store)) == before


def test_a_full_disk_loses_nothing_and_doubles_nothing(tmp_path):
    """What was acknowledged stays, what was not is kept once there is room again; the same store goes on."""
    with small_disk(tmp_path / "disk", 16) as disk:
        kept: list[Batch] = []
        with DuckDbStore(disk / "readings.duckdb") as store:
            batch = _until_full(store, kept, lambda seed: random_batch(seed, 40_000))
            assert kept, "some fitted"
            with pytest.raises(StoreUnavailable):
                store.append(batch)
        # an administrator moves the file to a larger disk
        with DuckDbStore(Path(shutil.copy(disk / "readings.duckdb", tmp_path / "moved.duckdb"))) as store:
            for one in kept:
                assert store.append(one).stored == 0 or _corrected_later(one, kept)
            assert store.append(batch).refused == 0
            expected = {}
            for one in [*kept, batch]:
                columns = (one.index.tolist(), one.time_ms.tolist(), one.value.tolist())
                expected |= {(at, time_ms): value for at, time_ms, value in zip(*columns, strict=True)}
            assert len(everything(store)) == len(expected)


def _until_full(store: DuckDbStore, kept: list[Batch], batch_of: Callable[[int], Batch]) -> Batch:
    """Appends until the disk is full; gives the batch that was not kept."""
    for seed in range(1000):
        batch = batch_of(seed)
        try:
            store.append(batch)
        except StoreUnavailable as error:
            if "is full: make room" not in str(error):
                raise
            return batch
        kept.append(batch)
    raise AssertionError("the disk never got full")


def _corrected_later(batch: Batch, others: list[Batch]) -> bool:
    """Random rows may meet: then the later value stands, and appending the earlier batch again brings it back."""
    mine = set(zip(batch.index.tolist(), batch.time_ms.tolist(), strict=True))
    return any(
        mine & set(zip(one.index.tolist(), one.time_ms.tolist(), strict=True)) for one in others if one is not batch
    )


def test_the_same_store_goes_on_once_there_is_room(tmp_path):
    with small_disk(tmp_path / "disk", 32) as disk:
        (disk / "filler").write_bytes(bytes(18_000_000))
        with DuckDbStore(disk / "readings.duckdb") as store:
            batches: list[Batch] = []
            _until_full(store, batches, _own_rows)
            kept = len(batches)
            (disk / "filler").unlink()
            assert store.append(_own_rows(kept)) == AppendResult(stored=40_000)
            assert store.append(_own_rows(0)) == AppendResult(duplicate=40_000)
        with DuckDbStore(disk / "readings.duckdb") as store:
            assert len(store.read([POWER.key], start_ms=0, end_ms=2**62)) == (kept + 1) * 40_000


def _own_rows(number: int) -> Batch:
    times = NOON_MS + (number * 40_000 + np.arange(40_000)) * 1000
    return Batch.of([POWER], np.zeros(40_000), times, np.random.default_rng(number).normal(0, 1, 40_000))


def test_a_file_of_the_first_version_is_carried_over(tmp_path):
    """Made by hand as version 1 made it: no marks, events only where there were any."""
    path = tmp_path / "readings.duckdb"
    with duckdb.connect(str(path)) as file:
        file.execute(
            "create table series (id integer not null, institution varchar not null, device varchar not null, quantity varchar not null, measurement varchar not null, building varchar not null, region varchar not null)"
        )
        file.execute(
            "create table readings (series_id integer not null, time_ms bigint not null, value double, quality utinyint not null)"
        )
        file.execute("create table state (schema_version integer not null, appends bigint not null)")
        file.execute("insert into state values (1, 1)")
        file.execute("insert into series values (0, 'school-1', 'main', 'active_power', 'electricity', 'A', '370102')")
        file.execute("insert into readings values (0, ?, 12.5, 0)", [NOON_MS])

    with pytest.raises(ConfigError, match="schema 1"):
        DuckDbStore(path, read_only=True)
    with DuckDbStore(path) as store:
        assert rows_of(store.latest()) == [(POWER.key, NOON_MS, 12.5, 0)]
        assert store.append(Batch.from_rows([(POWER, NOON_MS, 12.5, 0)])) == AppendResult(duplicate=1)
        assert store.events(start_ms=0, end_ms=2**60) == []
        assert len(store.touched()) == 0
    with DuckDbStore(path, read_only=True) as store:
        assert len(store.latest()) == 1
