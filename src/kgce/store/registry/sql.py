"""SqlRegistry: who exists, in SQLite beside the readings or in PostgreSQL.

Attributes belong to one institution and one year: renaming an institution or editing a year leaves other years alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, Self

from sqlalchemy import ColumnElement, Connection, Row, Table, delete, func, insert, select

from kgce.domain.errors import InputError, UnknownInstitution
from kgce.domain.findings import Finding
from kgce.domain.quantities import Kind
from kgce.domain.roles import UNKNOWN_ROLE, Role
from kgce.domain.tree import Building, Institution, Point, Region, Series, Step, YearlyAttributes
from kgce.store.registry.database import RegistryDatabase, save
from kgce.store.registry.factors import SqlFactors
from kgce.store.registry.metering import SqlMetering, roles_of
from kgce.store.registry.tables import ATTRIBUTES, BUILDING, DETAIL, FINDING, INSTITUTION, ORIGIN, POINT, REGION
from kgce.store.registry.targets import SqlTargets
from kgce.store.registry.tariffs import SqlTariffs

_Row = Row[*tuple[Any, ...]]

_NAMES_PER_QUERY: Final = 500  # SQLite takes up to 32 766 parameters, older ones 999


class SqlRegistry(SqlMetering, SqlTargets, SqlFactors, SqlTariffs):
    """The registry in a database; safe to call from several threads."""

    def __init__(self, target: str | Path) -> None:
        """Open `FOLDER/registry.sqlite`, or a URL such as `postgresql+psycopg://HOST/DATABASE`.

        Raises:
            ConfigError: no such kind of database, or a schema this kgce does not know.
            StoreUnavailable: it cannot be opened now.
        """
        super().__init__(RegistryDatabase(target))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Release the database."""
        self._database.close()

    def save_regions(self, regions: Iterable[Region]) -> None:
        """Insert or replace by code."""
        rows = [asdict(region) for region in regions]
        with self._database.write() as connection:
            save(connection, REGION, rows)

    def regions(self) -> list[Region]:
        """Every region, by code."""
        return sorted(Region(*row) for row in self._rows(REGION))

    def save_institutions(self, institutions: Iterable[Institution]) -> None:
        """Insert or replace by id."""
        rows = [asdict(institution) for institution in institutions]
        with self._database.write() as connection:
            save(connection, INSTITUTION, rows)

    def institutions(self) -> list[Institution]:
        """Every institution, by id."""
        return sorted(Institution(*row) for row in self._rows(INSTITUTION))

    def institution(self, institution_id: str) -> Institution:
        """One institution.

        Raises:
            UnknownInstitution: no such id.
        """
        for row in self._rows(INSTITUTION, INSTITUTION.c.id == institution_id):
            return Institution(*row)
        raise UnknownInstitution(f"no institution {institution_id!r}: register it with kgce import registry FILE.csv")

    def save_attributes(self, attributes: Iterable[YearlyAttributes]) -> None:
        """Insert or replace by (institution, year).

        Raises:
            UnknownInstitution: nobody registered the institution; nothing is saved.
        """
        entries = {(entry.institution, entry.year): entry for entry in attributes}.values()
        rows = [{name: getattr(entry, name) for name in ATTRIBUTES.columns.keys()} for entry in entries]  # noqa: SIM118
        details = [
            {"institution": entry.institution, "year": entry.year, "name": name, "value": value}
            for entry in entries
            for name, value in entry.details.items()
        ]
        with self._database.write() as connection:
            _require_institutions(connection, {row["institution"] for row in rows})
            save(connection, ATTRIBUTES, rows)
            for row in rows:
                of_year = (DETAIL.c.institution == row["institution"], DETAIL.c.year == row["year"])
                connection.execute(delete(DETAIL).where(*of_year))
            save(connection, DETAIL, details)

    def attributes(self, year: int | None = None) -> list[YearlyAttributes]:
        """Attributes of one year, or of all years, by institution then year."""
        details: dict[tuple[str, int], dict[str, float | str]] = {}
        with self._database.read() as connection:
            of_year = [] if year is None else [ATTRIBUTES.c.year == year]
            rows = connection.execute(select(ATTRIBUTES).where(*of_year)).all()
            of_year = [] if year is None else [DETAIL.c.year == year]
            for row in connection.execute(select(DETAIL).where(*of_year)):
                details.setdefault((row.institution, row.year), {})[row.name] = row.value
        found = [
            YearlyAttributes(**row._mapping, details=details.get((row.institution, row.year), {}))  # noqa: SLF001 - public in SQLAlchemy
            for row in rows
        ]
        return sorted(found, key=lambda entry: (entry.institution, entry.year))

    def save_buildings(self, buildings: Iterable[Building]) -> None:
        """Insert or replace by (institution, id).

        Raises:
            UnknownInstitution: nobody registered the institution; nothing is saved.
        """
        rows = [asdict(building) for building in buildings]
        with self._database.write() as connection:
            _require_institutions(connection, {row["institution"] for row in rows})
            save(connection, BUILDING, rows)

    def buildings(self, institution: str | None = None) -> list[Building]:
        """Buildings (of one institution), by id."""
        where = [] if institution is None else [BUILDING.c.institution == institution]
        return sorted(
            Building(id=row.id, institution=row.institution, name=row.name) for row in self._rows(BUILDING, *where)
        )

    def save_points(self, points: Iterable[Point]) -> None:
        """Insert or replace by series key.

        Raises:
            InputError: a key is already registered with another carrier or kind; nothing is saved.
        """
        rows = [_point_row(point) for point in points]
        with self._database.write() as connection:
            known = _meanings(connection, {row["institution"] for row in rows})
            for row in rows:
                _require_meaning(row, known)
            save(connection, POINT, rows)

    def points(self, institution: str | None = None) -> list[Point]:
        """Metering points (of one institution), by series key."""
        where = [] if institution is None else [POINT.c.institution == institution]
        with self._database.read() as connection:
            rows = connection.execute(select(POINT).where(*where)).all()
            roles = roles_of(connection, institution)
        return sorted((_point_of(row, roles) for row in rows), key=lambda point: point.series.key)

    def save_findings(self, origin: str, findings: Iterable[Finding]) -> None:
        """Replace all findings of one origin; it becomes the newest origin."""
        rows = [
            {
                "origin": origin,
                "position": position,
                "id": finding.id,
                "subject": finding.subject,
                "message": finding.message,
                "evidence": dict(finding.evidence),
            }
            for position, finding in enumerate(findings)
        ]
        with self._database.write() as connection:
            newest = connection.execute(select(func.max(ORIGIN.c.saved_order))).scalar() or 0
            connection.execute(delete(FINDING).where(FINDING.c.origin == origin))
            save(connection, ORIGIN, [{"origin": origin, "saved_order": newest + 1}])
            if rows:
                connection.execute(insert(FINDING), rows)

    def findings(self, subject: str | None = None) -> list[Finding]:
        """Findings (about one subject), newest origin last, in the order each origin gave them."""
        query = select(FINDING.c.id, FINDING.c.subject, FINDING.c.message, FINDING.c.evidence)
        query = query.join(ORIGIN).order_by(ORIGIN.c.saved_order, FINDING.c.position)
        if subject is not None:
            query = query.where(FINDING.c.subject == subject)
        with self._database.read() as connection:
            return [Finding(*row) for row in connection.execute(query)]

    def _rows(self, table: Table, *where: ColumnElement[bool]) -> Sequence[_Row]:
        with self._database.read() as connection:
            return connection.execute(select(table).where(*where)).all()


