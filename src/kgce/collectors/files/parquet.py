"""Parquet rows as the same lines of text that CSV gives; feeds table.py."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import duckdb

from kgce.collectors.files.table import Columns, Line, Progress
from kgce.domain.errors import InputError

_CHUNK_ROWS: Final = 20_000


def parquet_rows(path: Path, columns: Columns, progress: Progress | None) -> Iterator[Line]:
    """Rows with their number (the first row is 1; Parquet has no header line), values as text.

    Instants come as UTC with Z; zoneless timestamps stay without an offset, so that they are refused or placed by
    `--tz` like any other naive time.

    Raises:
        InputError: not Parquet, damaged, or the columns do not fit.
    """
    connection = duckdb.connect()
    try:
        connection.execute("SET enable_progress_bar = false")
        described = connection.execute("DESCRIBE SELECT * FROM read_parquet(?)", [str(path)]).fetchall()
        types = {str(name): str(kind) for name, kind, *_ in described}
        header = list(types)
        places = columns.places(path, header)
        chosen = ", ".join(_as_text(header[place], types[header[place]]) if place >= 0 else "''" for place in places)
        total = connection.execute("SELECT count(*) FROM read_parquet(?)", [str(path)]).fetchall()[0][0]
        # Every name in `chosen` was quoted by _as_text; the path is a parameter.
        cursor = connection.execute(f"SELECT {chosen} FROM read_parquet(?)", [str(path)])  # noqa: S608
        number = 0
        while chunk := cursor.fetchmany(_CHUNK_ROWS):
            for row in chunk:
                number += 1
                yield Line(number, [cell.strip() if cell else "" for cell in row])
            if progress is not None:
                progress(number, total)
    except duckdb.Error as error:
        raise InputError(f"{path}: not readable as Parquet: {str(error).splitlines()[0]}") from error
    finally:
        connection.close()


def _as_text(name: str, kind: str) -> str:
    quoted = '"' + name.replace('"', '""') + '"'
    if kind == "TIMESTAMP WITH TIME ZONE":
        return f"strftime(make_timestamp(epoch_us({quoted})), '%Y-%m-%dT%H:%M:%S.%fZ')"
    if kind.startswith("TIMESTAMP") or kind == "DATE":
        return f"strftime(CAST({quoted} AS TIMESTAMP), '%Y-%m-%dT%H:%M:%S.%f')"
    return f"CAST({quoted} AS VARCHAR)"
