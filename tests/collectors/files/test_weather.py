"""Weather from a file: by station, an empty cell is missing, a bad row is refused whole."""

from pathlib import Path

import pytest

from kgce.collectors.files.weather import WeatherFile, read_weather
from kgce.domain.quantities import quantity_of
from tests.collectors.files.reading_files import NOW_S

HEADER = "time,station,temperature_c,humidity_pct,irradiance_w_m2"
GOOD = "2024-01-01T00:00+08:00,jinan,-3.5,40,0"


def read(tmp_path: Path, *lines: str, header: str = HEADER, tz: str | None = None) -> WeatherFile:
    path = tmp_path / "weather.csv"
    path.write_text("\n".join([header, *lines]), encoding="utf-8")
    return read_weather(path, tz=tz, clock=lambda: NOW_S)


def rows(found: WeatherFile) -> dict[tuple[str, str], list[tuple[int, float]]]:
    values: dict[tuple[str, str], list[tuple[int, float]]] = {}
    batch = found.batch
    for place, at_ms, value in zip(batch.index, batch.time_ms.tolist(), batch.value.tolist(), strict=True):
        values.setdefault((batch.series[place].device, batch.series[place].quantity), []).append((at_ms, value))
    return values


def test_each_column_is_a_series_of_the_station(tmp_path: Path) -> None:
    found = read(tmp_path, GOOD)

    at_ms = 1_704_038_400_000  # date -u -d 2023-12-31T16:00Z +%s
    assert rows(found) == {
        ("jinan", "outdoor_temperature"): [(at_ms, -3.5)],
        ("jinan", "humidity"): [(at_ms, 40.0)],
        ("jinan", "irradiance"): [(at_ms, 0.0)],
    }
    assert {(series.institution, series.measurement) for series in found.batch.series} == {("weather", "weather")}
    assert [quantity_of(series.quantity).unit for series in found.batch.series] == ["degC", "%", "W/m2"]


def test_an_empty_cell_is_missing_not_zero(tmp_path: Path) -> None:
    found = read(tmp_path, "2024-01-01T00:00Z,jinan,,55,")

    assert list(rows(found)) == [("jinan", "humidity")]
    assert found.refusals == []


def test_temperature_alone_is_enough(tmp_path: Path) -> None:
    found = read(tmp_path, "2024-01-01T00:00Z,jinan,1.5", header="time,station,temperature_c")

    assert list(rows(found)) == [("jinan", "outdoor_temperature")]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("2024-01-01T01:00,jinan,1,,", "no offset"),
        ("2024-01-01T01:00Z,,1,,", "no station"),
        ("2024-01-01T01:00Z,jinan,,,", "no value"),
        ("2024-01-01T01:00Z,jinan,-999,50,0", "temperature_c '-999' is not a number from -95 to 60"),
        ("2024-01-01T01:00Z,jinan,1,106,", "humidity_pct '106' is not a number from 0 to 105"),
        ("2024-01-01T01:00Z,jinan,1,,2000.1", "irradiance_w_m2 '2000.1' is not"),
        ("2024-01-01T01:00Z,jinan,nan,,", "temperature_c 'nan' is not"),
        ("2024-01-01T01:00Z,jinan,1,wet,", "humidity_pct 'wet' is not"),
        ("2024-01-01T01:00Z,jinan,1", "3 columns where the header has 5"),
        (GOOD, "duplicate of line 2"),
    ],
)
def test_a_bad_row_is_refused_and_the_good_one_kept(tmp_path: Path, row: str, reason: str) -> None:
    found = read(tmp_path, GOOD, row)

    assert [refusal.line for refusal in found.refusals] == [3]
    assert reason in found.refusals[0].reason
    assert (len(found.batch), found.rows) == (3, 2)


def test_the_hour_the_clock_shows_twice_needs_both_rows(tmp_path: Path) -> None:
    """27 October 2019 in London: 01:00 BST is 00:00 UTC, 01:00 GMT is 01:00 UTC (1572134400 and 1572138000)."""
    both = read(tmp_path, "2019-10-27T01:00,kew,9,,", "2019-10-27T01:00,kew,8,,", tz="Europe/London")
    once = read(tmp_path, "2019-10-27T01:00,kew,9,,", tz="Europe/London")

    assert rows(both)["kew", "outdoor_temperature"] == [(1_572_134_400_000, 9.0), (1_572_138_000_000, 8.0)]
    assert len(once.batch) == 0
    assert "happens twice and is given once" in once.refusals[0].reason
