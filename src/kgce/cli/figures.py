"""`kgce rank` and `kgce ledger`: figures from what is stored."""

from dataclasses import asdict
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from kgce.analytics.figures import LedgerRow, RankRow
from kgce.analytics.grid import Grid
from kgce.analytics.indicators import Indicator
from kgce.cli.database import DEFAULT_DB, Database, DbOption, JsonOption, StoreOption, database
from kgce.cli.terminal import OUT, figure, print_json, print_table, progress, say
from kgce.domain.errors import InputError, NaiveTime
from kgce.domain.factors import DEFAULT_FACTOR_SET

if TYPE_CHECKING:
    from kgce.domain.factors import FactorSet


def rank(
    year: Annotated[int, typer.Option("--year", min=1990, max=2200, help="Calendar year.")],
    indicator: Annotated[Indicator, typer.Option("--indicator", help="What to rank by; less is better.")],
    peer_class: Annotated[str | None, typer.Option("--class", help="Only this class of institutions.")] = None,
    factor_set: Annotated[
        str, typer.Option("--factor-set", help="Standard-coal factors; figures of different sets never compare.")
    ] = DEFAULT_FACTOR_SET,
    min_coverage: Annotated[
        float, typer.Option("--min-coverage", min=0, max=1, help="Units measured less than this share are not ranked.")
    ] = 0.9,
    explain: Annotated[
        bool, typer.Option("--explain", help="For every unit why it is in or out, its grade and its peers' mean.")
    ] = False,
    db: DbOption = DEFAULT_DB,
    store: StoreOption = None,
    json: JsonOption = False,
) -> None:
    """Rank institutions within their class; units that cannot be ranked come last with the reason.

    Example: kgce rank --year 2019 --indicator energy_per_area
    """
    from kgce.analytics import figures
    from kgce.domain.factors import chosen_set

    with database(db, store) as at, progress("ranking", quiet=json):
        chosen = chosen_set(at.registry, factor_set)
        rows = figures.rank(
            at.store, at.registry, year=year, indicator=indicator, factor_set=chosen,
            peer_class=peer_class, min_coverage=min_coverage, shelf=at.shelf,
        )  # fmt: skip
        told = _explanations(at, year, indicator, chosen, min_coverage) if explain else {}
    if json:
        print_json([_rank_json(row) | told.get(row.institution, {}) for row in rows])
        return
    if not rows:
        say(f"no institution with attributes for {year}: kgce import registry FILE.csv")
    print_table(
        f"{indicator} {year}, {factor_set}",
        ("rank", "institution", "name", "class", "value", "unit", "coverage", "percentile", "reason"),
        [_rank_cells(row) for row in rows],
        right=("rank", "value", "coverage", "percentile"),
        wrap=("name", "reason"),
    )
    for note in figures.notes(year, chosen):
        say(note)
    for row in rows if explain else ():
        found = told.get(row.institution)
        if found is not None:
            OUT.print(f"{row.institution}: {'; '.join(found['explain'])}", highlight=False, markup=False)


def _explanations(
    at: Database, year: int, indicator: Indicator, chosen: "FactorSet", min_coverage: float
) -> dict[str, dict[str, Any]]:
    """What is said of each institution besides its rank."""
    from kgce.analytics.leaders.gates import GateRules
    from kgce.analytics.standing import stand

    found = stand(
        at.store, at.registry, year=year, factor_set=chosen, indicators=(indicator,), shelf=at.shelf,
        rules=GateRules(min_coverage=min_coverage),
    )  # fmt: skip
    told = {}
    for row, institution in enumerate(found.institutions):
        quota = found.quota_of(row, indicator)
        sentences = found.why(row, indicator)
        sentences.append(f"grade {found.grade(row, indicator).name.lower().replace('_', ' ')}"
                         if quota is not None else f"not graded: {found.why_no_quota(row, indicator)}")  # fmt: skip
        told[institution.id] = {"explain": sentences, "derivation": f"kgce explain {institution.id} {indicator} {year}"}
    return told


def _rank_json(row: RankRow) -> dict[str, Any]:
    document = asdict(row)
    document["class"] = document.pop("peer_class")
    order = (
        "rank",
        "institution",
        "name",
        "class",
        "value",
        "unit",
        "factor_set",
        "coverage_ratio",
        "percentile",
        "reason",
    )
    return {name: document[name] for name in order}


