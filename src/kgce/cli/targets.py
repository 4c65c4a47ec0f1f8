"""`kgce targets`: what regions and institutions are held to, how far they are, and where the year will end."""

from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from kgce.analytics.indicators import DEFINITIONS, Indicator
from kgce.cli.database import DEFAULT_DB, DbOption, JsonOption, StoreOption, database
from kgce.cli.terminal import figure, print_json, print_table, progress, say
from kgce.domain.errors import InputError
from kgce.domain.factors import DEFAULT_FACTOR_SET
from kgce.domain.targets import ReductionPath, Target, book_of, cascade

app = typer.Typer(help="Targets: drops from a baseline year to a target year.", no_args_is_help=True)

SubjectOption = Annotated[
    str, typer.Option("--for", help="region:3701, institution:ID, or everywhere.", show_default=False)
]
IndicatorOption = Annotated[Indicator, typer.Option("--indicator", help="Which figure.", show_default=False)]
SetOption = Annotated[str, typer.Option("--factor-set", help="Standard-coal factors.")]
YearArgument = Annotated[int, typer.Argument(min=1980, max=2200, help="Calendar year.", show_default=False)]


def _percent(text: str) -> float:
    """11%, 11 % or 0.11."""
    stripped = text.strip()
    try:
        value = float(stripped.removesuffix("%")) / 100 if stripped.endswith("%") else float(stripped)
    except ValueError:
        raise InputError(f"{text!r} is no drop: write 11% or 0.11") from None
    return value


@app.command("set")
def targets_set(
    subject: SubjectOption,
    indicator: IndicatorOption,
    drop: Annotated[str, typer.Option("--drop", help="11% or 0.11.", show_default=False)],
    baseline: Annotated[int, typer.Option("--baseline", help="Baseline year.")] = 2015,
    year: Annotated[int, typer.Option("--year", help="Target year.")] = 2020,
    path: Annotated[ReductionPath, typer.Option("--path", help="How it comes down.")] = ReductionPath.STRAIGHT,
    source: Annotated[str, typer.Option("--source", help="Who set it, where.")] = "",
    db: DbOption = DEFAULT_DB,
    json: JsonOption = False,
) -> None:
    """Set a target; it replaces the one this subject had for the indicator.

    Example: kgce targets set --for region:37 --indicator energy_per_capita --baseline 2015 --year 2020 --drop 11%
    """
    target = Target(subject, str(indicator), baseline, year, _percent(drop), path, source)
    with database(db) as at:
        at.registry.save_targets([target])
    if json:
        print_json(_row(target))
    else:
        say(f"{target.subject}: {target.indicator} {-target.drop:.1%} from {baseline} to {year}, {path}")


@app.command("list")
def targets_list(db: DbOption = DEFAULT_DB, json: JsonOption = False) -> None:
    """Every target; where none is set, the province's plan holds for everybody.

    Example: kgce targets list
    """
    with database(db) as at:
        held = at.registry.targets()
    rows = [_row(target) for target in held or book_of(held).all()]
    if json:
        print_json(rows)
        return
    print_table(
        "targets" if held else "targets: none is set, this plan holds",
        ("for", "indicator", "drop", "from", "to", "path", "source"),
        [
            (row["for"], row["indicator"], f"{row['drop']:.1%}", str(row["baseline"]), str(row["year"]), row["path"],
             row["source"])
            for row in rows
        ],
        right=("drop",), wrap=("source",),
    )  # fmt: skip


@app.command("remove")
def targets_remove(subject: SubjectOption, indicator: IndicatorOption, db: DbOption = DEFAULT_DB) -> None:
    """Take a target away; what is set further up holds again.

    Example: kgce targets remove --for region:3701 --indicator energy_per_capita
    """
    with database(db) as at:
        at.registry.remove_target(subject, str(indicator))
    say(f"{subject} has no target of {indicator} of its own any more")


@app.command("cascade")
def targets_cascade(
    region: Annotated[str, typer.Option("--region", help="Whose target is shared out.", show_default=False)],
    indicator: IndicatorOption,
    efforts: Annotated[
        list[str] | None, typer.Option("--effort", help="CODE=1.2: this part tries a fifth harder than the others.")
    ] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Set the targets; without it they are only shown.")] = False,
    factor_set: SetOption = DEFAULT_FACTOR_SET,
    db: DbOption = DEFAULT_DB,
    store: StoreOption = None,
    json: JsonOption = False,
) -> None:
    """Share a region's target out over the regions below it, or a county's over its institutions.

    The drops of the parts, weighted by what each used in the baseline year, make the drop of the whole.

    Example: kgce targets cascade --region 37 --indicator energy_per_area --effort 3701=1.2 --apply
    """
    from kgce.analytics.cascading import parts_of
    from kgce.domain.factors import chosen_set

    wished = dict(_effort(text) for text in efforts or ())
    with database(db, store) as at, progress("adding up", quiet=json):
        whole = book_of(at.registry.targets()).of(str(indicator), region=region)
        if whole is None:
            raise InputError(f"{region} has no target of {indicator}: kgce targets set --for region:{region} …")
        parts = parts_of(
            at.store, at.registry, at.shelf, region, indicator, chosen_set(at.registry, factor_set), whole.baseline_year
        )
        unknown = sorted(wished.keys() - {part.name for part in parts})
        if unknown:
            raise InputError(f"{region} has no part {unknown[0]!r}: {', '.join(part.name for part in parts)}")
        drops = cascade(whole.drop, [part.weight for part in parts], [wished.get(part.name, 1.0) for part in parts])
        made = [
            Target(part.subject, str(indicator), whole.baseline_year, whole.target_year, drop, whole.path,
                   f"share of {whole.subject}")
            for part, drop in zip(parts, drops, strict=True)
        ]  # fmt: skip
        if apply:
            at.registry.save_targets(made)
    rows = [_row(target) | {"weight": part.weight} for target, part in zip(made, parts, strict=True)]
    if json:
        print_json(rows)
        return
    print_table(
        f"{indicator} of {region}: {-whole.drop:.2%}", ("for", "drop", "used in the baseline year"),
        [(row["for"], f"{row['drop']:.2%}", figure(row["weight"], 0)) for row in rows],
        right=("drop", "used in the baseline year"),
    )  # fmt: skip
    say("set" if apply else "nothing is set yet: --apply sets them")


