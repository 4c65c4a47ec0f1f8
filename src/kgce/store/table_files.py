"""Rows as files for other programs: CSV as a stream, XLSX and Parquet through a temporary file.

A row is a mapping; the first one names the columns. What is nested stands as JSON text.
"""

import csv
import io
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import orjson

Row = Mapping[str, Any]

CHUNK: Final = 1 << 16  # bytes of a file handed on at once; rows of CSV are gathered up to this size
MOST_XLSX_ROWS: Final = 1_048_575  # a sheet holds so many below its head
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_AS_TEXT: Final = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


class Kind(StrEnum):
    """A kind of file."""

    CSV = "csv"
    XLSX = "xlsx"
    PARQUET = "parquet"

    @property
    def media_type(self) -> str:
        """As HTTP names it."""
        return _MEDIA_TYPES[self]


_MEDIA_TYPES: Final = {
    Kind.CSV: "text/csv; charset=utf-8",
    Kind.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Kind.PARQUET: "application/vnd.apache.parquet",
}


def table_bytes(kind: Kind, columns: Sequence[str], rows: Iterable[Row]) -> Iterator[bytes]:
    """The file in pieces; a text that a spreadsheet would take for a formula gets an apostrophe in CSV.

    Raises:
        ValueError: more rows than a sheet holds.
    """
    if kind is Kind.CSV:
        return _csv(columns, rows)
    return _through_file(kind, columns, rows)


def _csv(columns: Sequence[str], rows: Iterable[Row]) -> Iterator[bytes]:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_unharmed(_flat(row.get(name))) for name in columns])
        if text.tell() >= CHUNK:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()


def _unharmed(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _flat(value: object) -> object:
    return orjson.dumps(value).decode() if isinstance(value, dict | list | tuple) else value


def _through_file(kind: Kind, columns: Sequence[str], rows: Iterable[Row]) -> Iterator[bytes]:
    with tempfile.TemporaryDirectory(prefix="kgce-export-") as folder:
        path = Path(folder) / f"rows.{kind}"
        if kind is Kind.XLSX:
            _xlsx(path, columns, rows)
        else:
            _parquet(path, columns, rows)
        with path.open("rb") as file:
            while piece := file.read(CHUNK):
                yield piece


def _xlsx(path: Path, columns: Sequence[str], rows: Iterable[Row]) -> None:
    from xlsxwriter import Workbook  # noqa: PLC0415 - only who exports needs it

    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "nan_inf_to_errors": True,
    }
    with Workbook(str(path), options) as book:
        sheet = book.add_worksheet("kgce")
        sheet.freeze_panes(1, 0)
        sheet.write_row(0, 0, columns, book.add_format({"bold": True}))
        for number, row in enumerate(rows, start=1):
            if number > MOST_XLSX_ROWS:
                raise ValueError(f"a sheet holds {MOST_XLSX_ROWS} rows: take csv or parquet")
            for place, name in enumerate(columns):
                value = _flat(row.get(name))
                if value is not None:
                    sheet.write(number, place, value)


def _parquet(path: Path, columns: Sequence[str], rows: Iterable[Row]) -> None:
    import duckdb  # noqa: PLC0415 - only who exports needs it

    lines = path.with_suffix(".jsonl")
    seen: dict[str, set[type]] = {name: set() for name in columns}
    with lines.open("wb") as file:
        for row in rows:
            flat = {name: _flat(row.get(name)) for name in columns}
            for name, value in flat.items():
                seen[name].add(type(value))
            file.write(orjson.dumps(flat) + b"\n")
    types = ", ".join(f"{_quoted(name)}: '{_sql_type(kinds)}'" for name, kinds in seen.items())
    with duckdb.connect() as engine:
        engine.execute(
            f"COPY (SELECT * FROM read_json({_text(lines)}, format='newline_delimited', columns={{{types}}})) "  # noqa: S608 - quoted
            f"TO {_text(path)} (FORMAT parquet, COMPRESSION zstd)"
        )


def _sql_type(seen: set[type]) -> str:
    """Type of a column by what stood in it; nothing, or a mixture, is text."""
    kinds = seen - {type(None)}
    if kinds == {bool}:
        return "BOOLEAN"
    if kinds and kinds <= {int, float}:
        return "DOUBLE" if float in kinds else "BIGINT"
    return "VARCHAR"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