def _rank_cells(row: RankRow) -> tuple[str, ...]:
    place = "–" if row.rank is None else str(row.rank)
    shares = (f"{row.coverage_ratio:.1%}", figure(row.percentile, 1))
    return (place, row.institution, row.name, row.peer_class, figure(row.value, 3), row.unit, *shares, row.reason or "")


def ledger(
    institution: Annotated[str, typer.Option("--institution", help="Institution id.")],
    point: Annotated[str, typer.Option("--point", help="Point of the institution.")],
    start: Annotated[
        str, typer.Option("--from", help="ISO 8601 with offset, or a date of the institution's calendar.")
    ],
    end: Annotated[str, typer.Option("--to", help="End, not included.")],
    grid: Annotated[Grid, typer.Option("--grid", help="Length of the intervals.")] = Grid.DAY,
    explain: Annotated[bool, typer.Option("--explain", help="The readings that bound each interval.")] = False,
    db: DbOption = DEFAULT_DB,
    store: StoreOption = None,
    json: JsonOption = False,
) -> None:
    """Amounts of one point per interval, each with its provenance and coverage.

    Example: kgce ledger --institution cam-b0 --point cam-b0-e --from 2018-03-30 --to 2018-04-02 --grid hour
    """
    from kgce.analytics import figures

    with database(db, store) as at:
        zone = ZoneInfo(at.registry.institution(institution).timezone)
        start_ms, end_ms = instant_ms(start, zone, "--from"), instant_ms(end, zone, "--to")
        if end_ms <= start_ms:
            raise InputError(f"--to {end} is not after --from {start}")
        rows = figures.ledger(
            at.store, at.registry, institution=institution, point=point, start_ms=start_ms, end_ms=end_ms, grid=grid
        )
        told = _bounding(at, institution, point, rows) if explain else [{} for _ in rows]
    if json:
        print_json([_ledger_json(row, zone) | more for row, more in zip(rows, told, strict=True)])
        return
    print_table(
        f"{institution} {point}, {grid}",
        ("start", "end", "amount", "unit", "provenance", "coverage", "flags"),
        [
            (iso(row.start_ms, zone), iso(row.end_ms, zone), figure(row.amount, 3), row.unit, row.provenance,
             f"{row.coverage_ratio:.1%}", " ".join(row.flags))
            for row in rows
        ],
        right=("amount", "coverage"),
    )  # fmt: skip
    total = sum(row.amount for row in rows if row.amount is not None)
    known = sum(row.amount is not None for row in rows)
    say(f"total {total:,.3f} {rows[0].unit if rows else ''} in {known} of {len(rows)} intervals")
    for row, more in zip(rows, told, strict=True):
        if more:
            OUT.print(f"{iso(row.start_ms, zone)}: {more['explain']}", highlight=False, markup=False)


def _bounding(at: Database, institution: str, point: str, rows: list[LedgerRow]) -> list[dict[str, Any]]:
    from kgce.analytics.bounding import bounding_readings

    return bounding_readings(at.store, at.registry, institution=institution, point=point, rows=rows)


def _ledger_json(row: LedgerRow, zone: ZoneInfo) -> dict[str, Any]:
    document = asdict(row)
    return {"start": iso(document.pop("start_ms"), zone), "end": iso(document.pop("end_ms"), zone), **document}


def instant_ms(text: str, zone: ZoneInfo, option: str) -> int:
    """UTC milliseconds of an ISO 8601 time with offset, or of local midnight of a plain date.

    Raises:
        NaiveTime: a time of day without an offset.
        InputError: no ISO 8601 time at all.
    """
    try:
        moment = datetime.combine(date.fromisoformat(text), time(), zone) if len(text) == len("2019-01-01") else None
        moment = moment or datetime.fromisoformat(text)
    except ValueError:
        raise InputError(f"{option} {text!r} is not an ISO 8601 time, such as 2019-01-01T00:00:00+08:00") from None
    if moment.tzinfo is None:
        raise NaiveTime(f"{option} {text!r} has no offset; write {text}+08:00, or a plain date for the local day")
    return round(moment.timestamp() * 1000)


def iso(time_ms: int, zone: ZoneInfo) -> str:
    """ISO 8601 of an instant in a zone, with offset."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).astimezone(zone).isoformat()
