"""Readings and events move between stores, and into a backup and out of it, whole or with a word."""

import uuid

import duckdb
import numpy as np
import pytest

from kgce.domain.batch import Batch
from kgce.domain.errors import ConfigError, InputError, StoreUnavailable
from kgce.domain.events import Event, Severity
from kgce.domain.tree import Series
from kgce.store.archive import Archive, ArchiveWriter
from kgce.store.checksum import checksum, differing
from kgce.store.copying import back_up, copy, restore
from kgce.store.duckdb.store import DuckDbStore
from kgce.store.influx.store import InfluxStore
from kgce.store.victoria.store import VictoriaStore
from tests.store.rows import NOON_MS, POWER, rows_of

EVENTS = [
    Event("clock.jumped", NOON_MS + at, "gateway", Severity.WARNING, f"锅炉 {at}", {"by_s": at}) for at in range(3)
]
DAY_MS = 86_400_000


def everything(store) -> list[tuple]:
    return rows_of(store.read([series.key for series in store.series()], start_ms=0, end_ms=2**62))


@pytest.fixture
def full(tmp_path):
    """400 days of 12 series of 3 institutions, with gaps, qualities, values of every size and events."""
    rng = np.random.default_rng(2)
    series = [
        Series(f"school {at % 3}", f"meter,{at}", "active_power", "electricity", "A", "370102") for at in range(12)
    ]
    count = 30_000
    value = rng.normal(0, 1, count) * 10.0 ** rng.integers(-3, 15, count)
    quality = rng.choice([0, 0, 0, 1, 2, 16], count).astype(np.uint8)
    value[quality == 1] = np.nan
    times = NOON_MS - rng.integers(0, 400 * 86_400, count) * 1000
    with DuckDbStore(tmp_path / "full" / "readings.duckdb") as store:
        store.append(Batch.of(series, rng.integers(0, 12, count), times, value, quality))
        store.append_events("g1", EVENTS)
        yield store


@pytest.fixture(params=["duckdb", "influxdb", "victoriametrics"])
def target(request, tmp_path):
    name = f"copy {uuid.uuid4().hex}"
    if request.param == "duckdb":
        store = DuckDbStore(tmp_path / "target" / "readings.duckdb")
    elif request.param == "influxdb":
        store = InfluxStore(request.getfixturevalue("influx_server").url, name)
    else:
        store = VictoriaStore(request.getfixturevalue("victoria_url"), name)
    yield store
    store.close()


def test_every_reading_and_event_arrives_as_it_was(full, target, tmp_path):
    seen = []
    copied = copy(full, target, state=tmp_path / "state.json", what="a -> b", tell=lambda *at: seen.append(at))

    assert copied.is_whole
    assert copied.rows == len(everything(full)) == copied.result.stored
    assert everything(target) == everything(full)
    assert [one.event for one in target.events(start_ms=0, end_ms=2**60)] == EVENTS
    assert copied.checksum == checksum(full.read([one.key for one in full.series()], start_ms=0, end_ms=2**62))
    assert seen[-1][0] == seen[-1][1]
    assert not (tmp_path / "state.json").exists()

    again = copy(full, target, state=None, what="a -> b", tell=lambda *_: None)
    assert (again.result.stored, again.result.duplicate) == (0, copied.rows)
    back = DuckDbStore(tmp_path / "back.duckdb")
    assert copy(target, back, state=None, what="b -> c", tell=lambda *_: None).checksum == copied.checksum
    assert everything(back) == everything(full)
    back.close()


def test_an_interrupted_copy_goes_on_where_it_was(full, tmp_path):
    state, target = tmp_path / "state.json", DuckDbStore(tmp_path / "target.duckdb")
    appended = []

    class GoesAway:
        """The target, but its third append finds nobody."""

        def __getattr__(self, name):
            return getattr(target, name)

        def append(self, batch):
            if len(appended) == 2:
                raise StoreUnavailable("gone")
            appended.append(len(batch))
            return target.append(batch)

    with pytest.raises(StoreUnavailable):
        copy(full, GoesAway(), state=state, what="a -> b", tell=lambda *_: None)
    with pytest.raises(ConfigError, match="another copy"):
        copy(full, target, state=state, what="a -> c", tell=lambda *_: None)
    copied = copy(full, target, state=state, what="a -> b", tell=lambda *_: None)

    assert copied.result.duplicate == 0, "what was done is not done again"
    assert copied.rows == len(everything(full))
    assert everything(target) == everything(full)
    target.close()


