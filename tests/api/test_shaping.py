"""Fewer fields, other formats, nothing new: what every reading route can do."""

import csv
import io

import duckdb
import openpyxl
import pytest

from tests.api.client import TestClient

API = "/api/v1"
RANKING = f"{API}/ranking"
YEAR = {"year": 2023, "indicator": "energy_per_area"}


def test_only_the_named_fields_come_in_the_named_order(client: TestClient) -> None:
    rows = client.get(RANKING, params={**YEAR, "fields": "value,institution"}).json()
    assert [list(row) for row in rows] == [["value", "institution"]] * 4
    page = client.get(f"{API}/institutions", params={"fields": "id"}).json()
    assert (page["total"], page["items"][0]) == (4, {"id": "hall-1"})
    one = client.get(f"{API}/institutions/school-1", params={"fields": "name"}).json()
    assert one == {"name": "第一中学"}


def test_a_field_nobody_has_is_refused_with_those_there_are(client: TestClient) -> None:
    answer = client.get(RANKING, params={**YEAR, "fields": "value,beauty"})
    assert answer.status_code == 422
    assert "no field beauty: choose of rank, institution" in answer.json()["detail"]


def test_a_second_look_at_the_same_answer_carries_no_body(client: TestClient) -> None:
    first = client.get(RANKING, params=YEAR)
    again = client.get(RANKING, params=YEAR, headers={"If-None-Match": f'"other", W/{first.headers["ETag"]}'})
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    cut = client.get(RANKING, params={**YEAR, "fields": "rank"}, headers={"If-None-Match": first.headers["ETag"]})
    assert cut.status_code == 200, "another answer has another tag"


def rows_of(kind: str, content: bytes) -> list[tuple]:
    """Read back by another program than the one that wrote."""
    if kind == "csv":
        return [tuple(row) for row in csv.reader(io.StringIO(content.decode()))]
    if kind == "xlsx":
        return list(openpyxl.load_workbook(io.BytesIO(content)).active.values)
    return content  # type: ignore[return-value]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_ranking_as_a_table_has_the_same_rows(client: TestClient, kind: str) -> None:
    asked = {**YEAR, "fields": "rank,institution,name,value"}
    plain = client.get(RANKING, params=asked).json()
    answer = client.get(RANKING, params={**asked, "format": kind})
    head, *rows = rows_of(kind, answer.content)
    assert answer.headers["content-disposition"] == f'attachment; filename="ranking.{kind}"'
    assert head == ("rank", "institution", "name", "value")
    assert [row[1:3] for row in rows] == [(row["institution"], row["name"]) for row in plain]
    assert [float(row[3]) for row in rows[:2]] == [row["value"] for row in plain[:2]]
    assert {row[3] for row in rows[2:]} <= {None, ""}, "what nobody knows is an empty cell, not a zero"


def test_a_ranking_as_parquet_has_the_same_rows_and_types(client: TestClient, tmp_path) -> None:
    answer = client.get(RANKING, params={**YEAR, "format": "parquet"})
    (tmp_path / "r.parquet").write_bytes(answer.content)
    found = duckdb.sql(f"SELECT institution, value, rank FROM '{tmp_path}/r.parquet' WHERE rank = 1").fetchall()
    assert found == [("school-1", pytest.approx(365 * 1000 * 0.1229 / 10_000), 1)]


def test_the_notes_of_an_answer_come_with_its_file_too(client: TestClient) -> None:
    asked = {"year": 2019, "indicator": "energy_per_area", "factor_set": "sd-db37-2019", "format": "csv"}
    assert client.get(RANKING, params=asked).headers["Kgce-Note"].startswith("retrospective: sd-db37-2019")


def test_an_unknown_format_is_refused(client: TestClient) -> None:
    assert client.get(RANKING, params={**YEAR, "format": "exe"}).status_code == 422
