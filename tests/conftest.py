"""Fixtures every test may use: shared facts, measured data, real servers."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from tests import servers

hypothesis.settings.register_profile("kgce", deadline=None)  # two cores, shared: time is not the property
hypothesis.settings.load_profile("kgce")

_EXIT_STATUS = pytest.StashKey[int]()
ROOT = Path(__file__).resolve().parent.parent


def _shared(path: Path, what: str) -> Path:
    if not path.exists():
        servers.lacking(f"{what} not found at {path}; set KGCE_DATA or put shared/ beside the project")
    return path


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of the measured data; read in place, never copied."""
    return _shared(Path(os.environ.get("KGCE_DATA", ROOT.parent / "shared" / "data")), "measured data")


@pytest.fixture(scope="session")
def shared_facts() -> Path:
    """Folder of the published facts and protocol vectors."""
    return _shared(ROOT.parent / "shared" / "facts", "shared facts")


@pytest.fixture(scope="session")
def influx_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Influx]:
    """One real InfluxDB for the session; tests use databases of their own name."""
    with servers.influxdb(tmp_path_factory.mktemp("influxdb")) as server:
        yield server


@pytest.fixture(scope="session")
def victoria_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One real VictoriaMetrics for the session; tests use databases of their own name."""
    with servers.victoria_metrics(tmp_path_factory.mktemp("victoria")) as url:
        yield url


@pytest.fixture
def mosquitto_port(tmp_path: Path) -> Iterator[int]:
    """A fresh real Mosquitto for one test."""
    with servers.mosquitto(tmp_path) as port:
        yield port


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly what was not tested and why."""
    if servers.MISSING:
        terminalreporter.section("NOT TESTED: something is missing on this machine", sep="!")
        for what in sorted(set(servers.MISSING)):
            terminalreporter.line(f"  {what}")


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Remember how it ended."""
    session.config.stash[_EXIT_STATUS] = int(exitstatus)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave at once: DuckDB's binding counts references at interpreter exit and buries pytest's closing line."""
    sys.stdout.flush()
    sys.stderr.flush()
    if "duckdb" in sys.modules:
        os._exit(config.stash.get(_EXIT_STATUS, 1))