def test_a_reading_that_does_not_stand_at_the_target_is_told(full, tmp_path):
    target = DuckDbStore(tmp_path / "target.duckdb")
    key = full.series()[0].key

    class Loses:
        def __getattr__(self, name):
            return getattr(target, name)

        def append(self, batch):
            result = target.append(batch)
            target.delete([key], start_ms=0, end_ms=2**62)
            return result

    copied = copy(full, Loses(), state=None, what="", tell=lambda *_: None)
    assert copied.differing == len(full.read([key], start_ms=0, end_ms=2**62))
    assert not copied.is_whole
    target.close()


def test_a_backup_holds_everything_and_any_tool_reads_it(full, target, tmp_path):
    folder = tmp_path / "it's a backup"
    with ArchiveWriter(folder, "full") as writer:
        manifest = back_up(full, writer, lambda *_: None)
    rows = duckdb.sql(
        f"select count(*), count(distinct device) from '{str(folder).replace(chr(39), chr(39) * 2)}/readings-*.parquet'"
    )

    assert rows.fetchall() == [(manifest.rows, 12)]
    copied = restore(Archive(folder), target, lambda *_: None)
    assert copied.is_whole
    assert (copied.checksum, copied.events) == (manifest.checksum, 3)
    assert everything(target) == everything(full)


def test_a_damaged_backup_writes_nothing(full, tmp_path):
    with ArchiveWriter(tmp_path / "backup", "full") as writer:
        back_up(full, writer, lambda *_: None)
    file = tmp_path / "backup" / "readings-00001.parquet"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    target = DuckDbStore(tmp_path / "target.duckdb")

    with pytest.raises(InputError, match=r"readings-00001.parquet is missing or damaged"):
        restore(Archive(tmp_path / "backup"), target, lambda *_: None)
    assert target.series() == []
    target.close()


def test_a_backup_never_overwrites_and_half_of_one_is_none(full, tmp_path):
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "letter.txt").write_text("dear")
    with pytest.raises(ConfigError, match="not empty"):
        ArchiveWriter(tmp_path / "used", "full")
    with ArchiveWriter(tmp_path / "backup", "full") as writer:  # left without being finished
        writer.add(Batch.from_rows([(POWER, NOON_MS, 1.0, 0)]))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["full", "used"]
    with pytest.raises(ConfigError, match="holds no backup"):
        Archive(tmp_path / "used")


def test_an_empty_store_copies_to_an_empty_one(tmp_path):
    with DuckDbStore(tmp_path / "a.duckdb") as empty, DuckDbStore(tmp_path / "b.duckdb") as target:
        assert copy(empty, target, state=None, what="", tell=lambda *_: None).is_whole
        with ArchiveWriter(tmp_path / "backup", "a") as writer:
            assert back_up(empty, writer, lambda *_: None).rows == 0
        assert restore(Archive(tmp_path / "backup"), target, lambda *_: None).rows == 0
        assert target.series() == []


def test_the_checksum_knows_every_column_and_no_order():
    rows = [(POWER, NOON_MS, 1.0, 0), (POWER, NOON_MS + 1, 2.0, 0), (POWER, NOON_MS + 2, float("nan"), 1)]
    same = checksum(Batch.from_rows(rows))
    assert checksum(Batch.from_rows(rows[::-1])) == same
    other = Series("school-1", "main", "voltage", "electricity")
    for changed in (
        (other, NOON_MS, 1.0, 0), (POWER, NOON_MS + 7, 1.0, 0), (POWER, NOON_MS, 1.0000000001, 0), (POWER, NOON_MS, 1.0, 2)
    ):  # fmt: skip
        assert checksum(Batch.from_rows([changed, *rows[1:]])) != same
    swapped = [(POWER, NOON_MS, 2.0, 0), (POWER, NOON_MS + 1, 1.0, 0), rows[2]]
    assert checksum(Batch.from_rows(swapped)) != same
    assert differing(Batch.from_rows(rows), Batch.from_rows(swapped)) == 2
    assert differing(Batch.from_rows(rows), Batch.from_rows([*rows, (other, NOON_MS, 1.0, 0)])) == 0
