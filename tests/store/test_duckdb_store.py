"""What is particular to the file: who holds it, what a hard kill leaves, how fast it is."""

import os
import re
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import numpy as np
import pytest

from kgce.domain.batch import Batch
from kgce.domain.errors import ConfigError, StoreUnavailable
from kgce.domain.ports import AppendResult
from kgce.domain.tree import Series
from kgce.store.duckdb.store import DuckDbStore
from tests.store.rows import END_MS, NOON_MS, POWER, WATER

ROWS_PER_BATCH = 997
APPENDING = f"""
import sys
from pathlib import Path
import numpy as np
from kgce.domain.batch import Batch
from kgce.domain.tree import Series
from kgce.store.duckdb.store import DuckDbStore

store = DuckDbStore(Path(sys.argv[1]))
n = {ROWS_PER_BATCH}
for at in range(1_000_000):
    batch = Batch.of([Series("s", "d", "power")], np.zeros(n), {NOON_MS} + at * n + np.arange(n), np.full(n, float(at)))
    store.append(batch)
    print(at + 1, flush=True)
"""


@pytest.fixture
def appending(tmp_path: Path):
    """Another process that appends batch after batch and prints how many are kept."""
    path = tmp_path / "readings.duckdb"
    child = subprocess.Popen([sys.executable, "-c", APPENDING, str(path)], stdout=subprocess.PIPE, text=True)
    yield path, child
    child.kill()
    child.wait()
    child.stdout.close()


def test_a_file_held_by_another_process_says_by_which_one_and_what_to_do(appending):
    path, child = appending
    assert child.stdout.readline() == "1\n"

    for read_only in (False, True):
        with pytest.raises(StoreUnavailable) as caught:
            DuckDbStore(path, read_only=read_only)
        message = str(caught.value)
        assert "\n" not in message
        assert str(path) in message
        assert f"process {child.pid} " in message
        assert "stop that process" in message


def test_kill_9_amid_appends_leaves_whole_batches_and_every_acknowledged_one(appending):
    path, child = appending
    acknowledged = 0
    while acknowledged < 20:
        acknowledged = int(child.stdout.readline())
    os.kill(child.pid, signal.SIGKILL)
    acknowledged = max([acknowledged, *(int(line) for line in child.stdout.read().split("\n")[:-1])])
    child.wait()

    with DuckDbStore(path) as store:
        batch = store.read([("s", "d", "power")], start_ms=0, end_ms=END_MS)
        batches, remainder = divmod(len(batch), ROWS_PER_BATCH)
        assert remainder == 0
        assert acknowledged <= batches <= acknowledged + 1
        np.testing.assert_array_equal(batch.time_ms, NOON_MS + np.arange(len(batch)))
        np.testing.assert_array_equal(batch.value, np.repeat(np.arange(batches), ROWS_PER_BATCH))


def test_two_stores_in_one_process_never_keep_a_row_twice(tmp_path):
    """Both fight for the same rows; whoever comes second must see what the first one left."""
    path = tmp_path / "readings.duckdb"
    stores = [DuckDbStore(path) for _ in range(2)]

    def work(store: DuckDbStore) -> AppendResult:
        parts = (Batch.from_rows([(POWER, NOON_MS + at, 1.0, 0), (WATER, NOON_MS + at, 1.0, 0)]) for at in range(40))
        return sum((store.append(part) for part in parts), AppendResult())

    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(work, stores), AppendResult()) == AppendResult(stored=80, duplicate=80)
    assert len(stores[0].read([POWER.key, WATER.key], start_ms=0, end_ms=END_MS)) == 80
    assert len(stores[0].series()) == 2
    for store in stores:
        store.close()


def test_read_only_reads_and_refuses_to_append(tmp_path):
    path = tmp_path / "readings.duckdb"
    batch = Batch.from_rows([(POWER, NOON_MS, 1.0, 0)])
    with pytest.raises(ConfigError, match="import readings first"):
        DuckDbStore(path, read_only=True)
    with DuckDbStore(path) as store:
        store.append(batch)

    with DuckDbStore(path, read_only=True) as store:
        assert len(store.latest()) == 1
        assert len(store.read([POWER.key], start_ms=0, end_ms=END_MS)) == 1
        with pytest.raises(ConfigError, match="read-only"):
            store.append(batch)


def test_a_closed_store_keeps_nothing(tmp_path):
    store = DuckDbStore(tmp_path / "readings.duckdb")
    store.close()
    store.close()
    with pytest.raises(StoreUnavailable):
        store.append(Batch.from_rows([(POWER, NOON_MS, 1.0, 0)]))


def test_a_file_that_is_not_ours_is_left_alone(tmp_path):
    text = tmp_path / "text.duckdb"
    text.write_text("time,value\n" * 1000)
    with pytest.raises(ConfigError, match="not a readings file"):
        DuckDbStore(text)
    assert text.read_text() == "time,value\n" * 1000

    foreign = tmp_path / "foreign.duckdb"
    with duckdb.connect(str(foreign)) as database:
        database.execute("create table accounts (amount double)")
    for read_only in (True, False):
        with pytest.raises(ConfigError, match="not a readings file"):
            DuckDbStore(foreign, read_only=read_only)
    with duckdb.connect(str(foreign)) as database:
        assert database.execute("select table_name from duckdb_tables()").fetchall() == [("accounts",)]


def test_a_newer_schema_is_refused(tmp_path):
    path = tmp_path / "readings.duckdb"
    DuckDbStore(path).close()
    with duckdb.connect(str(path)) as database:
        database.execute("update state set schema_version = 99")
    with pytest.raises(ConfigError, match=r"has schema 99.*upgrade kgce"):
        DuckDbStore(path)
    duckdb.connect(str(path)).close()  # it was let go of


def test_works_without_pandas_and_pyarrow(tmp_path):
    """They are no dependencies; DuckDB would otherwise use whichever it finds."""
    script = (
        "import sys; sys.modules['pandas'] = None; sys.modules['pyarrow'] = None\n"
        + re.sub(r"range\(1_000_000\)", "range(2)", APPENDING)
        + "store.append(Batch.of([Series('s', 'd', 'x')], [0], [1_600_000_000_000], [float('nan')], [1]))\n"
        "latest = store.latest(); assert len(latest) == 2 and np.isnan(latest.value[1])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "readings.duckdb")], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_a_million_rows_of_ten_thousand_series_are_kept_and_found_again(tmp_path):
    series = [Series(f"s{at // 10}", f"d{at}", "active_energy_import", "electricity") for at in range(10_000)]
    index = np.tile(np.arange(10_000), 100)
    times = NOON_MS + np.repeat(np.arange(100), 10_000) * 60_000
    batch = Batch.of(series, index, times, index + times / 1e9)

    with DuckDbStore(tmp_path / "readings.duckdb") as store:
        assert store.append(batch) == AppendResult(stored=1_000_000)
        assert store.append(batch) == AppendResult(duplicate=1_000_000)
        read = store.read([entry.key for entry in series], start_ms=0, end_ms=END_MS)
        latest = store.latest()

    assert len(read) == 1_000_000
    assert float(read.value.sum()) == pytest.approx(float(batch.value.sum()), rel=1e-12)
    assert set(latest.time_ms.tolist()) == {NOON_MS + 99 * 60_000}
