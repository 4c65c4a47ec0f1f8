"""`kgce import`: files and data sets into the registry and the store."""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from kgce.cli.database import DEFAULT_DB, Database, DbOption, JsonOption, StoreOption, database
from kgce.cli.terminal import Advance, print_json, print_table, progress, say
from kgce.domain.batch import Batch
from kgce.domain.findings import Finding
from kgce.domain.ports import AppendResult, ReadingStore

app = typer.Typer(help="Load readings, the registry, weather, or a known data set.", no_args_is_help=True)

FileArgument = Annotated[Path, typer.Argument(help="The file to read.", show_default=False)]
TzOption = Annotated[
    str | None, typer.Option("--tz", help="IANA zone of times without an offset; without it they are refused.")
]
CHUNK_ROWS = 100_000
SHOWN_REFUSALS = 20
LOADED = "dataset.loaded"


@dataclass(slots=True)
class Report:
    """What an import did, for people and machines."""

    source: str
    rows: int = 0
    result: AppendResult = field(default_factory=AppendResult)
    refusals: Sequence[Any] = ()
    findings: Sequence[Finding] = ()

    @property
    def refused(self) -> int:
        """Rows not kept, by the reader or by the store."""
        return len(self.refusals) + self.result.refused

    def document(self) -> dict[str, Any]:
        """JSON-able form."""
        counts = {**asdict(self.result), "refused": self.refused}
        return {
            "source": self.source,
            "rows": self.rows,
            **counts,
            "changed": self.result.stored > 0,
            "refusals": [asdict(refusal) for refusal in self.refusals],
            "findings": [asdict(finding) for finding in self.findings],
        }


@app.command()
def readings(
    file: FileArgument,
    tz: TzOption = None,
    db: DbOption = DEFAULT_DB,
    store: StoreOption = None,
    json: JsonOption = False,
) -> None:
    """Readings from CSV (.gz too) or Parquet: time,institution,point,carrier,kind,unit,value.

    `kind` is counter or interval (the amount in the interval that starts at `time`). Bad rows are refused with their
    line and reason, the good ones are kept; the same file again changes nothing.

    Example: kgce import readings meters.csv.gz
    """
    from kgce.collectors.files.readings import read_readings

    with database(db, store) as at:
        institutions = {institution.id: institution for institution in at.registry.institutions()}
        known = {point.series.key: point for point in at.registry.points()}
        with progress(f"reading {file.name}", quiet=json) as advance:
            content = read_readings(file, institutions=institutions, known_points=known, tz=tz, progress=advance)
        at.registry.save_points(content.points)
        at.registry.save_findings(f"readings:{file.name}", content.findings)
        with progress("storing", quiet=json) as advance:
            result = append_in_chunks(at.store, content.batch, advance)
    finish(Report(str(file), content.rows, result, content.refusals, content.findings), json=json, what="readings")


@app.command()
def registry(
    file: FileArgument,
    tz: Annotated[str | None, typer.Option("--tz", help="IANA zone of these institutions' days.")] = None,
    db: DbOption = DEFAULT_DB,
    json: JsonOption = False,
) -> None:
    """Institutions with yearly attributes from CSV.

    Columns: institution,name,region,class,level,climate_zone,year,people,area_m2,heated_area_m2 (empty allowed after
    class); one row per institution and year. More where they are known: special_area_m2, heating (municipal,
    air_conditioner, gas, …), water_people, staff, students, boarders, beds, outpatients and others: people follow from
    them by the standards where none are stated.

    Example: kgce import registry institutions.csv
    """
    from kgce.collectors.files.registry import read_registry

    content = read_registry(file, tz=tz)
    with database(db) as at:
        before = {(row.institution, row.year): row for row in at.registry.attributes()}
        known = set(at.registry.institutions())
        named = {region.code for region in at.registry.regions()}
        at.registry.save_regions(region for region in content.regions if region.code not in named)
        at.registry.save_institutions(content.institutions)
        at.registry.save_attributes(content.attributes)
        at.registry.save_findings(f"registry:{file.name}", content.findings)
    changed = [row for row in content.attributes if before.get((row.institution, row.year)) != row]
    renamed = {row.id for row in content.institutions if row not in known}
    stored = sum(row in changed or row.institution in renamed for row in content.attributes)
    result = AppendResult(stored=stored, duplicate=len(content.attributes) - stored)
    report = Report(str(file), content.rows, result, content.refusals, content.findings)
    finish(report, json=json, what="institution years")


@app.command()
def bills(
    file: FileArgument,
    db: DbOption = DEFAULT_DB,
    store: StoreOption = None,
    json: JsonOption = False,
) -> None:
    """Monthly bills from CSV: institution,carrier,month,amount,unit[,cost_yuan,building,region].

    Each is the amount of its month, entered by a person; what it cost for each kWh or m3 is held against usual prices.

    Example: kgce import bills bills-2024.csv
    """
    from kgce.cli.bill_prices import price_findings
    from kgce.collectors.files.bills import read_bills

    with database(db, store) as at, progress("storing", quiet=json) as advance:
        known = {one.id: one for one in at.registry.institutions()}
        content = read_bills(file, timezones={name: one.timezone for name, one in known.items()})
        at.registry.save_points(content.points)
        result = append_in_chunks(at.store, content.batch, advance)
        findings = price_findings(content.bills)
        at.registry.save_findings(f"bills:{file.name}", findings)
    finish(Report(str(file), content.rows, result, content.refusals, findings), json=json, what="bills")