def _effort(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        return name, float(value)
    except ValueError:
        raise InputError(f"--effort {text!r}: write CODE=1.2") from None


@app.command("progress")
def targets_progress(
    year: YearArgument,
    region: Annotated[str, typer.Option("--region", help="Region's code; everybody without.")] = "",
    factor_set: SetOption = DEFAULT_FACTOR_SET,
    db: DbOption = DEFAULT_DB,
    store: StoreOption = None,
    json: JsonOption = False,
) -> None:
    """How much of its targeted drop a region has achieved: its sums of the year beside those of the baseline year.

    Example: kgce targets progress 2018 --region 37
    """
    from kgce.analytics.cascading import region_progress
    from kgce.domain.factors import chosen_set

    with database(db, store) as at, progress("adding up", quiet=json):
        book = book_of(at.registry.targets())
        rows = [
            region_progress(
                at.store, at.registry, at.shelf, region, indicator, chosen_set(at.registry, factor_set), year, target
            )
            for indicator in Indicator
            if (target := book.of(str(indicator), region=region)) is not None
        ]
    if json:
        print_json(rows)
        return
    print_table(
        f"progress of {region or 'everybody'} in {year}",
        ("indicator", "value", "baseline", "unit", "achieved", "targeted", "progress", "due now", "units"),
        [
            (row["indicator"], figure(row["value"], 3), figure(row["baseline_value"], 3), row["unit"],
             _share(row["achieved_drop"]), _share(row["targeted_drop"]), _share(row["progress"]),
             figure(row["due"], 3), f"{row['units']} of {row['of']}")
            for row in rows
        ],
        right=("value", "baseline", "achieved", "targeted", "progress", "due now", "units"),
    )  # fmt: skip


@app.command("forecast")
def targets_forecast(
    year: YearArgument,
    indicator: Annotated[Indicator, typer.Option("--indicator", help="Which figure.")] = Indicator.ENERGY_PER_AREA,
    institution: Annotated[str | None, typer.Option("--institution", help="Only this one.")] = None,
    months: Annotated[
        int | None, typer.Option("--months", min=1, max=12, help="So many months are over; the store's newest tells.")
    ] = None,
    factor_set: SetOption = DEFAULT_FACTOR_SET,
    db: DbOption = DEFAULT_DB,
    store: StoreOption = None,
    json: JsonOption = False,
) -> None:
    """Where the year will end, from the unit's own earlier years, with an 80 % interval, beside what is due.

    Example: kgce targets forecast 2019 --indicator energy_per_area --months 6
    """
    from kgce.analytics.book import Book
    from kgce.analytics.outlook import outlook
    from kgce.domain.factors import chosen_set

    with database(db, store) as at, progress("looking ahead", quiet=json):
        found = outlook(
            Book(at.store, at.registry, at.shelf), at.registry, year=year, indicator=indicator,
            factor_set=chosen_set(at.registry, factor_set), targets=book_of(at.registry.targets()),
            months=months_over(at.store.extent(), year) if months is None else months,
        )  # fmt: skip
    rows: list[dict[str, Any]] = [
        {
            "institution": one.id, "name": one.name, "months": int(found.forecast.months[row]),
            "years": int(found.forecast.years[row]), "expected": _number(found.expected[row]),
            "low": _number(found.low[row]), "high": _number(found.high[row]), "due": _number(found.due[row]),
            "course": str(course),
        }
        for row, (one, course) in enumerate(zip(found.institutions, found.courses, strict=True))
        if institution in {None, one.id}
    ]  # fmt: skip
    if institution is not None and not rows:
        raise InputError(f"no institution {institution!r}")
    if json:
        print_json(rows)
        return
    print_table(
        f"{indicator} {year}, {DEFINITIONS[indicator].unit}, {factor_set}",
        ("institution", "name", "months", "years", "expected", "low", "high", "due", "course"),
        [
            (row["institution"], row["name"], str(row["months"]), str(row["years"]), figure(row["expected"], 3),
             figure(row["low"], 3), figure(row["high"], 3), figure(row["due"], 3), row["course"].replace("_", " "))
            for row in rows
        ],
        right=("months", "years", "expected", "low", "high", "due"), wrap=("name",),
    )  # fmt: skip


def months_over(extent: tuple[int, int] | None, year: int, timezone: str = "Asia/Shanghai") -> int:
    """Months of a year that were over at the store's newest reading."""
    if extent is None:
        return 12
    newest = datetime.fromtimestamp(extent[1] / 1000, ZoneInfo(timezone))
    return 12 if newest.year > year else 0 if newest.year < year else newest.month - 1


def _row(target: Target) -> dict[str, Any]:
    return {
        "for": target.subject, "indicator": target.indicator, "drop": target.drop, "baseline": target.baseline_year,
        "year": target.target_year, "path": str(target.path), "source": target.source,
    }  # fmt: skip


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"


def _number(value: float) -> float | None:
    return float(value) if value == value else None  # noqa: PLR0124 - NaN is the one that is not itself
