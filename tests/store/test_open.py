"""Which store stands behind a target, and what nonsense is told."""

from pathlib import Path

import pytest

from kgce.domain.batch import Batch
from kgce.domain.errors import ConfigError, StoreUnavailable
from kgce.domain.tree import Region
from kgce.store.duckdb.store import DuckDbStore
from kgce.store.influx.store import InfluxStore
from kgce.store.open import open_registry, open_store
from kgce.store.victoria.store import VictoriaStore
from tests import servers
from tests.store.rows import NOON_MS, POWER


@pytest.mark.parametrize("as_text", [True, False])
def test_a_folder_holds_readings_and_registry(tmp_path, as_text):
    folder = tmp_path / "new" / "kgce data"
    target = str(folder) if as_text else folder

    store, registry = open_store(target), open_registry(target)
    store.append(Batch.from_rows([(POWER, NOON_MS, 1.0, 0)]))
    registry.save_regions([Region("37", "Shandong")])
    store.close()
    registry.close()

    assert isinstance(store, DuckDbStore)
    assert {path.name for path in folder.iterdir()} == {"readings.duckdb", "registry.sqlite"}
    reopened = open_store(target, read_only=True)
    assert len(reopened.latest()) == 1
    reopened.close()


@pytest.mark.parametrize("path", ["/kgce", "/kgce/", "/%E8%83%BD%E8%80%97"])
def test_a_url_is_a_database_of_an_influxdb(influx_server, path):
    store = open_store(influx_server.url + path)
    assert len(store.latest()) == 0
    assert isinstance(store.store, InfluxStore)
    store.close()
    name = {"/kgce": "kgce", "/kgce/": "kgce"}.get(path, "能耗")
    assert f'["{name}"]' in influx_server.query("SHOW DATABASES").decode()


def test_a_url_may_be_that_of_a_victoriametrics(victoria_url):
    with open_store(f"{victoria_url}/open") as store:
        assert store.append(Batch.from_rows([(POWER, NOON_MS, 1 / 3, 0)])).stored == 1
        assert store.latest().value.tolist() == [1 / 3]
        assert isinstance(store.store, VictoriaStore)
        assert store.status().kind == "VictoriaMetrics"


def test_opening_a_url_needs_no_server_yet():
    store = open_store(f"http://127.0.0.1:{servers.free_port()}/kgce")
    with pytest.raises(StoreUnavailable):
        store.latest()
    store.close()


@pytest.mark.parametrize(
    "target",
    [
        "ftp://127.0.0.1/kgce",
        "http://127.0.0.1:8086",
        "http://127.0.0.1:8086/",
        "http:///kgce",
        "http://127.0.0.1:8086/a/b",
        "http://127.0.0.1:notaport/kgce",
        "http://127.0.0.1:8086/kgce?u=me&p=secret",
        "http://me:secret@127.0.0.1:8086/kgce",
        "",
    ],
)
def test_nonsense_is_told_what_to_write_instead(target):
    with pytest.raises(ConfigError) as caught:
        open_store(target)
    message = str(caught.value)
    assert "\n" not in message
    assert any(hint in message for hint in ("http://HOST:PORT/DATABASE", "KGCE_INFLUX_USERNAME", "give the folder"))


def test_a_file_is_not_a_folder(tmp_path):
    file = tmp_path / "readings.csv"
    file.write_text("time,value\n")
    for opener in (open_store, open_registry):
        with pytest.raises(ConfigError, match="not a folder"):
            opener(file)


def test_credentials_come_from_the_environment(influx_server, monkeypatch):
    """Debian's InfluxDB asks for none, so it accepts any; a wrong scheme would be a 400 or 401."""
    monkeypatch.setenv("KGCE_INFLUX_USERNAME", "kgce")
    monkeypatch.setenv("KGCE_INFLUX_PASSWORD", "secret")
    store = open_store(f"{influx_server.url}/credentials")
    assert len(store.latest()) == 0
    store.close()


@pytest.mark.parametrize("url", ["oracle://host/db", "nosuch://host/db", "postgresql+nodriver://host/db"])
def test_a_registry_url_of_an_unknown_kind_is_refused(url):
    with pytest.raises(ConfigError):
        open_registry(url)


def test_a_folder_that_cannot_be_made_says_so(tmp_path):
    (tmp_path / "file").write_text("")
    for opener in (open_store, open_registry):
        with pytest.raises((StoreUnavailable, ConfigError)) as caught:
            opener(Path(tmp_path / "file" / "below"))
        assert "\n" not in str(caught.value)
