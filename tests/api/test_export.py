"""Whole institutions as files."""

import csv
import io

import duckdb
import pytest

from tests.api.client import TestClient

API = "/api/v1"
JUNE_14 = {"start": "2024-06-14T00:00:00+08:00", "end": "2024-06-15T00:00:00+08:00"}


def test_readings_of_all_series_come_with_unit_and_quality(client: TestClient) -> None:
    answer = client.get(f"{API}/export/readings", params={"institution": "school-2", **JUNE_14})
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert answer.headers["content-disposition"] == 'attachment; filename="school-2-readings.csv"'
    assert {(row["device"], row["unit"], row["quality"]) for row in rows} == {
        ("main", "kWh", "good"),
        ("water", "m3", "good"),
    }
    assert sum(row["device"] == "water" for row in rows) == 24
    water = [float(row["value"]) for row in rows if row["device"] == "water"]
    assert water[-1] - water[0] == pytest.approx(23 * 50 / 24), "50 m3 a day, planted"


def test_the_ledger_of_a_month_adds_up(client: TestClient, tmp_path) -> None:
    asked = {
        "institution": "school-2", "start": "2024-05-01T00:00:00+08:00", "end": "2024-06-01T00:00:00+08:00",
        "grid": "day", "format": "parquet",
    }  # fmt: skip
    (tmp_path / "l.parquet").write_bytes(client.get(f"{API}/export/ledger", params=asked).content)
    query = (
        f"SELECT unit, count(*), sum(amount), min(coverage_ratio) FROM '{tmp_path}/l.parquet' GROUP BY unit ORDER BY 1"
    )
    assert duckdb.sql(query).fetchall() == [
        ("kWh", 31, pytest.approx(31 * 2000), 1.0),
        ("m3", 31, pytest.approx(31 * 50), 1.0),
    ]


@pytest.mark.parametrize(
    ("route", "wrong", "status"),
    [
        ("readings", {"institution": "church"}, 404),
        ("readings", {"end": "2054-06-15T00:00:00+08:00"}, 422),
        ("ledger", {"grid": "15min", "end": "2030-06-15T00:00:00+08:00"}, 422),
        ("ledger", {"start": "2024-06-14T00:00:00"}, 422),
        ("readings", {"format": "exe"}, 422),
    ],
)
def test_what_cannot_be_exported_is_refused_before_the_file_begins(client, route, wrong, status) -> None:
    answer = client.get(f"{API}/export/{route}", params={"institution": "school-1", **JUNE_14, **wrong})
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
