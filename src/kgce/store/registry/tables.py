"""Tables of the registry; SQLite and PostgreSQL take them as they are."""

from typing import Final

from sqlalchemy import JSON, BigInteger, Boolean, Column, Float, ForeignKey, Integer, MetaData, String, Table

SCHEMA_VERSION: Final = 1  # raised by every migration; a database says which one it has

METADATA: Final = MetaData()


def _text(name: str) -> Column[str]:
    return Column(name, String, nullable=False)


def _key(name: str) -> Column[str]:
    return Column(name, String, primary_key=True)


def _owner() -> Column[str]:
    return Column("institution", String, ForeignKey("institution.id"), primary_key=True)


SCHEMA: Final = Table(
    "registry_schema",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("version", Integer, nullable=False),
)

REGION: Final = Table("region", METADATA, _key("code"), _text("name"))

# No foreign key to region: an institution may name a region nobody described yet.
INSTITUTION: Final = Table("institution", METADATA, _key("id"), _text("name"), _text("region"), _text("timezone"))

BUILDING: Final = Table("building", METADATA, _owner(), _key("id"), _text("name"))

ATTRIBUTES: Final = Table(
    "yearly_attributes",
    METADATA,
    _owner(),
    Column("year", Integer, primary_key=True, autoincrement=False),
    _text("peer_class"),
    _text("level"),
    _text("climate_zone"),
    Column("people", Float),
    Column("area_m2", Float),
    Column("heated_area_m2", Float),
)

# No foreign key to institution: a gateway knows its points before anybody registers the institution.
POINT: Final = Table(
    "metering_point",
    METADATA,
    _key("institution"),
    _key("device"),
    _key("quantity"),
    _text("measurement"),
    _text("building"),
    _text("region"),
    _text("carrier"),
    _text("kind"),
    Column("step", String),
    Column("counts", Boolean, nullable=False),
)

# What a person added to a point; apart from it, so that a gateway that registers its points leaves it alone.
ROLE: Final = Table(
    "point_role",
    METADATA,
    _key("institution"),
    _key("device"),
    _key("quantity"),
    _text("item"),
    _text("use"),
    _text("parent"),
    Column("width", Float),
    Column("most_per_hour", Float),
    Column("since_ms", BigInteger),
    Column("until_ms", BigInteger),
    Column("counts", Boolean),
)

CHANGE: Final = Table(
    "meter_change",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=True),
    _text("institution"),
    _text("device"),
    _text("quantity"),
    Column("at_ms", BigInteger, nullable=False),
    _text("kind"),
    Column("old_last", Float),
    Column("new_first", Float),
    Column("factor", Float, nullable=False),
    _text("note"),
    _text("by"),
)

VIRTUAL: Final = Table(
    "virtual_meter",
    METADATA,
    _key("institution"),
    _key("name"),
    _text("carrier"),
    _text("expression"),
    _text("item"),
    _text("use"),
    _text("building"),
    Column("counts", Boolean, nullable=False),
)

PUBLICATION: Final = Table(
    "publication",
    METADATA,
    _key("name"),
    Column("published_ms", BigInteger, nullable=False),
    Column("document", JSON, nullable=False),
)

# Further attributes of a year (beds, boarders, special areas), see domain/details.py.
DETAIL: Final = Table(
    "yearly_detail",
    METADATA,
    _owner(),
    Column("year", Integer, primary_key=True, autoincrement=False),
    _key("name"),
    Column("value", JSON, nullable=False),
)

ORIGIN: Final = Table("finding_origin", METADATA, _key("origin"), Column("saved_order", Integer, nullable=False))

FINDING: Final = Table(
    "finding",
    METADATA,
    Column("origin", String, ForeignKey("finding_origin.origin"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    _text("id"),
    Column("subject", String, nullable=False, index=True),
    _text("message"),
    Column("evidence", JSON, nullable=False),
)