def _require_institutions(connection: Connection, wanted: set[str]) -> None:
    known = {row.id for row in _among(connection, INSTITUTION, INSTITUTION.c.id, wanted)}
    unknown = sorted(wanted - known)
    if unknown:
        more = f" and {len(unknown) - 1} more" if len(unknown) > 1 else ""
        raise UnknownInstitution(f"no institution {unknown[0]!r}{more}: save the institutions first")


def _among(connection: Connection, table: Table, column: ColumnElement[str], names: set[str]) -> list[_Row]:
    ordered = sorted(names)
    rows: list[_Row] = []
    for start in range(0, len(ordered), _NAMES_PER_QUERY):
        chunk = ordered[start : start + _NAMES_PER_QUERY]
        rows += connection.execute(select(table).where(column.in_(chunk))).all()
    return rows


_Meanings = dict[tuple[str, str, str], tuple[str, str]]  # series key -> (carrier, kind)


def _meanings(connection: Connection, institutions: set[str]) -> _Meanings:
    found = _among(connection, POINT, POINT.c.institution, institutions)
    return {(row.institution, row.device, row.quantity): (row.carrier, row.kind) for row in found}


def _require_meaning(row: dict[str, Any], known: _Meanings) -> None:
    """What a point measures never changes under readings that were stored with its old meaning."""
    key = (row["institution"], row["device"], row["quantity"])
    meaning = (row["carrier"], row["kind"])
    before = known.setdefault(key, meaning)
    if before != meaning:
        raise InputError(
            f"point {row['device']}.{row['quantity']} of {row['institution']} is registered as {' '.join(before)}, "
            f"not {' '.join(meaning)}: give the new meter another device name"
        )


def _point_row(point: Point) -> dict[str, Any]:
    step = None if point.step is None else point.step.value
    meaning = {"carrier": point.carrier, "kind": point.kind.value, "step": step, "counts": point.counts}
    return asdict(point.series) | meaning


def _point_of(row: _Row, roles: Mapping[tuple[str, str, str], Role]) -> Point:
    series = Series(row.institution, row.device, row.quantity, row.measurement, row.building, row.region)
    step = None if row.step is None else Step(row.step)
    role = roles.get(series.key, UNKNOWN_ROLE)
    return Point(series, row.carrier, Kind(row.kind), step, row.counts if role.counts is None else role.counts, role)
