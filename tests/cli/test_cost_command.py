"""`kgce cost`: a planted year priced by the hour and by the bill."""

from pathlib import Path

import numpy as np
import pytest

from kgce.cli.database import database
from kgce.domain.batch import Batch, Quality
from kgce.domain.quantities import Kind
from kgce.domain.tree import Institution, Point, Series, Step
from tests.cli.kgce_command import kgce
from tests.domain.test_tariffs import TIERS, TIME

QUARTER = 900_000
START = 1_704_038_400_000  # 2024-01-01T00:00+08:00
DAYS = 366


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A hall that draws 4 kW day and night, 1 kW of it a tenant's, and has a water bill of 15 m3 each month."""
    with database(tmp_path / "kgce-data") as at:
        at.registry.save_institutions([Institution("hall", "H", "370102")])
        time = START + QUARTER * np.arange(96 * DAYS + 1, dtype=np.int64)
        for device, power in (("main", 4.0), ("shop", 1.0)):
            one = Series("hall", device, "active_energy_import", "electricity", "", "370102")
            at.registry.save_points([Point(one, "electricity", Kind.COUNTER, counts=device == "main")])
            value = power / 4 * np.arange(len(time))
            at.store.append(Batch.of([one], np.zeros(len(time), np.int32), time, value))
        bill = Series("hall", "bill", "water_volume_interval", "water", "", "370102")
        at.registry.save_points([Point(bill, "water", Kind.INTERVAL, Step.MONTH)])
        months = np.arange("2024-01", "2025-01", dtype="datetime64[M]").astype("datetime64[ms]").astype(np.int64)
        quality = np.full(12, int(Quality.MANUAL), np.uint8)
        at.store.append(Batch.of([bill], np.zeros(12, np.int32), months - 8 * 3_600_000, np.full(12, 15.0), quality))
    (tmp_path / "prices.toml").write_text(TIME + TIERS.replace('"t"', '"w"'), encoding="utf-8")
    tenant = ("meter", "set", "--institution", "hall", "--point", "shop", "--use", "tenant", "--behind", "main")
    answer = kgce(*tenant, cwd=tmp_path)
    assert answer.code == 0, answer.err
    return tmp_path


def test_a_year_is_priced_by_the_quarter_of_an_hour_and_the_tenant_is_not_ours(folder: Path) -> None:
    """2024: 262 working days of 45.6 yuan and 104 days of 21.6 at 3 kW; 180 m3: 100 at 4.2, 80 at 5.0."""
    assert kgce("tariff", "import", "prices.toml", "--for", "region:37", cwd=folder).code == 0
    found = {row["carrier"]: row for row in kgce("cost", "hall", "2024", "--json", cwd=folder).json["carriers"]}
    electricity, water = found["electricity"], found["water"]
    assert electricity["amount"] == pytest.approx(3 * 24 * DAYS)
    assert electricity["cost_yuan"] == pytest.approx(262 * 3 * 15.2 + 104 * 3 * 7.2)
    assert sum(electricity["parts_yuan"].values()) == pytest.approx(electricity["cost_yuan"])
    assert (electricity["months_by_quarter_hour"], water["months_by_quarter_hour"]) == (12, 0)
    assert water["cost_yuan"] == pytest.approx(100 * 4.2 + 80 * 5.0)
    assert water["by_month_yuan"][6] == pytest.approx(10 * 4.2 + 5 * 5.0)


def test_without_a_tariff_the_amount_is_shown_and_the_cost_is_unknown(folder: Path) -> None:
    found = kgce("cost", "hall", "2024", "--json", cwd=folder).json["carriers"]
    assert {row["cost_yuan"] for row in found} == {None}
    shown = kgce("cost", "hall", "2024", cwd=folder)
    assert "none: kgce tariff import" in shown.out


def test_the_nearest_tariff_holds_and_a_wrong_one_is_refused(folder: Path) -> None:
    (folder / "own.toml").write_text(TIME.replace('"t"', '"own"'), encoding="utf-8")
    assert kgce("tariff", "import", "prices.toml", cwd=folder).code == 0
    assert kgce("tariff", "import", "own.toml", "--for", "institution:hall", cwd=folder).code == 0
    listed = kgce("tariff", "list", "--institution", "hall", "--json", cwd=folder).json
    assert [row["id"] for row in listed] == ["own"]
    (folder / "own.toml").write_text(TIME.replace("24:00", "23:00"), encoding="utf-8")
    wrong = kgce("tariff", "import", "own.toml", cwd=folder)
    assert (wrong.code, "nothing holds at 23:00" in wrong.err) == (2, True)
    nobody = kgce("tariff", "import", "prices.toml", "--for", "3701", cwd=folder)
    assert (nobody.code, "write region:CODE" in nobody.err) == (2, True)
