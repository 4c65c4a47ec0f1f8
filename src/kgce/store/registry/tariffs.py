"""Tariffs in the registry's database, as the text they came in."""

from typing import Final

from sqlalchemy import Column, String, Table, select

from kgce.domain.errors import InputError
from kgce.domain.tariffs import Tariff, parse_tariffs
from kgce.store.registry.database import RegistryDatabase, save
from kgce.store.registry.tables import METADATA

TARIFF: Final = Table(
    "tariff", METADATA, Column("subject", String, primary_key=True), Column("text", String, nullable=False)
)


class SqlTariffs:
    """See TariffRegistry."""

    _database: RegistryDatabase

    def save_tariffs(self, subject: str, text: str) -> list[Tariff]:
        """Replace what holds for `region:CODE`, `institution:ID` or `everywhere`.

        Raises:
            ConfigError: the text is no tariffs.
            InputError: that is no such subject.
        """
        kind, _, name = subject.partition(":")
        if subject != "everywhere" and (kind not in {"region", "institution"} or not name):
            raise InputError(f"{subject!r} is no subject: write region:CODE, institution:ID or everywhere")
        found = parse_tariffs(text)
        with self._database.write() as connection:
            save(connection, TARIFF, [{"subject": subject, "text": text}])
        return found

    def tariffs(self, *, institution: str, region: str) -> list[Tariff]:
        """What holds for an institution: its own, else those of the smallest region, else everybody's."""
        subjects = [f"institution:{institution}", *(f"region:{region[:end]}" for end in range(len(region), 0, -1))]
        with self._database.read() as connection:
            held = {row.subject: row.text for row in connection.execute(select(TARIFF))}
        texts = (held[subject] for subject in [*subjects, "everywhere"] if subject in held)
        return next((parse_tariffs(text) for text in texts), [])
