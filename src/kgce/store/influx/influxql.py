"""InfluxQL: the statements an InfluxStore sends; every name in them is quoted here."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

from kgce.domain.ports import SeriesKey
from kgce.store.line_protocol import QUALITY_SUFFIX, TAGS, encode, field_name

SHOW_FIELDS: Final = "SHOW FIELD KEYS"
TOUCHED: Final = "touched"  # measurement of the marks: time = start of the slot, fields end and at (when it was marked)
_BY_TAGS: Final = "GROUP BY " + ", ".join(f'"{tag}"' for tag in TAGS)
_DEVICES_PER_STATEMENT: Final = 100  # the server walks the condition for every series, so short ones are quicker

Fields = Mapping[str, frozenset[str]]  # stored measurement name -> stored names of its numeric fields


def identifier(name: str) -> str:
    """A quoted measurement, field or database name."""
    escaped = name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def literal(text: str) -> str:
    """A quoted tag value."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
    return f"'{escaped}'"


def latest_statements(fields: Fields, institution: str | None) -> Iterator[tuple[str, str]]:
    """(field, statement) for the newest point of every field; the answer's columns are time, v and q.

    `last` passes over points that lack its field, so a reading without a value is found by its quality field.
    """
    where = "" if institution is None else f'WHERE "institution" = {literal(encode(institution))} '
    for measurement, names in fields.items():
        source = f"FROM {identifier(measurement)} {where}{_BY_TAGS}"
        for name in _quantities(names):
            value, quality = identifier(name), identifier(name + QUALITY_SUFFIX)
            if name in names:
                yield name, f'SELECT last({value}) AS "v", {quality} AS "q" {source}'
            if name + QUALITY_SUFFIX in names:
                yield name, f'SELECT last({quality}) AS "q", {value} AS "v" {source}'


def bounds_statements(fields: Fields, institution: str | None) -> Iterator[str]:
    """The first and the last point of every field; each answer's time is one of them."""
    where = "" if institution is None else f' WHERE "institution" = {literal(encode(institution))}'
    for measurement, names in fields.items():
        for name in sorted(names):
            for end in ("first", "last"):
                selected = f"SELECT {end}({identifier(name)})"
                yield f"{selected} FROM {identifier(measurement)}{where}"


def touched_statement(after_ms: int) -> str:
    """Marks made after this time, with the tags of their series."""
    return f'SELECT "end", "at" FROM "{TOUCHED}" WHERE "at" > {after_ms} GROUP BY *'  # noqa: S608 - a number


def event_statement(start_ms: int, end_ms: int) -> str:
    """Events of a span, with all their tags."""
    return f'SELECT "message", "evidence" FROM "event" WHERE time >= {start_ms}ms AND time < {end_ms}ms GROUP BY *'  # noqa: S608


def show_retention(database: str) -> str:
    """How long the database keeps what."""
    return f"SHOW RETENTION POLICIES ON {identifier(database)}"


def _quantities(names: Iterable[str]) -> list[str]:
    return sorted({name.removesuffix(QUALITY_SUFFIX) for name in names})


def range_statements(fields: Fields, keys: Iterable[SeriesKey], *, start_ms: int, end_ms: int) -> Iterator[str]:
    """Readings of these series in [start, end); columns time, then every field and its quality."""
    wanted: dict[tuple[str, str], set[str]] = {}
    for institution, device, quantity in keys:
        wanted.setdefault((institution, device), set()).add(field_name(quantity))
    for measurement, names in fields.items():
        quantities = set(_quantities(names))
        alike: dict[tuple[str, ...], list[tuple[str, str]]] = {}
        for place, asked in wanted.items():
            alike.setdefault(tuple(sorted(asked & quantities)), []).append(place)
        for present, places in alike.items():
            if present:
                yield from _ranges(measurement, present, places, f"time >= {start_ms}ms AND time < {end_ms}ms")


def _ranges(measurement: str, names: Sequence[str], places: Iterable[tuple[str, str]], in_span: str) -> Iterator[str]:
    columns = ", ".join(f"{identifier(name)}, {identifier(name + QUALITY_SUFFIX)}" for name in names)
    rest = iter(places)
    while chunk := list(islice(rest, _DEVICES_PER_STATEMENT)):
        among = " OR ".join(_is_at(*place) for place in chunk)
        selected = f"SELECT {columns} FROM {identifier(measurement)}"  # noqa: S608 - every name is quoted
        yield f"{selected} WHERE ({among}) AND {in_span} {_BY_TAGS}"


def _is_at(institution: str, device: str) -> str:
    return f'("institution" = {literal(encode(institution))} AND "device" = {literal(encode(device))})'
