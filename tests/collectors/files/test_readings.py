"""Readings from files: what is kept, in which unit, at which time."""

import csv
import gzip
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kgce.domain.quantities import Kind
from kgce.domain.tree import Point, Series, Step
from tests.collectors.files.reading_files import HEADER, INSTITUTIONS, Read, read_path

COUNTER = "2024-01-01T00:00:00+08:00,school,main,electricity,counter,kWh,100"


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def test_a_counter_reading_becomes_a_series_with_its_place_in_the_tree(read: Read) -> None:
    found = read(COUNTER)

    (series,) = found.batch.series
    assert series == Series("school", "main", "active_energy_import")
    assert (series.measurement, series.region, series.building) == ("electricity", "370102", "")
    assert found.batch.time_ms.tolist() == [1_704_038_400_000]  # date -u -d 2023-12-31T16:00Z +%s
    assert found.batch.value.tolist() == [100.0]
    assert found.batch.quality.tolist() == [0]
    assert found.points == [Point(series, "electricity", Kind.COUNTER)]
    assert (found.rows, found.refusals, found.findings) == (1, [], [])


@pytest.mark.parametrize(
    ("carrier", "unit", "value", "expected"),
    [
        ("electricity", "MWh", "1.5", 1500.0),
        ("heat", "GJ", "3.6", 1000.0),  # 1 kWh = 3.6 MJ
        ("water", "t", "7", 7.0),  # 1 t of water is 1 m3 in the statistics
        ("gas", "m3", "12", 12.0),  # alias of natural_gas
        ("raw_coal", "t", "2", 2000.0),
        ("gasoline", "L", "1000", 1000 * 1.0747 / 1.4714),  # shared/facts/coefficients.csv
    ],
)
def test_values_are_kept_in_the_unit_of_the_carrier(
    read: Read, carrier: str, unit: str, value: str, expected: float
) -> None:
    found = read(f"2024-01-01T00:00+08:00,school,m,{carrier},counter,{unit},{value}")

    np.testing.assert_allclose(found.batch.value, [expected], rtol=1e-12)


def test_rows_of_one_point_may_use_different_units(read: Read) -> None:
    found = read(COUNTER, "2024-01-02T00:00+08:00,school,main,electricity,counter,MWh,0.2")

    assert found.batch.value.tolist() == [100.0, 200.0]
    assert len(found.batch.series) == 1


def test_interval_amounts_may_be_negative_and_are_told(read: Read) -> None:
    """A net producer is no fault; the finding names how much lies below zero."""
    found = read(*(f"2024-01-01T0{hour}:00Z,school,pv,electricity,interval,kWh,{hour - 2}" for hour in range(4)))

    assert found.batch.value.tolist() == [-2.0, -1.0, 0.0, 1.0]
    assert found.batch.quality.tolist() == [0, 0, 0, 0]
    (finding,) = found.findings
    assert (finding.id, finding.subject) == ("interval.negative", "school")
    assert (finding.evidence["count"], finding.evidence["sum"]) == (2, -3.0)


def test_the_good_rows_between_bad_ones_are_all_kept(read: Read) -> None:
    found = read(
        COUNTER,
        "yesterday,school,main,electricity,counter,kWh,1",
        "2024-01-01T01:00+08:00,school,main,electricity,counter,kWh,101",
        "2024-01-01T02:00+08:00,nobody,main,electricity,counter,kWh,102",
        "2024-01-01T03:00+08:00,school,main,electricity,counter,kWh,103",
    )

    assert found.rows == 5
    assert found.batch.value.tolist() == [100.0, 101.0, 103.0]
    assert [refusal.line for refusal in found.refusals] == [3, 5]


def test_a_quoted_line_break_does_not_shift_the_line_numbers(read: Read) -> None:
    found = read(
        '2024-01-01T00:00Z,school,"main\nhall",electricity,counter,kWh,1',
        "2024-01-01T01:00Z,school,main,electricity,counter,kWh,NaN",
    )

    assert [refusal.line for refusal in found.refusals] == [4]  # header 1, the quoted row 2-3
    assert found.batch.series[0].device == "main\nhall"


