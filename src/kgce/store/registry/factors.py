"""Imported factor sets in the registry's database, as the text they came in."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import BigInteger, Column, String, Table, insert, select

from kgce.domain.errors import InputError
from kgce.domain.factors import FactorSet, factor_sets, parse_factor_sets
from kgce.store.registry.database import RegistryDatabase
from kgce.store.registry.tables import METADATA

FACTOR_SET: Final = Table(
    "factor_set",
    METADATA,
    Column("id", String, primary_key=True),
    Column("text", String, nullable=False),
    Column("imported_ms", BigInteger, nullable=False),
)


class SqlFactors:
    """See FactorRegistry."""

    _database: RegistryDatabase

    def factor_sets(self) -> Mapping[str, FactorSet]:
        """Imported sets, by id."""
        with self._database.read() as connection:
            rows = connection.execute(select(FACTOR_SET.c.id, FACTOR_SET.c.text)).all()
        return {row.id: parse_factor_sets(row.text)[row.id] for row in rows}

    def save_factor_sets(self, text: str, *, imported_ms: int) -> list[FactorSet]:
        """Keep the sets of a TOML text; one that is kept already is left as it is.

        Raises:
            ConfigError: the text is no factor set.
            InputError: another set has this id: a set that was used never changes.
        """
        made = parse_factor_sets(text)
        known = {**self.factor_sets(), **factor_sets()}
        for name, one in made.items():
            if name in known and known[name] != one:
                raise InputError(f"a set {name!r} is known with other factors: give this one an id of its own")
        with self._database.write() as connection:
            for name in made.keys() - known.keys():
                connection.execute(insert(FACTOR_SET).values(id=name, text=text, imported_ms=imported_ms))
        return list(made.values())
