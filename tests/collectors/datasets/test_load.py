"""Data sets by name: what happens when there are none, or when a file is damaged."""

import gzip
from pathlib import Path

import pytest

from kgce.collectors.datasets import DATASETS, load
from kgce.collectors.datasets.benchmark_annual import AMOUNTS, FILE
from kgce.domain.errors import ConfigError

COLUMNS = ("city", "year", "building_id", "name", "use_type", "use_group", "source_flags", "area_m2", *AMOUNTS)


@pytest.mark.parametrize("name", DATASETS)
def test_a_missing_folder_is_one_line_that_says_where_it_looked(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="KGCE_DATA") as caught:
        load(name, tmp_path / "nowhere")

    assert str(tmp_path / "nowhere") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_name_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="unknown data set 'oxford'; known: cambridge, benchmark-annual"):
        load("oxford", tmp_path)


def disclosure(folder: Path, *rows: dict[str, str]) -> Path:
    """A disclosure table of invented properties."""
    path = folder / FILE
    path.parent.mkdir(parents=True)
    usual = {"city": "Seattle", "year": "2016", "building_id": "x", "use_group": "office", "area_m2": "100"}
    lines = [",".join((usual | row).get(column, "") for column in COLUMNS) for row in rows]
    path.write_bytes(gzip.compress("\n".join([",".join(COLUMNS), *lines]).encode()))
    return folder


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ({"city": "Atlantis"}, "unknown city 'Atlantis'"),
        ({"year": "MMXVI"}, "the year is no number"),
        ({"building_id": ""}, "no building_id"),
        ({"site_energy_kwh": "lots"}, "site_energy_kwh: value 'lots' is not a number"),
        ({"area_m2": "inf"}, "area_m2: value 'inf' is not finite"),
    ],
)
def test_a_damaged_row_is_refused_and_the_others_kept(tmp_path: Path, cell: dict[str, str], reason: str) -> None:
    found = load("benchmark-annual", disclosure(tmp_path, {"building_id": "bad", **cell}, {"site_energy_kwh": "5"}))

    assert [refusal.line for refusal in found.refusals] == [2]
    assert reason in found.refusals[0].reason
    assert [institution.id for institution in found.institutions] == ["x"]
    assert found.batch.value.tolist() == [5.0]


def test_steam_and_hot_water_are_one_heat_and_a_blank_is_not_zero(tmp_path: Path) -> None:
    folder = disclosure(
        tmp_path,
        {"building_id": "both", "site_energy_kwh": "9", "district_steam_kwh": "2", "district_hot_water_kwh": "3"},
        {"building_id": "steam", "site_energy_kwh": "9", "district_steam_kwh": "2"},
        {"building_id": "none", "site_energy_kwh": "9"},
        {"building_id": "zero", "site_energy_kwh": "9", "gas_kwh": "0"},
        {"building_id": "silent", "site_energy_kwh": "0", "gas_kwh": "0"},
    )

    batch = load("benchmark-annual", folder).batch

    stored = {batch.series[place].key[:2]: value for place, value in zip(batch.index, batch.value, strict=True)}
    assert stored == {
        ("both", "site_energy"): 9.0, ("both", "heat"): 5.0,
        ("steam", "site_energy"): 9.0, ("steam", "heat"): 2.0,
        ("none", "site_energy"): 9.0,
        ("zero", "site_energy"): 9.0, ("zero", "gas_energy"): 0.0,
    }  # fmt: skip
