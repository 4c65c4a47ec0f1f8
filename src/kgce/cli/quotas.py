"""`kgce quotas`: the limits kgce knows, with edition and confidence; an office held against GB/T 51161."""

import math
from typing import Annotated, Any, Final

import typer

from kgce.cli.database import JsonOption
from kgce.cli.terminal import figure, print_json, print_table, say

NAMES: Final = ("standard", "indicator", "class", "level", "zone", "heating")
VALUES: Final = ("constraint", "reference", "guide")

app = typer.Typer(help="Quotas: what a standard allows a class of institutions.", no_args_is_help=True)


@app.command("list")
def quotas_list(
    peer_class: Annotated[str | None, typer.Option("--class", help="Only this class, such as agency.")] = None,
    indicator: Annotated[str | None, typer.Option("--indicator", help="Only this indicator.")] = None,
    year: Annotated[
        int | None, typer.Option("--year", min=1980, max=2100, help="Say what is retrospective in this year.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Constraint, reference and guide values, row by row, as the standards have them.

    Example: kgce quotas list --class agency --year 2019
    """
    from kgce.domain.errors import InputError
    from kgce.domain.quotas import quota_book

    book = quota_book()
    rows: list[dict[str, Any]] = [
        {
            "standard": one.standard.id,
            "indicator": one.indicator,
            "class": one.peer_class,
            "level": one.level,
            "zone": one.climate_zone,
            "heating": one.heating,
            "constraint": one.constraint,
            "reference": None if math.isnan(one.reference) else one.reference,
            "guide": one.guide,
            "unit": one.unit,
            "clause": one.clause,
            "confidence": one.confidence,
            "in_force": one.standard.in_force.isoformat(),
            "retrospective": None if year is None else one.standard.is_retrospective(year),
        }
        for one in book.rows()
        if peer_class in {None, one.peer_class} and indicator in {None, one.indicator}
    ]
    if not rows:
        raise InputError(f"no standard has such a row; classes with one: {', '.join(book.classes)}")
    if json:
        print_json(rows)
        return
    print_table(
        "quotas",
        (*NAMES, *VALUES, "unit", "note"),
        [
            (
                *(str(row[name]) for name in NAMES),
                *(figure(row[name]) for name in VALUES),
                row["unit"],
                ", ".join(filter(None, (row["confidence"], "retrospective" if row["retrospective"] else ""))),
            )
            for row in rows
        ],
        right=VALUES,
        wrap=("note",),
    )  # fmt: skip


@app.command("office")
def quotas_office(
    measured: Annotated[float, typer.Option("--kwh-per-m2", help="Non-heating electricity of a year, per area.")],
    system: Annotated[str, typer.Option("--system", help="A: windows open; B: sealed, central air conditioning.")],
    owner: Annotated[str, typer.Option("--owner", help="government or commercial.")] = "government",
    zone: Annotated[str, typer.Option("--zone", help="All of Shandong is cold.")] = "cold",
    hours: Annotated[float, typer.Option("--hours", help="Hours of use in the year.")] = 2500.0,
    area_per_person: Annotated[float, typer.Option("--area-per-person", help="m2 for each person.")] = 10.0,
    json: JsonOption = False,
) -> None:
    """An office's figure corrected for hours and people and held against GB/T 51161-2016, whose limits are unverified.

    Example: kgce quotas office --kwh-per-m2 62 --system A --hours 3000 --area-per-person 12
    """
    from kgce.domain.corrections import CONFIDENCE, judge_office

    found = judge_office(
        measured, system=system, owner=owner, zone=zone, hours=hours, area_m2_per_person=area_per_person
    )
    if json:
        names = ("measured", "hours_factor", "density_factor", "corrected", "constraint", "guide", "words")
        print_json({name: getattr(found, name) for name in names} | {"unit": "kWh/m2", "confidence": CONFIDENCE})
        return
    print_table(
        "GB/T 51161-2016, office",
        ("measured", "hours", "people", "corrected", "constraint", "guide", "verdict"),
        [
            (
                *(
                    figure(value)
                    for value in (
                        found.measured, found.hours_factor, found.density_factor, found.corrected, found.constraint,
                        found.guide,
                    )
                ),
                found.words,
            )
        ],
        right=("measured", "hours", "people", "corrected", "constraint", "guide"),
    )  # fmt: skip
    say("kWh/m2 a year; the limits and the people's factor are unverified, the hours' factor is secondary")
