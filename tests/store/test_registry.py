"""Who exists: saved, replaced, found again, year by year."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from sqlalchemy.dialects import postgresql

from kgce.domain.errors import ConfigError, InputError, StoreUnavailable, UnknownInstitution
from kgce.domain.findings import Finding
from kgce.domain.quantities import Kind
from kgce.domain.tree import Building, Institution, Point, Region, Series, Step, YearlyAttributes
from kgce.store.registry.database import upsert
from kgce.store.registry.sql import SqlRegistry
from kgce.store.registry.tables import ATTRIBUTES, METADATA

SCHOOL = Institution("school-1", "济南市第一中学", "370102")
CLINIC = Institution("clinic-1", 'St. "Mary\'s"; DROP TABLE institution; --', "", "Europe/London")
METER = Series("school-1", "main", "active_energy_import", "electricity", "A", "370102")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "registry.sqlite"


@pytest.fixture
def registry(path):
    with SqlRegistry(path) as opened:
        yield opened


def test_everything_comes_back_as_it_was_saved(registry, path):
    regions = [Region("37", "山东省"), Region("3701", "济南市")]
    attributes = [
        YearlyAttributes("clinic-1", 2019),
        YearlyAttributes("school-1", 2019, "school", "county", "cold", 1200.0, 35_000.5, None),
        YearlyAttributes("school-1", 2020, "school", "county", "cold", 1250.0, 35_000.5, 0.0),
    ]
    buildings = [Building("A", "school-1", "Teaching"), Building("B", "clinic-1")]
    points = [
        Point(METER, "electricity", Kind.COUNTER),
        Point(
            Series("school-1", "w", "water_volume_interval", "water"), "water", Kind.INTERVAL, Step.MONTH, counts=False
        ),
    ]
    findings = [Finding("zeros.as_missing", "school-1", "12 zeros", {"rows": [1, 2], "ratio": 0.5, "名": None})]
    registry.save_regions(regions)
    registry.save_institutions([SCHOOL, CLINIC])
    registry.save_attributes(reversed(attributes))
    registry.save_buildings(buildings)
    registry.save_points(reversed(points))
    registry.save_findings("data", findings)

    for opened in (registry, SqlRegistry(path)):
        assert opened.regions() == regions
        assert opened.institutions() == [CLINIC, SCHOOL]
        assert opened.institution("school-1") == SCHOOL
        assert opened.attributes() == attributes
        assert opened.attributes(2019) == attributes[:2]
        assert opened.attributes(1999) == []
        assert opened.buildings() == buildings
        assert opened.buildings("clinic-1") == buildings[1:]
        assert opened.points() == opened.points("school-1") == points
        assert [point.series.building for point in opened.points()] == ["A", ""]
        assert opened.points("clinic-1") == []
        assert opened.findings() == opened.findings("school-1") == findings
        assert opened.findings("nobody") == []
        opened.close()


def test_saving_again_replaces_by_key(registry):
    registry.save_institutions([SCHOOL, CLINIC])
    registry.save_institutions([Institution("school-1", "New name", "370103")])
    registry.save_regions([Region("37", "old"), Region("37", "new")])

    assert registry.institution("school-1") == Institution("school-1", "New name", "370103")
    assert len(registry.institutions()) == 2
    assert registry.regions() == [Region("37", "new")]


def test_renaming_or_editing_one_year_never_moves_another(registry):
    registry.save_institutions([SCHOOL])
    old = YearlyAttributes("school-1", 2019, "school", people=100.0, area_m2=1000.0)
    registry.save_attributes([old, YearlyAttributes("school-1", 2026, "school", people=100.0)])

    registry.save_institutions([Institution("school-1", "Renamed")])
    registry.save_attributes([YearlyAttributes("school-1", 2026, "college")])

    assert registry.attributes(2019) == [old]
    assert registry.attributes(2026) == [YearlyAttributes("school-1", 2026, "college")]


def test_attributes_and_buildings_belong_to_somebody(registry):
    registry.save_institutions([SCHOOL])
    with pytest.raises(UnknownInstitution, match="'ghost-1' and 1 more"):
        registry.save_attributes([YearlyAttributes(name, 2019) for name in ("school-1", "ghost-1", "ghost-2")])
    with pytest.raises(UnknownInstitution, match="'ghost-1'"):
        registry.save_buildings([Building("A", "ghost-1")])
    assert registry.attributes() == []
    assert registry.buildings() == []


def test_an_unknown_institution_says_how_to_register_it(registry):
    with pytest.raises(UnknownInstitution, match=r"no institution 'x'.*kgce import registry"):
        registry.institution("x")


@pytest.mark.parametrize(
    "other",
    [Point(METER, "electricity", Kind.INTERVAL), Point(METER, "heat", Kind.COUNTER)],
    ids=["kind", "carrier"],
)
def test_a_point_never_changes_what_it_measures(registry, other):
    """The first one stands, whether it was saved before or comes in the same call; nothing of the call is saved."""
    first = Point(METER, "electricity", Kind.COUNTER)
    fresh = Point(Series("school-2", "m", "active_energy_import"), "electricity", Kind.COUNTER)
    with pytest.raises(InputError, match="is registered as electricity counter, not"):
        registry.save_points([fresh, first, other])
    assert registry.points() == []

    registry.save_points([first])
    with pytest.raises(InputError, match="give the new meter another device name"):
        registry.save_points([fresh, other])
    assert registry.points() == [first]


def test_a_point_may_change_in_all_other_ways(registry):
    registry.save_points([Point(METER, "electricity", Kind.INTERVAL, Step.HOUR)])
    moved = Series(*METER.key, measurement="electricity", building="B", region="370103")
    registry.save_points([Point(moved, "electricity", Kind.INTERVAL, Step.DAY, counts=False)])

    [point] = registry.points()
    assert (point.step, point.counts, point.series.building) == (Step.DAY, False, "B")


def test_findings_of_one_origin_are_replaced_and_it_becomes_the_newest(registry):
    def named(*names: str) -> list[Finding]:
        return [Finding(name, "s", "", {}) for name in names]

    registry.save_findings("a", named("a1", "a2"))
    registry.save_findings("b", named("b2", "b1"))
    assert [finding.id for finding in registry.findings()] == ["a1", "a2", "b2", "b1"]

    registry.save_findings("a", named("a3"))
    assert [finding.id for finding in registry.findings()] == ["b2", "b1", "a3"]
    registry.save_findings("b", [])
    assert [finding.id for finding in registry.findings()] == ["a3"]


def test_evidence_may_hold_numpy_numbers(registry):
    evidence = {"count": np.int64(3), "ratio": np.float64(0.25), "rows": np.arange(3)}
    registry.save_findings("a", [Finding("x", "s", "", evidence)])
    assert registry.findings()[0].evidence == {"count": 3, "ratio": 0.25, "rows": [0, 1, 2]}


def test_ten_thousand_institutions_with_attributes_and_points_are_kept(registry):
    names = [f"i{at:05d}" for at in range(10_000)]
    registry.save_institutions(Institution(name, name) for name in names)
    registry.save_attributes(YearlyAttributes(name, 2019, area_m2=1.0) for name in names)
    registry.save_points(Point(Series(name, "m", "water_volume"), "water", Kind.COUNTER) for name in names)

    assert [institution.id for institution in registry.institutions()] == names
    assert len(registry.attributes(2019)) == len(registry.points()) == 10_000


def test_threads_and_two_registries_on_one_file_may_write_at_once(registry, path):
    with SqlRegistry(path) as other:

        def work(at: int) -> None:
            target = (registry, other)[at % 2]
            target.save_institutions([Institution(f"i{at}", f"n{at}")])
            target.save_attributes([YearlyAttributes(f"i{at}", year) for year in range(2015, 2020)])
            target.save_findings(f"o{at}", [Finding("x", "s", "", {})])
            assert target.institution(f"i{at}").name == f"n{at}"

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(work, range(40)))
    assert len(registry.institutions()) == 40
    assert len(registry.attributes()) == 200
    assert len(registry.findings()) == 40


def test_a_newer_schema_or_a_foreign_file_is_refused(path, tmp_path):
    SqlRegistry(path).close()
    with sqlite3.connect(path) as database:
        database.execute("update registry_schema set version = 99")
    database.close()
    with pytest.raises(ConfigError, match=r"has schema 99.*upgrade kgce"):
        SqlRegistry(path)

    foreign = tmp_path / "foreign.sqlite"
    foreign.write_text("id,name\n" * 1000)
    with pytest.raises(ConfigError, match="not a registry of kgce"):
        SqlRegistry(foreign)
    assert foreign.read_text() == "id,name\n" * 1000


def test_a_name_that_is_not_text_is_told(registry):
    with pytest.raises(InputError, match="surrogate"):
        registry.save_institutions([Institution("x", "\ud800")])


def test_a_folder_in_the_file_s_place_is_told_in_one_line(tmp_path):
    with pytest.raises(StoreUnavailable) as caught:
        SqlRegistry(tmp_path)
    assert "\n" not in str(caught.value)


def test_sqlite_keeps_foreign_keys_and_a_write_ahead_log(registry, path):
    registry.save_institutions([SCHOOL])
    with registry._database.write() as connection:
        assert connection.exec_driver_sql("pragma journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("pragma foreign_keys").scalar() == 1


def test_the_same_tables_and_upserts_compile_for_postgresql():
    """No PostgreSQL runs here; what can be said without one is that its dialect takes every statement."""
    from sqlalchemy.schema import CreateTable

    dialect = postgresql.dialect()
    for table in METADATA.sorted_tables:
        assert "CREATE TABLE" in str(CreateTable(table).compile(dialect=dialect))
    statement = str(upsert(ATTRIBUTES, "postgresql").compile(dialect=dialect))
    assert "ON CONFLICT (institution, year) DO UPDATE SET" in statement
    assert "area_m2 = excluded.area_m2" in statement
