"""Charging sessions as published: nothing of their energy is lost; their traps by name, and impossible sessions."""

import csv
import gzip
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgce.collectors.datasets import Dataset, load
from kgce.collectors.datasets.ev_sessions import FILE, SLOT_MS, spread
from kgce.collectors.datasets.ev_sessions_traps import HOUR_MS, Session
from kgce.domain.findings import Finding
from kgce.domain.quantities import Kind
from kgce.domain.tree import Step

COLUMNS = ("dataset", "session_id", "site_id", "plug_in", "plug_out", "charge_end", "energy_kwh", "time_basis")
USUAL = {
    "dataset": "d", "site_id": "s", "plug_in": "2020-01-01T08:00:00Z", "plug_out": "2020-01-01T09:00:00Z",
    "energy_kwh": "8", "time_basis": "UTC",
}  # fmt: skip


@pytest.fixture(scope="module")
def sessions(shared_data: Path) -> Dataset:
    return load("ev-sessions", shared_data)


@pytest.fixture(scope="module")
def query(shared_data: Path) -> Any:
    """Rows of a query over the published table; T stands for it."""
    table = f"read_csv('{shared_data / FILE}', sample_size = -1)"
    return lambda sql: duckdb.sql(sql.replace("FROM T", f"FROM {table}")).fetchall()


def told(found: Dataset, kind: str) -> list[Finding]:
    return [finding for finding in found.findings if finding.id == kind]


def planted(folder: Path, rows: Iterable[Mapping[str, str]]) -> Dataset:
    """Invented sessions, or real ones told in the words of this file."""
    path = folder / FILE
    path.parent.mkdir(parents=True)
    lines = [",".join({"session_id": str(count), **row}.get(name, "") for name in COLUMNS)
             for count, row in enumerate(rows)]  # fmt: skip
    path.write_bytes(gzip.compress("\n".join([",".join(COLUMNS), *lines]).encode()))
    return load("ev-sessions", folder)


def test_every_site_has_one_point_of_quarter_hours(sessions: Dataset, query: Any) -> None:
    ((sites,),) = query("SELECT count(DISTINCT site_id) FROM T")

    assert len(sessions.institutions) == len(sessions.points) == sites == 26
    assert {(one.carrier, one.kind, one.step) for one in sessions.points} == {
        ("electricity", Kind.INTERVAL, Step.QUARTER_HOUR)
    }
    assert not (sessions.batch.time_ms % SLOT_MS).any()
    keys = set(zip(sessions.batch.index.tolist(), sessions.batch.time_ms.tolist(), strict=True))
    assert len(keys) == len(sessions.batch)  # sessions in one slot are summed, not stored twice
    assert sessions.refusals == []


def test_the_energy_of_every_site_is_conserved_to_rounding(sessions: Dataset, query: Any) -> None:
    published = {f"ev-{site}": kwh for site, kwh in query("SELECT site_id, sum(energy_kwh) FROM T GROUP BY site_id")}
    batch = sessions.batch
    stored = {one.institution: batch.of_series(place).value.sum() for place, one in enumerate(batch.series)}

    assert stored.keys() == {site for site, kwh in published.items() if kwh > 0}
    for site, kwh in stored.items():
        np.testing.assert_allclose(kwh, published[site], rtol=1e-9)


def test_times_without_a_stated_basis_are_read_as_utc_and_told_site_by_site(sessions: Dataset, query: Any) -> None:
    unstated = {one.subject: one.evidence["sessions"] for one in told(sessions, "time.basis_unstated")}
    expected = query("SELECT site_id, count(*) FROM T WHERE time_basis LIKE 'unstated%' GROUP BY site_id")
    timezones = {one.id: one.timezone for one in sessions.institutions}

    assert unstated == {f"ev-{site}": count for site, count in expected}
    assert "ev-acn" not in unstated
    assert (timezones["ev-acn"], timezones["ev-461655"]) == ("America/Los_Angeles", "UTC")
    first_ms = min(sessions.batch.time_ms)
    assert first_ms == datetime(2014, 11, 18, 15, 0, tzinfo=UTC).timestamp() * 1000  # plug-in at 15:01:17


def test_the_55_sessions_of_zero_kwh_are_told_and_fill_no_quarter_hour(sessions: Dataset) -> None:
    zero = told(sessions, "session.zero")

    assert sum(len(one.evidence["sessions"]) for one in zero) == 55  # trap 10 of the data's README
    assert sessions.batch.value.min() > 0.0


