"""SqlMetering: roles of points, declared changes and virtual meters; the part of SqlRegistry that people fill."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any, Final

from sqlalchemy import Connection, delete, insert, select

from kgce.domain.changes import ChangeKind, MeterChange
from kgce.domain.errors import InputError
from kgce.domain.metering import DeclaredChange, VirtualMeter
from kgce.domain.roles import Role, Use
from kgce.store.registry.database import RegistryDatabase, save
from kgce.store.registry.tables import CHANGE, POINT, PUBLICATION, ROLE, VIRTUAL

_KEY: Final = ("institution", "device", "quantity")


class SqlMetering:
    """What people declare about meters, in the registry's database."""

    def __init__(self, database: RegistryDatabase) -> None:
        self._database = database

    def publish(self, name: str, document: Mapping[str, Any], *, published_ms: int) -> None:
        """Freeze figures under a name.

        Raises:
            InputError: something else is published under this name.
        """
        with self._database.write() as connection:
            if connection.execute(select(PUBLICATION.c.name).where(PUBLICATION.c.name == name)).first() is not None:
                raise InputError(f"{name!r} is published already and stays as it is: choose another name")
            row = {"name": name, "published_ms": published_ms, "document": dict(document)}
            connection.execute(insert(PUBLICATION).values(row))

    def publication(self, name: str) -> dict[str, Any]:
        """What was frozen under a name, with `published_ms`.

        Raises:
            InputError: nothing was; the message lists what is.
        """
        with self._database.read() as connection:
            row = connection.execute(select(PUBLICATION).where(PUBLICATION.c.name == name)).first()
            names = connection.execute(select(PUBLICATION.c.name)).scalars().all()
        if row is None:
            raise InputError(f"nothing is published as {name!r}; known: {', '.join(sorted(names)) or 'none yet'}")
        return {**row.document, "published": name, "published_ms": row.published_ms}

    def save_roles(self, roles: Mapping[tuple[str, str, str], Role]) -> None:
        """Insert or replace by series key.

        Raises:
            InputError: no such point; nothing is saved.
        """
        rows = [
            dict(zip(_KEY, key, strict=True)) | asdict(role) | {"use": role.use.value} for key, role in roles.items()
        ]
        with self._database.write() as connection:
            for key in roles:
                _require_point(connection, key)
            save(connection, ROLE, rows)

    def save_change(self, change: MeterChange) -> int:
        """Keep one declared change; its number, the same one for the same change."""
        with self._database.write() as connection:
            _require_point(connection, change.key)
            for number, held in _changes(connection):
                if held == change:
                    return number
            row = asdict(change) | {"kind": change.kind.value}
            key = connection.execute(insert(CHANGE).values(row)).inserted_primary_key
            return int(key[0]) if key else 0

    def changes(self, institution: str | None = None) -> list[DeclaredChange]:
        """Declared changes (of one institution), by series key then time."""
        with self._database.read() as connection:
            found = [
                DeclaredChange(number, change)
                for number, change in _changes(connection)
                if institution in {None, change.institution}
            ]
        return sorted(found, key=lambda declared: (declared.change.key, declared.change.at_ms, declared.number))

    def remove_change(self, number: int) -> MeterChange:
        """Take one back.

        Raises:
            InputError: no such number.
        """
        with self._database.write() as connection:
            held = dict(_changes(connection))
            if number not in held:
                raise InputError(f"no declared change {number}; known: {', '.join(map(str, held)) or 'none'}")
            connection.execute(delete(CHANGE).where(CHANGE.c.number == number))
            return held[number]

    def save_virtual_meters(self, meters: Iterable[VirtualMeter]) -> None:
        """Insert or replace by (institution, name)."""
        rows = [asdict(meter) | {"use": meter.use.value} for meter in meters]
        with self._database.write() as connection:
            save(connection, VIRTUAL, rows)

    def remove_virtual_meter(self, institution: str, name: str) -> None:
        """Take one away.

        Raises:
            InputError: no such meter.
        """
        where = (VIRTUAL.c.institution == institution, VIRTUAL.c.name == name)
        with self._database.write() as connection:
            if not connection.execute(delete(VIRTUAL).where(*where)).rowcount:
                raise InputError(f"{institution} has no virtual meter {name!r}")

    def virtual_meters(self, institution: str | None = None) -> list[VirtualMeter]:
        """Virtual meters (of one institution), by institution then name."""
        where = [] if institution is None else [VIRTUAL.c.institution == institution]
        with self._database.read() as connection:
            rows = connection.execute(select(VIRTUAL).where(*where)).mappings().all()
        return sorted(VirtualMeter(**{**row, "use": Use(row["use"])}) for row in rows)


def roles_of(connection: Connection, institution: str | None) -> dict[tuple[str, str, str], Role]:
    """Roles of points (of one institution) by series key."""
    where = [] if institution is None else [ROLE.c.institution == institution]
    found = {}
    for row in connection.execute(select(ROLE).where(*where)).mappings():
        fields = {name: value for name, value in row.items() if name not in _KEY}
        found[row["institution"], row["device"], row["quantity"]] = Role(**{**fields, "use": Use(row["use"])})
    return found


def _changes(connection: Connection) -> list[tuple[int, MeterChange]]:
    found = []
    for row in connection.execute(select(CHANGE)).mappings():
        fields = {name: value for name, value in row.items() if name != "number"}
        found.append((int(row["number"]), MeterChange(**{**fields, "kind": ChangeKind(row["kind"])})))
    return found


def _require_point(connection: Connection, key: tuple[str, str, str]) -> None:
    where = [POINT.c[name] == value for name, value in zip(_KEY, key, strict=True)]
    if connection.execute(select(POINT.c.institution).where(*where)).first() is None:
        raise InputError(f"{key[0]} has no point {key[1]}.{key[2]}")
