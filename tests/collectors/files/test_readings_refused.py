"""Every reason to refuse a row, with its line; the good row before it stays."""

from pathlib import Path

import pytest

from kgce.domain.errors import ConfigError
from kgce.domain.quantities import Kind
from kgce.domain.tree import Point, Series, Step
from tests.collectors.files.reading_files import HEADER, Read, read_path

GOOD = "2024-01-01T00:00:00+08:00,school,main,electricity,counter,kWh,100"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        pytest.param("2024-01-02T00:00:00,school,main,electricity,counter,kWh,1", "no offset", id="naive time"),
        pytest.param("2024-01-02,school,main,electricity,counter,kWh,1", "no offset", id="date only is naive"),
        pytest.param("02.01.2024 00:00,school,main,electricity,counter,kWh,1", "not ISO 8601", id="unparsable time"),
        pytest.param("2024-02-30T00:00Z,school,main,electricity,counter,kWh,1", "not ISO 8601", id="no such day"),
        pytest.param(",school,main,electricity,counter,kWh,1", "no time", id="empty time"),
        pytest.param("1979-12-31T23:59:59Z,school,main,electricity,counter,kWh,1", "before 1980", id="unset clock"),
        pytest.param("2026-01-02T00:00:01Z,school,main,electricity,counter,kWh,1", "a day in the future", id="future"),
        pytest.param("0001-01-01T00:00+14:00,school,main,electricity,counter,kWh,1", "before 1980", id="year one"),
        pytest.param(
            "2024-01-02T00:00Z,school,main,electricity,counter,kwh,1", "unknown unit 'kwh'", id="unknown unit"
        ),
        pytest.param("2024-01-02T00:00Z,school,main,electricity,counter,kW,1", "measures power", id="power for energy"),
        pytest.param("2024-01-02T00:00Z,school,main,electricity,counter,m3,1", "measures volume", id="other dimension"),
        pytest.param("2024-01-02T00:00Z,school,main,electricity,counter,,1", "no unit", id="empty unit"),
        pytest.param("2024-01-02T00:00Z,school,main,plutonium,counter,kg,1", "unknown carrier", id="unknown carrier"),
        pytest.param("2024-01-02T00:00Z,school,main,electricity,gauge,kWh,1", "neither counter nor", id="gauge"),
        pytest.param("2024-01-02T00:00Z,school,main,electricity,,kWh,1", "neither counter nor", id="empty kind"),
        pytest.param("2024-01-02T00:00Z,school,main,electricity,counter,kWh,-0.1", "negative", id="negative counter"),
        pytest.param("2024-01-02T00:00Z,school,main,electricity,counter,kWh,NaN", "not finite", id="NaN"),
        pytest.param("2024-01-02T00:00Z,school,main,electricity,counter,kWh,inf", "not finite", id="infinity"),
        pytest.param("2024-01-02T00:00Z,school,main,electricity,counter,kWh,1e999", "not finite", id="overflow"),
        pytest.param("2024-01-02T00:00Z,school,main,electricity,counter,GWh,1e308", "too large", id="overflow in kWh"),
        pytest.param("2024-01-02T00:00Z,school,main,electricity,counter,kWh,", "no value", id="empty value"),
        pytest.param("2024-01-02T00:00Z,school,main,electricity,counter,kWh,1_000", "not a number", id="underscore"),
        pytest.param(
            "2024-01-02T00:00Z,school,main,electricity,counter,kWh,12 kWh", "not a number", id="unit in value"
        ),
        pytest.param("2024-01-02T00:00Z,nobody,main,electricity,counter,kWh,1", "unknown institution", id="unknown"),
        pytest.param("2024-01-02T00:00Z,,main,electricity,counter,kWh,1", "no institution", id="empty institution"),
        pytest.param("2024-01-02T00:00Z,school, ,electricity,counter,kWh,1", "no point", id="blank point"),
        pytest.param("2024-01-02T00:00Z,school,main,electricity,counter,kWh", "6 columns where", id="too few columns"),
        pytest.param(
            "2024-01-02T00:00Z,school,main,electricity,counter,kWh,1,5", "8 columns where", id="decimal comma"
        ),
        pytest.param("2024-01-02T00:00Z,school,main,gas,counter,m3,1", "electricity counter earlier", id="carrier"),
        pytest.param("2024-01-02T00:00Z,school,main,electricity,interval,kWh,1", "counter earlier", id="other kind"),
        pytest.param(GOOD, "duplicate of line 2", id="duplicate"),
        pytest.param(GOOD.replace("100", "200"), "duplicate of line 2", id="other value at the same time"),
        pytest.param(
            "2023-12-31T16:00Z,school,main,electricity,counter,kWh,9", "duplicate of line 2", id="same instant"
        ),
    ],
)
def test_a_bad_row_is_refused_with_file_line_and_reason(read: Read, tmp_path: Path, row: str, reason: str) -> None:
    found = read(GOOD, row)

    (refusal,) = found.refusals
    assert reason in refusal.reason
    assert "\n" not in refusal.reason
    assert (refusal.file, refusal.line) == (str(tmp_path / "readings.csv"), 3)
    assert refusal.row["institution"] == row.split(",")[1]
    assert found.rows == 2
    assert found.batch.value.tolist() == [100.0]