def test_workplaces_publish_no_end_of_charging_and_caltech_does(sessions: Dataset, query: Any) -> None:
    ((count,),) = query("SELECT count(*) FROM T WHERE charge_end IS NULL")
    unstated = told(sessions, "session.charge_end_unstated")

    assert sum(one.evidence["sessions"] for one in unstated) == count
    assert "ev-acn" not in {one.subject for one in unstated}


def test_the_session_of_55_hours_is_told(sessions: Dataset) -> None:
    (long,) = told(sessions, "session.long")

    assert (long.subject, long.evidence["session"], long.evidence["hours"]) == ("ev-751082", "2162299", 55.24)


def test_the_years_0014_and_0015_of_the_raw_file_are_refused_with_the_reason(tmp_path: Path, shared_data: Path) -> None:
    """Trap 10: the source wrote the years 0014 and 0015; no such session becomes a reading."""
    with (shared_data / "ev" / "us_workplace_raw_first300.csv").open(encoding="utf-8", newline="") as text:
        raw = [
            {"dataset": "raw", "session_id": row["sessionId"], "site_id": row["locationId"], "plug_in": row["created"],
             "plug_out": row["ended"], "energy_kwh": row["kwhTotal"]}
            for row in csv.DictReader(text)
        ]  # fmt: skip

    found = planted(tmp_path, raw)

    assert (len(found.refusals), len(found.batch), found.institutions) == (300, 0, [])
    assert found.refusals[0].reason == "plug_in: the year of '0014-11-18 15:40:26' is before 1990"
    assert sum("0015-" in refusal.reason for refusal in found.refusals) == 288


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"plug_out": "2020-01-01T07:00:00Z"}, "the session ends before it begins"),
        ({"charge_end": "2020-01-01T07:59:00Z"}, "the session ends before it begins"),
        ({"plug_out": "2020-01-01T08:00:00Z"}, "the session ends when it begins"),
        ({"plug_out": "2022-01-01T08:00:00Z"}, "the session lasts more than 31 days"),
        ({"plug_in": "1989-12-31T08:00:00Z"}, "plug_in: the year of '1989-12-31T08:00:00Z' is before 1990"),
        ({"plug_out": "tomorrow"}, "plug_out: time 'tomorrow' is not ISO 8601"),
        ({"plug_in": ""}, "plug_in: no time"),
        ({"energy_kwh": "-1"}, "energy_kwh: -1 is negative"),
        ({"energy_kwh": ""}, "energy_kwh: no value"),
        ({"site_id": ""}, "no session_id or no site_id"),
        ({"session_id": "0"}, "session 0 is there twice: the first counts"),
    ],
)
def test_an_impossible_session_is_refused_with_its_reason(tmp_path: Path, cells: dict[str, str], reason: str) -> None:
    found = planted(tmp_path, [USUAL, USUAL | cells])

    assert [refusal.line for refusal in found.refusals] == [3]
    assert reason in found.refusals[0].reason
    assert found.batch.value.tolist() == [2.0] * 4


def test_sessions_of_one_site_add_up_and_charging_ends_before_the_plug_out(tmp_path: Path) -> None:
    """8 kWh over four slots; 3 kWh from 08:10 to 08:40 are 0.5 + 1.5 + 1 kWh."""
    other = {"plug_in": "2020-01-01T08:10:00Z", "charge_end": "2020-01-01T08:40:00Z", "energy_kwh": "3"}

    found = planted(tmp_path, [USUAL, USUAL | other])

    np.testing.assert_allclose(found.batch.value, [2.5, 3.5, 3.0, 2.0])
    eight_ms = int(datetime(2020, 1, 1, 8, tzinfo=UTC).timestamp() * 1000)
    assert found.batch.time_ms.tolist() == [eight_ms + place * SLOT_MS for place in range(4)]


@given(st.integers(0, 2 * HOUR_MS), st.integers(1, 50 * HOUR_MS), st.floats(0.01, 100.0))
def test_spreading_keeps_the_energy_and_fills_whole_slots_evenly(begin_ms: int, length_ms: int, energy: float) -> None:
    parts = list(spread(Session("i", "d", "s", begin_ms, begin_ms + length_ms, energy, True, True)))

    assert sum(kwh for _, kwh in parts) == pytest.approx(energy, rel=1e-12)
    assert [slot for slot, _ in parts] == list(range(begin_ms // SLOT_MS * SLOT_MS, begin_ms + length_ms, SLOT_MS))
    assert all(kwh == pytest.approx(energy * SLOT_MS / length_ms) for _, kwh in parts[1:-1])
