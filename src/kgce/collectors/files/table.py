"""Table: a file as lines of text cells in a fixed column order; feeds readings, registry and weather.

CSV (plain or gzip, UTF-8) is read here, Parquet in parquet.py; what follows cannot tell them apart.
"""

import csv
import gzip
import io
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple, TextIO

from kgce.domain.errors import InputError

Progress = Callable[[int, int], None]  # (done, total)

_GZIP_MAGIC: Final = b"\x1f\x8b"
_PARQUET_MAGIC: Final = b"PAR1"
_ROWS_PER_REPORT: Final = 20_000


class Line(NamedTuple):
    """One row: line it begins on, cells in the asked order, and what is wrong with its shape (empty = nothing)."""

    number: int
    cells: Sequence[str]
    fault: str = ""


class Columns(NamedTuple):
    """Which columns a file must and may have."""

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    others_allowed: bool = False

    @property
    def all(self) -> tuple[str, ...]:
        """Order of the cells handed on."""
        return self.required + self.optional

    def places(self, path: Path, header: Sequence[str]) -> list[int]:
        """Position in the file's rows of every column; -1 = the file lacks this optional column.

        Raises:
            InputError: a column is missing, unknown or there twice.
        """
        missing = [name for name in self.required if name not in header]
        unknown = [name for name in header if name not in self.all and not self.others_allowed]
        twice = [name for name in self.all if header.count(name) > 1]
        faults = [
            f"{what} {', '.join(repr(name) for name in names)}"
            for what, names in (("missing", missing), ("unknown", unknown), ("repeated", twice))
            if names
        ]
        if faults:
            wanted = ",".join(self.required) + "".join(f"[,{name}]" for name in self.optional)
            raise InputError(f"{path}: header: {'; '.join(faults)}; the columns are {wanted}")
        return [header.index(name) if name in header else -1 for name in self.all]


def read_table(path: Path, columns: Columns, progress: Progress | None = None) -> Iterator[Line]:
    """Every row of a CSV, CSV.gz or Parquet file; blank lines are passed over.

    Raises:
        InputError: no such file, not what it claims to be, not UTF-8, or the header does not fit.
    """
    with _one_line_errors(path), path.open("rb") as raw:
        magic = raw.read(len(_PARQUET_MAGIC))
        raw.seek(0)
        if magic == _PARQUET_MAGIC or path.suffix == ".parquet":
            from kgce.collectors.files.parquet import parquet_rows  # noqa: PLC0415  CSV needs no database engine

            yield from parquet_rows(path, columns, progress)
            return
        if path.suffix == ".gz" and not magic.startswith(_GZIP_MAGIC):
            raise InputError(f"{path}: named .gz but not compressed with gzip; rename it or compress it")
        yield from _csv_rows(raw, path, columns, progress, is_gzip=magic.startswith(_GZIP_MAGIC))


def _csv_rows(
    raw: BinaryIO, path: Path, columns: Columns, progress: Progress | None, *, is_gzip: bool
) -> Iterator[Line]:
    size = path.stat().st_size
    packed: BinaryIO = gzip.GzipFile(fileobj=raw) if is_gzip else raw  # type: ignore[assignment]  # reads like one
    with io.TextIOWrapper(packed, encoding="utf-8-sig", newline="") as text:
        for count, line in enumerate(_lines(text, path, columns), start=1):
            yield line
            if progress is not None and count % _ROWS_PER_REPORT == 0:
                progress(raw.tell(), size)
    if progress is not None:
        progress(size, size)


def _lines(text: TextIO, path: Path, columns: Columns) -> Iterator[Line]:
    reader = csv.reader(text)
    header = [name.strip() for name in next(reader, [])]
    if not header:
        raise InputError(f"{path}: empty file; the first line must name the columns {','.join(columns.required)}")
    places, width = columns.places(path, header), len(header)
    begins = reader.line_num + 1  # a quoted cell may span lines: a row is named by the line it begins on
    for row in reader:
        line, begins = begins, reader.line_num + 1
        if len(row) == width:
            row.append("")  # what place -1 finds
            yield Line(line, [row[place].strip() for place in places])
        elif row:
            shown = [row[place] if 0 <= place < len(row) else "" for place in places] + row[width:]
            yield Line(line, shown, f"{len(row)} columns where the header has {width}")


@contextmanager
def _one_line_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise InputError(f"{path}: is a folder; name a file") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 (byte {error.object[error.start]:#04x}); save it as UTF-8") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{path}: the gzip data is damaged or cut short; copy it again") from error
    except csv.Error as error:
        raise InputError(f"{path}: not CSV: {error}") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
