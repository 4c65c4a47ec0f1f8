"""`kgce store` as a person types it."""

import uuid
from pathlib import Path

import pytest

from kgce.domain.batch import Batch
from kgce.store.duckdb.store import DuckDbStore
from kgce.store.open import open_store
from tests.cli import kgce_command
from tests.cli.kgce_command import Answer
from tests.store.rows import NOON_MS, POWER, WATER, rows_of

HERE = Path.cwd()


def kgce(*arguments: object, cwd: Path = HERE) -> Answer:
    return kgce_command.kgce(*arguments, cwd=cwd)


@pytest.fixture
def folder(tmp_path) -> Path:
    """An embedded store of 200 readings: 100 of each of two series."""
    with DuckDbStore(tmp_path / "data" / "readings.duckdb") as store:
        store.append(Batch.from_rows([(one, NOON_MS + at, at / 7, 0) for at in range(100) for one in (POWER, WATER)]))
    return tmp_path / "data"


def everything(target: str | Path) -> list[tuple]:
    store = open_store(target)
    try:
        return rows_of(store.read([POWER.key, WATER.key], start_ms=0, end_ms=2**60))
    finally:
        store.close()


def test_the_status_is_a_table_for_people_and_json_for_machines(folder):
    table = kgce("store", "status", "--store", folder).out
    assert "DuckDB" in table
    assert "2023-11-14T22:13:20+00:00" in table
    document = kgce("store", "status", "--store", folder, "--json").json
    assert (document["series"], document["first_ms"], document["last_ms"]) == (2, NOON_MS, NOON_MS + 99)


def test_init_makes_a_database_with_retention_and_says_what_it_did(influx_server):
    store = f"{influx_server.url}/cli_{uuid.uuid4().hex}"
    first = kgce("store", "init", "--store", store, "--keep", "400d", "--hourly", "10y", "--json")
    assert len(first.json["changed"]) == 4
    assert (
        "nothing had to be changed" in kgce("store", "init", "--store", store, "--keep", "400d", "--hourly", "10y").err
    )
    shown = kgce("store", "status", "--store", store).out
    assert "400d" in shown
    assert "_hourly', kept 3650d" in shown


def test_init_makes_the_embedded_file_and_tells_what_it_has_no_setting_for(tmp_path):
    made = kgce("store", "init", "--store", tmp_path / "new")
    assert (made.code, "made" in made.err) == (0, True)
    assert (tmp_path / "new" / "readings.duckdb").exists()
    refused = kgce("store", "init", "--store", tmp_path / "new", "--keep", "5y")
    assert (refused.code, "has no retention" in refused.err) == (2, True)
    nonsense = kgce("store", "init", "--store", tmp_path / "new", "--keep", "a while")
    assert (nonsense.code, "write 400d" in nonsense.err) == (2, True)


@pytest.mark.parametrize("server", ["influxdb", "victoriametrics"])
def test_migrate_backup_restore_bring_the_same_readings_back(folder, server, request, tmp_path):
    url = (
        request.getfixturevalue("influx_server").url
        if server == "influxdb"
        else request.getfixturevalue("victoria_url")
    )
    target = f"{url}/cli_{uuid.uuid4().hex}"

    moved = kgce("store", "migrate", "--from", folder, "--to", target, "--json", cwd=tmp_path).json
    assert (moved["rows"], moved["result"]["stored"], moved["is_whole"]) == (200, 200, True)
    again = kgce("store", "migrate", "--from", folder, "--to", target, cwd=tmp_path)
    assert "0 stored + 200 there already" in again.err
    saved = kgce("store", "backup", tmp_path / "saved", "--store", target, "--json").json
    assert saved["checksum"] == moved["checksum"]
    back = kgce("store", "restore", tmp_path / "saved", "--store", tmp_path / "back")
    assert back.code == 0
    assert everything(tmp_path / "back") == everything(folder)


def test_compact_says_what_it_saved(folder):
    with DuckDbStore(folder / "readings.duckdb") as store:
        store.delete([WATER.key], start_ms=0, end_ms=2**60)
    document = kgce("store", "compact", "--db", folder, "--json").json
    assert document["bytes_after"] <= document["bytes_before"]
    assert len(everything(folder)) == 100


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("migrate", "--from", "a", "--to", "a"), "the same store"),
        (("status", "--store", "nowhere"), "import readings first"),
        (("compact", "--db", "nowhere"), "only the embedded store can be compacted"),
        (("restore", "nowhere", "--store", "x"), "holds no backup"),
        (("status", "--store", "http://127.0.0.1:9/kgce"), "does not answer"),
        (("migrate", "--from", "new", "--to", "http://127.0.0.1:9/kgce"), "import readings first"),
    ],
)
def test_a_mistake_is_one_line_that_says_what_to_do(tmp_path, arguments, says):
    answer = kgce("store", *arguments, cwd=tmp_path)
    assert answer.code in {1, 2}
    assert says in answer.err
    assert answer.err.count("\n") == 1