def test_a_known_point_keeps_its_place_and_whether_it_counts(read: Read) -> None:
    series = Series("school", "main", "active_energy_import", "electricity", "east", "370102")
    known = Point(series, "electricity", Kind.COUNTER, counts=False)

    found = read(COUNTER, known_points={series.key: known})

    assert found.points == [known]
    assert found.batch.series[0].building == "east"


def test_the_same_file_twice_gives_the_same_batch(tmp_path: Path) -> None:
    path = tmp_path / "readings.csv"
    path.write_text("\n".join([HEADER, COUNTER, COUNTER.replace("main", "annex")]), encoding="utf-8")

    once, again = read_path(path), read_path(path)

    assert once.batch.series == again.batch.series
    for column in ("index", "time_ms", "value", "quality"):
        np.testing.assert_array_equal(getattr(once.batch, column), getattr(again.batch, column))
    assert once.points == again.points


def test_a_file_with_only_a_header_is_empty_not_wrong(read: Read) -> None:
    found = read()

    assert (found.rows, len(found.batch), found.points, found.refusals) == (0, 0, [], [])


def test_progress_reaches_the_size_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "readings.csv.gz"
    rows = (
        f"{datetime.fromtimestamp(60 * n, UTC).replace(year=2020).isoformat()},school,m,gas,counter,m3,{n}"
        for n in range(45_000)
    )
    path.write_bytes(gzip.compress("\n".join([HEADER, *rows]).encode()))
    seen: list[tuple[int, int]] = []

    found = read_path(path, progress=lambda done, total: seen.append((done, total)))

    assert found.rows == len(found.batch) == 45_000
    assert seen[-1] == (path.stat().st_size, path.stat().st_size)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert len(seen) == 3  # every 20 000 rows, and the end


@given(order=st.permutations(HEADER.split(",")))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_columns_may_come_in_any_order(order: list[str], tmp_path: Path) -> None:
    row = dict(zip(HEADER.split(","), COUNTER.split(","), strict=True))
    path = tmp_path / "readings.csv"
    with path.open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, order)
        writer.writeheader()
        writer.writerows([row, row | {"value": "-1", "time": "2024-01-01T01:00Z"}])

    found = read_path(path)

    assert [series.key for series in found.batch.series] == [("school", "main", "active_energy_import")]
    assert (found.batch.time_ms.tolist(), found.batch.value.tolist()) == ([1_704_038_400_000], [100.0])
    assert [(refusal.line, refusal.row["value"]) for refusal in found.refusals] == [(3, "-1")]


@given(
    rows=st.lists(
        st.tuples(
            st.integers(0, 40),
            st.sampled_from(["a", "b"]),
            st.sampled_from(["1", "2.5", "nan", "", "-3", "x", "1e400"]),
        ),
        max_size=30,
    )
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_row_is_either_kept_or_refused(rows: list[tuple[int, str, str]], tmp_path: Path) -> None:
    """Against a plain model: the first finite, non-negative value of each point and hour stands."""
    path = tmp_path / "readings.csv"
    lines = [
        f"2024-01-{1 + hour // 24:02}T{hour % 24:02}:00Z,school,{point},water,counter,m3,{text}"
        for hour, point, text in rows
    ]
    path.write_text("\n".join([HEADER, *lines]), encoding="utf-8")
    model: dict[tuple[str, int], float] = {}
    for hour, point, text in rows:
        if text in {"1", "2.5"}:
            model.setdefault((point, ms("2024-01-01T00:00Z") + hour * 3_600_000), float(text))

    found = read_path(path)

    batch = found.batch
    got = {(batch.series[i].device, t): v for i, t, v in zip(batch.index, batch.time_ms, batch.value, strict=True)}
    assert got == model
    assert len(batch) + len(found.refusals) == found.rows == len(rows)


def test_the_stated_step_decides(read: Read) -> None:
    """A bill from the 15th starts no calendar month; said outright it is a month."""
    found = read(
        "2024-01-15T00:00+08:00,school,bill,gas,interval,m3,5,month",
        "2024-02-15T00:00+08:00,school,bill,gas,interval,m3,6,month",
        header=f"{HEADER},step",
    )

    assert found.points[0].step is Step.MONTH
    assert INSTITUTIONS["school"].timezone == "Asia/Shanghai"
