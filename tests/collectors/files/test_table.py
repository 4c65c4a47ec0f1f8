"""Files as they come: gzip, BOM, Parquet, and everything that is none of these."""

import gzip
from pathlib import Path

import duckdb
import pytest

from kgce.collectors.files.readings import ReadingsFile
from kgce.domain.errors import InputError
from kgce.domain.tree import Step
from tests.collectors.files.reading_files import HEADER, Read, read_path

ROWS = f"{HEADER}\n2024-01-01T00:00Z,school,m,gas,counter,m3,1.5\n2024-01-01T01:00Z,school,m,gas,counter,m3,x\n"


def refused(found: ReadingsFile) -> list[tuple[int, str]]:
    return [(refusal.line, refusal.reason) for refusal in found.refusals]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param("a.csv", ROWS.encode(), id="plain"),
        pytest.param("a.csv", b"\xef\xbb\xbf" + ROWS.encode(), id="byte order mark"),
        pytest.param("a.csv", ROWS.replace("\n", "\r\n").encode(), id="Windows line ends"),
        pytest.param("a.csv.gz", gzip.compress(ROWS.encode()), id="gzip"),
        pytest.param("a.csv", gzip.compress(b"\xef\xbb\xbf" + ROWS.encode()), id="gzip under another name, with BOM"),
        pytest.param("a.csv", ROWS.rstrip().encode(), id="no line end at the end"),
        pytest.param("a.csv", ROWS.replace(",", " , ").encode(), id="blanks around cells"),
    ],
)
def test_every_form_of_csv_gives_the_same_rows(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)

    found = read_path(path)

    assert found.batch.value.tolist() == [1.5]
    assert refused(found) == [(3, "value 'x' is not a number")]


def test_blank_lines_are_passed_over_but_counted_as_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(ROWS.replace("\n", "\n\n"))

    found = read_path(path)

    assert (found.rows, [line for line, _ in refused(found)]) == (2, [5])


def test_chinese_names_survive(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"{HEADER}\n2024-01-01T00:00Z,school,一号楼 总表,gas,counter,m3,1\n", encoding="utf-8")

    assert read_path(path).batch.series[0].device == "一号楼 总表"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        pytest.param("a.csv", b"", "empty file", id="empty"),
        pytest.param("a.csv.gz", ROWS.encode(), "not compressed with gzip", id="gz in name only"),
        pytest.param("a.csv.gz", gzip.compress(ROWS.encode())[:-12], "damaged or cut short", id="cut gzip"),
        pytest.param("a.csv.gz", b"\x1f\x8b" + b"\0" * 30, "damaged or cut short|cannot be read", id="gzip magic only"),
        pytest.param("a.csv", ROWS.replace("school", "一号楼").encode("gbk"), "not UTF-8", id="GBK"),
        pytest.param("a.csv", ROWS.encode("utf-16"), "not UTF-8", id="UTF-16"),
        pytest.param("a.parquet", ROWS.encode(), "not readable as Parquet", id="parquet in name only"),
        pytest.param("a.csv", b"PAR1" + b"\0" * 40, "not readable as Parquet", id="parquet magic only"),
        pytest.param("a.csv", ROWS.replace(",", ";").encode(), "missing 'time', 'institution'", id="semicolons"),
        pytest.param("a.csv", ROWS.replace("unit", "units").encode(), "missing 'unit'; unknown 'units'", id="header"),
        pytest.param("a.csv", b"time,time," + ROWS.encode()[5:], "repeated 'time'", id="column twice"),
        pytest.param("a.csv", b"2024-01-01T00:00Z,school,m,gas,counter,m3,1\n", "missing 'time'", id="no header"),
        pytest.param("a.csv", (ROWS + '"' + "x" * 140_000).encode(), "not CSV", id="a quote that never ends"),
    ],
)
def test_what_cannot_be_read_is_one_line_that_names_the_file(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)

    with pytest.raises(InputError, match=message) as caught:
        read_path(path)

    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_path(tmp_path / "nowhere.csv")
    with pytest.raises(InputError, match="is a folder"):
        read_path(tmp_path)


