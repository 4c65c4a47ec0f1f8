"""A configuration is right as a whole, or one line says which file, table and key to change."""

from pathlib import Path

import pytest

from kgce.collectors.drivers import build_sources
from kgce.domain.batch import Batch
from kgce.domain.errors import ConfigError
from kgce.edge.buffer.buffer import Durability
from kgce.edge.buffer.parcel import Parcel
from kgce.edge.config import GatewayConfig, load_config, parse_config
from kgce.edge.uplink.config import DuckDbSink, InfluxSink
from kgce.edge.uplink.open import open_sink
from kgce.store.duckdb.store import DuckDbStore
from kgce.store.found import FoundStore
from tests.edge.fakes import NOW_MS, VOLTAGE, clock, power_batch

GOOD = """
[gateway]
id = "hall-1"
folder = "buffer"

[buffer]
max_mb = 16
durability = "normal"

[uplink]
flush_interval_s = 2

[sink]
kind = "duckdb"
path = "data"

[checks]
future_limit_s = 60
confirm_readings = 5
limits.voltage = [180, 260]

[[modbus]]
host = "127.0.0.1"
port = 1502
devices = [{ device = "main", unit = 1, profile = "eastron-sdm630", interval_s = 10, institution = "office-1" }]
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "gateway.toml"
    path.write_text(text)
    return path


def test_a_good_file_is_read_wholly(tmp_path) -> None:
    config = load_config(write(tmp_path, GOOD))
    assert config.gateway.id == "hall-1"
    assert config.buffer.durability is Durability.NORMAL
    assert config.sink == DuckDbSink(kind="duckdb", path=config.sink.path)
    assert config.checks.limits == {"voltage": (180.0, 260.0)}
    assert [source.name for source in build_sources(config.collectors)]


def test_relative_paths_start_where_the_file_lies(tmp_path) -> None:
    config = load_config(write(tmp_path, GOOD))
    assert config.gateway.folder == tmp_path / "buffer"
    assert config.sink.path == tmp_path / "data"
    absolute = load_config(write(tmp_path, GOOD.replace('"buffer"', f'"{tmp_path}/elsewhere"')))
    assert absolute.gateway.folder == tmp_path / "elsewhere"


def test_a_gateway_without_sink_and_checks_has_the_usual_limits() -> None:
    config = parse_config({"gateway": {"id": "demo", "folder": "x"}})
    assert isinstance(config, GatewayConfig)
    assert config.sink is None
    assert config.checks.confirm_readings == 3
    assert config.collectors.modbus == config.collectors.mqtt == ()


def test_the_configured_limits_reach_the_buffer_and_the_checks(tmp_path) -> None:
    config = load_config(write(tmp_path, GOOD))
    with config.make_buffer(clock) as buffer:
        assert buffer.max_bytes == 16 * 1024 * 1024
        assert buffer.path == tmp_path / "buffer" / "buffer.sqlite"
        assert buffer._db.execute("PRAGMA synchronous").fetchone()[0] == 1  # NORMAL, sqlite.org/pragma.html
    checks = config.checks.make(clock=clock)
    assert len(checks.check(Batch.from_rows([(VOLTAGE, NOW_MS + 60_000, 230.0, 0)])).batch) == 1
    assert len(checks.check(Batch.from_rows([(VOLTAGE, NOW_MS + 60_001, 230.0, 0)])).batch) == 0
    assert config.checks.confirm_readings == 5


def test_commits_wait_for_the_disk_unless_told_otherwise(tmp_path) -> None:
    config = parse_config({"gateway": {"id": "demo", "folder": str(tmp_path)}})
    with config.make_buffer(clock) as buffer:
        assert buffer._db.execute("PRAGMA synchronous").fetchone()[0] == 2  # FULL
        assert buffer._db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"


@pytest.mark.parametrize(
    ("change", "where", "what"),
    [
        (('id = "hall-1"', 'id = "hall/1"'), "gateway.id", "hall/1"),
        (('id = "hall-1"', ""), "gateway.id", "required"),
        (("flush_interval_s = 2", "flush_interval_s = 0"), "uplink.flush_interval_s", "greater than 0"),
        (("flush_interval_s", "flush_intervall_s"), "uplink.flush_intervall_s", "unknown key"),
        (('durability = "normal"', 'durability = "maybe"'), "buffer.durability", "'full' or 'normal'"),
        (('path = "data"', ""), "sink.path", "required"),
        (('kind = "duckdb"', 'kind = "oracle"'), "sink", "'duckdb', 'influxdb', 'mqtt'"),
        (('path = "data"', 'path = "data"\npassword = "x"'), "sink.password", "use password_env"),
        (("limits.voltage = [180, 260]", "limits.voltage = [260, 180]"), "checks.limits", "not below"),
        (("limits.voltage", "limits.voltag"), "checks.limits", "unknown quantity 'voltag'"),
        (("unit = 1,", "unit = 999,"), "modbus[0].devices[0].unit", "255"),
        (("eastron-sdm630", "no-such-profile"), "", "no-such-profile"),
        (("[checks]", "[chekcs]"), "chekcs", "unknown key"),
        (("[gateway]", "[gateway"), "", "not TOML"),
    ],
)
def test_a_mistake_is_one_line_with_file_table_and_key(tmp_path, change, where, what) -> None:
    path = write(tmp_path, GOOD.replace(*change))
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: {where}")
    assert what in message
    assert "\n" not in message


def test_a_file_that_is_not_there_is_named(tmp_path) -> None:
    with pytest.raises(ConfigError, match=r"gateway\.toml: cannot be read"):
        load_config(tmp_path / "gateway.toml")


INFLUX = {"kind": "influxdb", "url": "http://127.0.0.1:8086", "database": "kgce", "password_env": "KGCE_TEST_SECRET"}


def parsed_sink(sink: dict):
    return parse_config({"gateway": {"id": "demo", "folder": "x"}, "sink": sink}).sink


def test_secrets_come_from_the_environment_and_must_be_there(monkeypatch) -> None:
    monkeypatch.delenv("KGCE_TEST_SECRET", raising=False)
    with pytest.raises(ConfigError, match=r"sink\.password_env: environment variable KGCE_TEST_SECRET is not set"):
        parsed_sink(INFLUX)
    monkeypatch.setenv("KGCE_TEST_SECRET", "hush")
    sink = parsed_sink(INFLUX)
    assert isinstance(sink, InfluxSink)
    assert sink.password() == "hush"
    assert "hush" not in repr(sink)
    assert sink.token() == ""


def test_a_secret_written_into_the_file_is_refused_without_showing_it() -> None:
    with pytest.raises(ConfigError) as caught:
        parsed_sink({**INFLUX, "password_env": "", "password": "hush"})
    assert "hush" not in str(caught.value)


def test_the_sink_that_is_named_is_opened(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("KGCE_TEST_SECRET", "hush")
    embedded = open_sink(parsed_sink({"kind": "duckdb", "path": str(tmp_path / "new" / "data")}), "demo")
    assert isinstance(embedded._sink, DuckDbStore)
    assert embedded.deliver(Parcel("b", 1, 1, power_batch(0, 3))).stored == 3
    assert embedded.status()["kind"] == "duckdb"
    embedded.close()
    remote = open_sink(parsed_sink(INFLUX), "demo")  # connects at its first use
    assert isinstance(remote._sink, FoundStore)
    remote.close()
