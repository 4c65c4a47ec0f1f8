"""The files are whole, deterministic, and hold no secret."""

import json
import re

import pytest
import yaml

from kgce.dashboards.build import build_dashboards, write_dashboards


@pytest.fixture
def written(tmp_path):
    write_dashboards(tmp_path)
    return tmp_path


def test_dashboards_and_provisioning_are_written(tmp_path):
    paths = write_dashboards(tmp_path / "new" / "folder")

    names = [str(path.relative_to(tmp_path / "new" / "folder")) for path in paths]
    pages = [
        "boiler-room", "carriers", "data-quality", "ev-chargers", "institution-overview", "platform", "province",
        "ranking", "water",
    ]  # fmt: skip
    assert names == [
        *(f"dashboards/en/{page}.json" for page in pages),
        *(f"dashboards/zh/{page}.json" for page in pages),
        "provisioning/alerting/kgce.yaml",
        "provisioning/dashboards/kgce.yaml",
        "provisioning/datasources/kgce.yaml",
    ]


def test_writing_twice_gives_the_same_bytes(tmp_path):
    first, second = write_dashboards(tmp_path / "1"), write_dashboards(tmp_path / "2")
    again = [path.read_bytes() for path in write_dashboards(tmp_path / "1")]

    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second] == again


def test_a_file_holds_exactly_its_model(written):
    stored = json.loads((written / "dashboards/en/institution-overview.json").read_text(encoding="utf-8"))

    assert stored == build_dashboards()["en/institution-overview.json"]


def test_addresses_and_secrets_come_from_the_environment(written):
    """Every value that differs from place to place is a placeholder Grafana fills, never a text of ours."""
    (source,) = yaml.safe_load((written / "provisioning/datasources/kgce.yaml").read_text())["datasources"]
    places = [source["url"], source["user"], source["jsonData"]["dbName"], *source["secureJsonData"].values()]

    assert source["type"] == "influxdb"
    assert all(re.fullmatch(r"\$\{KGCE_[A-Z_]+\}", place) for place in places)


def test_grafana_finds_the_dashboards_where_it_is_told(written):
    providers = yaml.safe_load((written / "provisioning/dashboards/kgce.yaml").read_text())["providers"]

    assert [provider["type"] for provider in providers] == ["file", "file"]
    assert [provider["options"]["path"] for provider in providers] == ["${KGCE_DASHBOARDS}/en", "${KGCE_DASHBOARDS}/zh"]
