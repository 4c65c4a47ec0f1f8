"""`kgce import bills`: months entered by people, and prices that give a slip away."""

from pathlib import Path

import pytest

from tests.cli.kgce_command import kgce

REGISTRY = (
    "institution,name,region,class,level,climate_zone,year,people,area_m2,heated_area_m2\n"
    "hall,H,370102,agency,city,B,2024,10,100,\n"
)
HEADER = "institution,carrier,month,amount,unit,cost_yuan\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "registry.csv").write_text(REGISTRY, encoding="utf-8")
    assert kgce("import", "registry", "registry.csv", cwd=tmp_path).code == 0
    return tmp_path


def bills(folder: Path, rows: str):
    (folder / "bills.csv").write_text(HEADER + rows, encoding="utf-8")
    return kgce("import", "bills", "bills.csv", "--json", cwd=folder)


def test_a_bill_is_the_amount_of_its_month_and_called_manual(folder: Path) -> None:
    answer = bills(folder, "hall,electricity,2024-06,1.2,MWh,888\nhall,water,2024-06,30,m3,\n")
    assert (answer.code, answer.json["stored"], answer.json["findings"]) == (0, 2, [])
    rows = kgce(
        "ledger", "--institution", "hall", "--point", "bill.active_energy_import_interval", "--from", "2024-06-01",
        "--to", "2024-07-01", "--grid", "month", "--json", cwd=folder,
    ).json  # fmt: skip
    assert [(row["amount"], row["provenance"]) for row in rows] == [(1200.0, "manual")]
    again = bills(folder, "hall,electricity,2024-06,1.2,MWh,888\n")
    assert again.json["duplicate"] == 1


def test_prices_tell_a_slip_and_a_price_outside_the_band(folder: Path) -> None:
    """energy_domain.md section 2: electricity 0.70 to 0.78 yuan/kWh, water 4.1 to 5 yuan/m3."""
    answer = bills(
        folder,
        "hall,electricity,2024-05,1200,kWh,888\nhall,electricity,2024-06,1200,kWh,0.0888\n"
        "hall,water,2024-05,30,m3,135\nhall,water,2024-06,30,m3,300\n",
    )
    assert sorted(one["id"] for one in answer.json["findings"]) == ["bill.ten_thousand", "bill.unit_price"]


def test_good_rows_are_kept_and_bad_ones_refused_with_their_line(folder: Path) -> None:
    answer = bills(
        folder,
        "hall,electricity,2024-05,1200,kWh,888\nhall,ether,2024-05,1,kWh,\nhall,water,2024-13,1,m3,\n"
        "hall,water,2024-06,1,kWh,\nhall,water,2024-07,-1,m3,\nhall,water,2024-08,many,m3,\n,water,2024-08,1,m3,\n"
        "hall,electricity,2024-05,1300,kWh,888\n",
    )
    assert (answer.code, answer.json["stored"]) == (1, 1)
    reasons = {one["line"]: one["reason"] for one in answer.json["refusals"]}
    assert sorted(reasons) == [3, 4, 5, 6, 7, 8, 9]
    assert "write 2024-07" in reasons[4]
    assert "not negative" in reasons[6]
    assert "line 2 states the same month" in reasons[9]
