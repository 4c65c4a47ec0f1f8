"""Rows as CSV, XLSX and Parquet, read back by other programs."""

import csv
import io

import duckdb
import openpyxl
import pytest

from kgce.store.table_files import CHUNK, Kind, table_bytes

ROWS = [
    {"id": "a", "n": 1.5, "whole": 3, "on": True, "note": "=1+1", "more": {"x": [1]}, "empty": None},
    {"id": "1", "n": None, "whole": 4, "on": False, "note": "能耗", "more": [], "empty": None},
]
COLUMNS = list(ROWS[0])


def whole(kind: Kind, rows=ROWS) -> bytes:
    return b"".join(table_bytes(kind, COLUMNS, rows))


def test_csv_holds_text_numbers_and_nothing() -> None:
    head, first, second = csv.reader(io.StringIO(whole(Kind.CSV).decode(), newline=""))
    assert head == COLUMNS
    assert first == ["a", "1.5", "3", "True", "'=1+1", '{"x":[1]}', ""], "a text that looks like a formula is disarmed"
    assert second == ["1", "", "4", "False", "能耗", "[]", ""]


def test_a_sheet_holds_numbers_as_numbers_and_formulas_as_text() -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(whole(Kind.XLSX))).active
    assert list(sheet.values)[1:] == [
        ("a", 1.5, 3, True, "=1+1", '{"x":[1]}', None),
        ("1", None, 4, False, "能耗", "[]", None),
    ]
    assert sheet["E2"].data_type == "s"


def test_parquet_types_follow_from_what_stands_in_the_column(tmp_path) -> None:
    (tmp_path / "t.parquet").write_bytes(whole(Kind.PARQUET))
    found = duckdb.sql(f"SELECT * FROM '{tmp_path}/t.parquet'")
    assert list(map(str, found.types)) == ["VARCHAR", "DOUBLE", "BIGINT", "BOOLEAN", "VARCHAR", "VARCHAR", "VARCHAR"]
    assert found.fetchall() == [
        ("a", 1.5, 3, True, "=1+1", '{"x":[1]}', None),
        ("1", None, 4, False, "能耗", "[]", None),
    ]


@pytest.mark.parametrize("kind", list(Kind))
def test_no_rows_make_a_file_with_a_head(kind, tmp_path) -> None:
    content = whole(kind, [])
    if kind is Kind.PARQUET:
        (tmp_path / "t.parquet").write_bytes(content)
        found = duckdb.sql(f"SELECT * FROM '{tmp_path}/t.parquet'")
        assert (found.columns, found.fetchall()) == (COLUMNS, [])
    elif kind is Kind.CSV:
        assert content.decode() == ",".join(COLUMNS) + "\r\n"
    else:
        assert list(openpyxl.load_workbook(io.BytesIO(content)).active.values) == [tuple(COLUMNS)]


def test_csv_comes_in_pieces_before_the_last_row_is_made() -> None:
    made = 0

    def many():
        nonlocal made
        for made in range(50_000):
            yield {"id": f"row {made}"}

    pieces = table_bytes(Kind.CSV, ["id"], many())
    assert len(next(pieces)) < 2 * CHUNK
    assert made < 10_000
    assert sum(piece.count(b"\r\n") for piece in pieces) + made > 49_000