@app.command()
def weather(
    file: FileArgument,
    tz: TzOption = None,
    db: DbOption = DEFAULT_DB,
    store: StoreOption = None,
    json: JsonOption = False,
) -> None:
    """Weather from CSV: time,station,temperature_c[,humidity_pct,irradiance_w_m2].

    Example: kgce import weather jinan.csv
    """
    from kgce.collectors.files.weather import read_weather

    content = read_weather(file, tz=tz)
    with database(db, store) as at, progress("storing", quiet=json) as advance:
        result = append_in_chunks(at.store, content.batch, advance)
    finish(Report(str(file), content.rows, result, content.refusals), json=json, what="weather readings")


@app.command()
def dataset(
    name: Annotated[
        str,
        typer.Argument(
            help="cambridge, benchmark-annual, school-water, heating-hot-water, ev-sessions, lancaster or ucsd",
            show_default=False,
        ),
    ],
    data: Annotated[
        Path | None,
        typer.Option("--data", envvar="KGCE_DATA", help="Folder of the data sets.", show_default="../shared/data"),
    ] = None,
    db: DbOption = DEFAULT_DB,
    store: StoreOption = None,
    json: JsonOption = False,
) -> None:
    """A known data set: its institutions, areas, readings and weather; its traps are reported as findings.

    Example: kgce import dataset cambridge
    """
    with database(db, store) as at:
        report = load_dataset(at, name, data or default_data_folder(), quiet=json)
    finish(report, json=json, what="readings")


def default_data_folder() -> Path:
    """Where measured data lies unless told otherwise."""
    return Path(os.environ.get("KGCE_DATA", "../shared/data"))


def is_loaded(at: Database, name: str) -> bool:
    """Whether a data set went into this database wholly."""
    return any(finding.id == LOADED for finding in at.registry.findings(f"dataset:{name}"))


def load_dataset(
    at: Database, name: str, folder: Path, *, quiet: bool, go_on: Callable[[], bool] = lambda: True
) -> Report:
    """Read one known data set into the registry and the store; `go_on` is asked between parts."""
    from kgce.collectors.datasets import load

    with progress(f"reading {name}", quiet=quiet) as advance:
        content = load(name, folder, advance)
    at.registry.save_regions(content.regions)
    at.registry.save_institutions(content.institutions)
    at.registry.save_attributes(content.attributes)
    at.registry.save_buildings(content.buildings)
    at.registry.save_points(content.points)
    with progress(f"storing {name}", quiet=quiet) as advance:
        result = append_in_chunks(at.store, content.batch, advance, go_on)
    whole = result.stored + result.duplicate + result.refused == len(content.batch)
    loaded = [Finding(LOADED, f"dataset:{name}", f"{name} was loaded wholly")] if whole else []
    at.registry.save_findings(f"dataset:{name}", [*content.findings, *loaded])
    return Report(name, len(content.batch), result, content.refusals, content.findings)


def append_in_chunks(
    store: ReadingStore, batch: Batch, advance: Advance, go_on: Callable[[], bool] = lambda: True
) -> AppendResult:
    """Append part by part, so that progress shows and other readers get a turn."""
    total = AppendResult()
    for chunk in _chunks(batch):
        if not go_on():
            break
        total += store.append(chunk)
        advance(total.stored + total.duplicate + total.refused, len(batch))
    return total


def _chunks(batch: Batch) -> Iterable[Batch]:
    for start in range(0, len(batch), CHUNK_ROWS):
        rows = slice(start, start + CHUNK_ROWS)
        yield Batch(batch.series, batch.index[rows], batch.time_ms[rows], batch.value[rows], batch.quality[rows])


def finish(report: Report, *, json: bool, what: str) -> None:
    """Tell what happened; leave with 1 when a row was refused."""
    if json:
        print_json(report.document())
    else:
        _tell(report, what)
    if report.refused:
        raise typer.Exit(1)


def _tell(report: Report, what: str) -> None:
    for refusal in report.refusals[:SHOWN_REFUSALS]:
        say(f"{refusal.file}:{refusal.line}: refused: {refusal.reason}")
    if len(report.refusals) > SHOWN_REFUSALS:
        say(f"... and {len(report.refusals) - SHOWN_REFUSALS} more; --json lists them all")
    if report.findings:
        _tell_findings(report.findings)
    result = report.result
    say(
        f"{report.source}: {report.rows:,} rows: {result.stored:,} {what} stored "
        f"({result.replaced:,} of them corrections), {result.duplicate:,} already there, {report.refused:,} refused"
    )
    if report.rows and not result.stored and not report.refused:
        say("nothing changed: all of it was stored before")


def _tell_findings(findings: Sequence[Finding]) -> None:
    kinds: dict[str, list[Finding]] = {}
    for finding in findings:
        kinds.setdefault(finding.id, []).append(finding)
    rows = [(name, str(len(found)), found[0].message) for name, found in sorted(kinds.items())]
    print_table("findings", ("finding", "count", "first"), rows, right=("count",), wrap=("first",))