PARQUET_ROWS = """(VALUES
  (0, 'school', 'm', 'electricity', 'counter', 'kWh', 1.25),
  (1, 'school', 'm', 'electricity', 'counter', 'kWh', NULL),
  (2, 'school', 'm', 'electricity', 'counter', 'kWh', 0.1)
) AS t(hour, institution, point, carrier, kind, unit, value)"""


def parquet(path: Path, time: str, rows: str = PARQUET_ROWS) -> Path:
    """Written by DuckDB; `time` is an expression of `hour`."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(f"COPY (SELECT {time} AS time, * EXCLUDE (hour) FROM {rows}) TO '{path}' (FORMAT parquet)")
    connection.close()
    return path


@pytest.mark.parametrize(
    ("time", "tz"),
    [
        pytest.param("to_timestamp(1704067200 + hour * 3600)", None, id="instants"),
        pytest.param("TIMESTAMP '2024-01-01 08:00:00' + hour * INTERVAL 1 HOUR", "Asia/Shanghai", id="zoneless"),
        pytest.param("'2024-01-01T' || format('{:02d}', 8 + hour) || ':00+08:00'", None, id="text"),
    ],
)
def test_parquet_reads_like_csv(tmp_path: Path, time: str, tz: str | None) -> None:
    """2024-01-01T00:00Z is 1704067200 (`date -u -d 2024-01-01 +%s`), which is 08:00 in China."""
    seen: list[tuple[int, int]] = []

    found = read_path(
        parquet(tmp_path / "a.parquet", time), tz=tz, progress=lambda done, total: seen.append((done, total))
    )

    assert (found.batch.time_ms - 1_704_067_200_000).tolist() == [0, 7_200_000]
    assert found.batch.value.tolist() == [1.25, 0.1]
    assert refused(found) == [(2, "no value")]
    assert found.rows == 3
    assert seen == [(3, 3)]


def test_zoneless_parquet_times_are_refused_without_tz(tmp_path: Path) -> None:
    found = read_path(parquet(tmp_path / "a.parquet", "TIMESTAMP '2024-01-01 08:00:00' + hour * INTERVAL 1 HOUR"))

    assert len(found.batch) == 0
    assert [line for line, _ in refused(found)] == [1, 2, 3]
    assert "no offset" in found.refusals[0].reason


def test_a_parquet_date_is_a_local_day(tmp_path: Path) -> None:
    found = read_path(
        parquet(
            tmp_path / "a.parquet",
            "DATE '2024-01-02' + hour",
            PARQUET_ROWS.replace("counter", "interval").replace("NULL", "2"),
        ),
        tz="Asia/Shanghai",
    )

    assert found.points[0].step is Step.DAY
    assert (found.batch.time_ms - 1_704_067_200_000).tolist() == [16 * 3_600_000, 40 * 3_600_000, 64 * 3_600_000]


def test_a_parquet_file_without_a_column_says_which(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    duckdb.connect().execute(f'COPY (SELECT 1 AS "ti""me", 2 AS value) TO \'{path}\' (FORMAT parquet)').close()

    with pytest.raises(InputError, match=r"missing 'time', 'institution'.*unknown 'ti\"me'"):
        read_path(path)


def test_a_damaged_row_group_of_parquet_is_one_line(tmp_path: Path) -> None:
    path = parquet(tmp_path / "a.parquet", "to_timestamp(1704067200 + hour * 3600)")
    content = bytearray(path.read_bytes())
    content[4:200] = b"\xff" * 196
    path.write_bytes(bytes(content))

    with pytest.raises(InputError, match="not readable as Parquet") as caught:
        read_path(path)

    assert "\n" not in str(caught.value)


def test_an_unbalanced_quote_loses_no_row_in_silence(read: Read) -> None:
    """The swallowed lines are one refused row, which the count of rows shows."""
    found = read('2024-01-01T00:00Z,"school,m,gas,counter,m3,1', "2024-01-01T01:00Z,school,m,gas,counter,m3,2")

    assert found.rows == len(found.refusals) == 1
    assert "columns where the header has 7" in found.refusals[0].reason
