"""Targets in the registry's database."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Final

from sqlalchemy import Column, Float, Integer, String, Table, delete, select

from kgce.domain.errors import InputError
from kgce.domain.targets import ReductionPath, Target
from kgce.store.registry.database import RegistryDatabase, save
from kgce.store.registry.tables import METADATA

TARGET: Final = Table(
    "target",
    METADATA,
    Column("subject", String, primary_key=True),
    Column("indicator", String, primary_key=True),
    Column("baseline_year", Integer, nullable=False),
    Column("target_year", Integer, nullable=False),
    Column("drop", Float, nullable=False),
    Column("path", String, nullable=False),
    Column("source", String, nullable=False),
)


class SqlTargets:
    """See TargetRegistry."""

    _database: RegistryDatabase

    def save_targets(self, targets: Iterable[Target]) -> None:
        """Insert or replace by subject and indicator."""
        rows = [asdict(target) | {"path": target.path.value} for target in targets]
        with self._database.write() as connection:
            save(connection, TARGET, rows)

    def targets(self) -> list[Target]:
        """Every target, by subject then indicator."""
        with self._database.read() as connection:
            rows = connection.execute(select(TARGET)).mappings().all()
        return sorted(Target(**{**row, "path": ReductionPath(row["path"])}) for row in rows)

    def remove_target(self, subject: str, indicator: str) -> None:
        """Take one away.

        Raises:
            InputError: there is none; the message lists what there is.
        """
        where = (TARGET.c.subject == subject, TARGET.c.indicator == indicator)
        with self._database.write() as connection:
            if connection.execute(delete(TARGET).where(*where)).rowcount:
                return
        known = ", ".join(f"{one.subject} {one.indicator}" for one in self.targets()) or "none"
        raise InputError(f"{subject} has no target of {indicator}; there are: {known}")