@pytest.mark.parametrize(
    "row",
    [
        "1980-01-01T00:00:00Z,school,other,electricity,counter,kWh,0",  # the oldest allowed; zero counts
        "2026-01-02T00:00:00Z,school,main,electricity,counter,kWh,1e300",  # a day ahead of the clock exactly
        "2024-01-01T00:00:00+08:00,college,main,gas,interval,m3,100",  # same point name, another institution
    ],
)
def test_a_row_just_inside_the_limits_is_kept(read: Read, row: str) -> None:
    found = read(GOOD, row)

    assert found.refusals == []
    assert len(found.batch) == 2


def test_a_refused_row_neither_claims_a_time_nor_a_carrier(read: Read) -> None:
    """Only a row that is kept may make a later one a duplicate or a contradiction."""
    found = read(
        "2024-01-01T00:00:00+08:00,school,main,gas,counter,m3,NaN",
        "2024-01-01T00:00:00+08:00,school,main,electricity,counter,kWh,-5",
        GOOD,
    )

    assert [refusal.line for refusal in found.refusals] == [2, 3]
    assert found.batch.value.tolist() == [100.0]
    assert found.batch.series[0].quantity == "active_energy_import"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("2024-01-01T00:00Z,school,main,gas,counter,m3,1", "known as electricity counter, not natural_gas counter"),
        ("2024-01-01T00:00Z,school,main,electricity,interval,kWh,1", "known as electricity counter, not electricity"),
    ],
)
def test_a_registered_point_is_held_to_its_carrier_and_kind(read: Read, row: str, reason: str) -> None:
    series = Series("school", "main", "active_energy_import", "electricity")

    found = read(row, known_points={series.key: Point(series, "electricity", Kind.COUNTER)})

    assert reason in found.refusals[0].reason
    assert (len(found.batch), found.points) == (0, [])


def test_a_third_duplicate_names_the_first_line_too(read: Read) -> None:
    found = read(GOOD, GOOD, GOOD.replace("main", "annex"), GOOD)

    assert [(refusal.line, refusal.reason) for refusal in found.refusals] == [
        (3, "duplicate of line 2"),
        (5, "duplicate of line 2"),
    ]


INTERVALS = "school,bill,gas,interval,m3,5"


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        pytest.param(["2024-01-01T00:00Z", "2024-01-01T00:20Z"], "0:20:00 apart show no known step", id="20 minutes"),
        pytest.param(["2024-01-01T00:00Z", "2024-02-01T00:00Z"], "31 days, 0:00:00 apart", id="months of another zone"),
    ],
)
def test_stamps_that_show_no_step_refuse_the_whole_point(read: Read, lines: list[str], reason: str) -> None:
    found = read(*(f"{line},{INTERVALS}" for line in lines), GOOD)

    assert [refusal.line for refusal in found.refusals] == [2, 3]
    assert all(reason in refusal.reason for refusal in found.refusals)
    assert found.batch.value.tolist() == [100.0]


def test_a_step_that_would_overlap_is_refused(read: Read) -> None:
    found = read(
        f"2024-01-01T00:00+08:00,{INTERVALS},month",
        f"2024-01-02T00:00+08:00,{INTERVALS},month",
        header=f"{HEADER},step",
    )

    assert [refusal.line for refusal in found.refusals] == [2, 3]
    assert "stated step is month: they would overlap" in found.refusals[0].reason
    assert found.refusals[0].row["step"] == "month"


def test_the_registered_step_holds_for_a_later_file(read: Read) -> None:
    """A single January bill of a monthly point is a month, not a year."""
    series = Series("school", "bill", "gas_volume_interval", "gas")
    known = {series.key: Point(series, "natural_gas", Kind.INTERVAL, Step.MONTH)}

    january = read(f"2025-01-01T00:00+08:00,{INTERVALS}", known_points=known)
    hourly = read(f"2024-01-01T00:00Z,{INTERVALS}", f"2024-01-01T01:00Z,{INTERVALS}", known_points=known)
    yearly = read(f"2025-01-01T00:00+08:00,{INTERVALS},year", known_points=known, header=f"{HEADER},step")

    assert january.points[0].step is Step.MONTH
    assert ["registered step is month" in refusal.reason for refusal in hourly.refusals] == [True, True]
    assert "known with step month, not year" in yearly.refusals[0].reason


@pytest.mark.parametrize(
    ("step", "kind", "reason"),
    [("hour", "counter", "a counter has no step"), ("week", "interval", "unknown step 'week'")],
)
def test_a_step_that_makes_no_sense_is_refused(read: Read, step: str, kind: str, reason: str) -> None:
    found = read(f"2024-01-01T00:00Z,school,m,gas,{kind},m3,1,{step}", header=f"{HEADER},step")

    assert reason in found.refusals[0].reason


def test_an_unknown_zone_is_a_configuration_error(tmp_path: Path) -> None:
    path = tmp_path / "readings.csv"
    path.write_text(HEADER, encoding="utf-8")

    with pytest.raises(ConfigError, match="unknown time zone 'Mars/Olympus'"):
        read_path(path, tz="Mars/Olympus")
