"""`kgce analyze`: everything new in the store worked into the ledgers, county by county."""

import time
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from kgce.analytics.book import BroughtUp
from kgce.analytics.branches import BranchName
from kgce.cli.database import DEFAULT_DB, Database, DbOption, JsonOption, StoreOption, database
from kgce.cli.parts import ClusterOption, work_on
from kgce.cli.terminal import Advance, print_json, print_table, progress, say
from kgce.domain.errors import InputError
from kgce.domain.findings import Finding


def analyze(
    year: Annotated[
        list[int] | None, typer.Option("--year", min=1980, max=2100, help="Only these years; all there are otherwise.")
    ] = None,
    anew: Annotated[bool, typer.Option("--anew", help="Forget what was worked out, and do all of it again.")] = False,
    check_power: Annotated[
        bool,
        typer.Option("--check-power", help="Hold counters against the integral of power (reads all of it)."),
    ] = False,
    nights: Annotated[
        bool | None,
        typer.Option("--nights/--no-nights", help="Judge nights and weekends too (up to 500 points always)."),
    ] = None,
    cluster: ClusterOption = None,
    db: DbOption = DEFAULT_DB,
    store: StoreOption = None,
    json: JsonOption = False,
) -> None:
    """Work late, corrected and new readings into the ledgers; what nothing bears on is left alone.

    Each county and year is kept as soon as it is done: a run that was killed goes on with the next one. Where the store
    is an InfluxDB, changed amounts and indicators are written beside the readings, for Grafana.

    Example: kgce analyze --year 2019
    """
    from kgce.analytics.book import Book
    from kgce.cli.publishing import publish
    from kgce.cli.screening import screen, warn_early
    from kgce.store.found import derived_sink

    if cluster is not None and store is None:
        raise InputError("a cluster's workers cannot share the embedded store: name a server with --store")
    with database(db, store) as at:
        years = sorted(set(year)) if year else _years_of(at)
        book = Book(at.store, at.registry, at.shelf)
        if anew:
            book.forget(years)
        sink, rows = derived_sink(at.store), []
        with progress("working out", quiet=json) as advance:
            for place, one in enumerate(years):
                began = time.perf_counter()
                told = partial(_advance, advance, place, len(years))
                if cluster is None:
                    done = book.bring_up(one, advance=told)
                else:
                    tasks = [(db.resolve(), store, one, name) for name in book.names()]
                    done = sum(work_on(bring_up, tasks, cluster, told), BroughtUp())
                at.registry.save_findings(f"analyze:{one}", done.findings)
                power = _checked_power(at, one) if check_power else []
                screened = screen(at, book, one, nights=nights, anew=anew)
                if one == years[-1]:
                    screened += warn_early(at, book, one)
                series = None if sink is None else publish(at, sink, book, one, anew=anew)
                rows.append(
                    _row(one, done, len(power) + screened, series) | {"seconds": round(time.perf_counter() - began, 3)}
                )
    if json:
        print_json(rows)
        return
    if not rows:
        say("there are no readings yet: kgce import readings FILE.csv, or kgce edge run")
        return
    print_table(
        "worked out: months of metering points",
        ("year", "worked out", "of", "findings", "s"),
        [
            (
                str(row["year"]),
                f"{row['months_worked_out']:,}",
                f"{row['months']:,}",
                f"{row['findings']:,}",
                f"{row['seconds']:.1f}",
            )
            for row in rows
        ],
        right=("worked out", "of", "findings", "s"),
    )


Task = tuple[Path, str | None, int, BranchName]  # folder, store, year, branch


def bring_up(task: Task) -> BroughtUp:
    """One branch of one year, with a store and a registry opened for it: what a cluster's worker does."""
    from kgce.analytics.book import Book

    folder, store, year, name = task
    with database(folder, store) as at:
        return Book(at.store, at.registry, at.shelf).bring_up_branch(year, name)


def _advance(advance: Advance, place: int, years: int, done: int, branches: int) -> None:
    advance(place * branches + done, years * branches)


def _checked_power(at: Database, year: int) -> list[Finding]:
    from kgce.analytics.power_check import power_findings

    found = [
        finding
        for institution in at.registry.institutions()
        for finding in power_findings(
            at.store,
            at.registry.points(institution.id),
            [declared.change for declared in at.registry.changes(institution.id)],
            year=year,
            timezone=institution.timezone,
        )
    ]
    at.registry.save_findings(f"power:{year}", found)
    return found


def _row(year: int, done: BroughtUp, further: int, series_rows: int | None) -> dict[str, Any]:
    return {
        "year": year,
        "months_worked_out": done.work.worked_out,
        "months": done.work.blocks,
        "findings": len(done.findings) + further,
        "series_rows": series_rows,
    }


def _years_of(at: Database) -> list[int]:
    extent = at.store.extent()
    if extent is None:
        return []
    zones = {ZoneInfo(institution.timezone) for institution in at.registry.institutions()} or {ZoneInfo("UTC")}
    first = min(datetime.fromtimestamp(extent[0] / 1000, zone).year for zone in zones)
    last = max(datetime.fromtimestamp(extent[1] / 1000, zone).year for zone in zones)
    if last - first > 200:  # noqa: PLR2004 - two centuries
        raise InputError(f"the store has readings from {first} to {last}: name the years with --year")
    return list(range(first, last + 1))
