"""`kgce key-units`: institutions large enough to be supervised one by one."""

from typing import Annotated

import typer

from kgce.cli.database import DEFAULT_DB, DbOption, JsonOption, StoreOption, database
from kgce.cli.terminal import figure, print_json, print_table, progress, say
from kgce.domain.factors import DEFAULT_FACTOR_SET


def key_units(
    year: Annotated[int, typer.Option("--year", min=1980, max=2100, help="Calendar year.")],
    language: Annotated[str, typer.Option("--lang", help="en or zh.")] = "en",
    factor_set: Annotated[str, typer.Option("--factor-set", help="Standard-coal factors.")] = DEFAULT_FACTOR_SET,
    db: DbOption = DEFAULT_DB,
    store: StoreOption = None,
    json: JsonOption = False,
) -> None:
    """Units of 500 tce or 2 GWh of electricity a year, or 10 000 m2; the thresholds are unverified, and said to be.

    Beside them stands the measurable part of the demonstration-unit score.

    Example: kgce key-units --year 2019
    """
    from kgce.analytics.indicators import Indicator
    from kgce.analytics.leaders.demonstration import verdict
    from kgce.analytics.standing import stand
    from kgce.analytics.sureness import demonstration_of, key_units_of
    from kgce.domain.errors import InputError
    from kgce.domain.factors import chosen_set

    if language not in {"en", "zh"}:
        raise InputError(f"--lang {language!r} is neither en nor zh")
    shown = (Indicator.ENERGY_PER_AREA, Indicator.ENERGY_PER_CAPITA, Indicator.WATER_PER_CAPITA)
    with database(db, store) as at, progress("assessing", quiet=json):
        found = stand(
            at.store,
            at.registry,
            year=year,
            factor_set=chosen_set(at.registry, factor_set),
            indicators=shown,
            shelf=at.shelf,
        )
    units, points = key_units_of(found), demonstration_of(found)
    rows = [
        {
            "institution": found.institutions[row].id,
            "name": found.institutions[row].name,
            "energy_kgce": _number(units.energy_kgce[row]),
            "electricity_kwh": _number(units.electricity_kwh[row]),
            "area_m2": _number(units.area_m2[row]),
            "why": units.why(row, "zh" if language == "zh" else "en"),
            "confidence": units.confidence,
            "demonstration_points": float(points.measured[row]),
            "demonstration": verdict(points, row, "zh" if language == "zh" else "en"),
        }
        for row in units.ordered().tolist()
    ]
    if json:
        print_json(rows)
        return
    print_table(
        f"key units {year}, {factor_set}",
        ("institution", "name", "tce", "MWh", "m2", "points", "why"),
        [
            (row["institution"], row["name"], figure(_scaled(row["energy_kgce"]), 1),
             figure(_scaled(row["electricity_kwh"]), 0), figure(row["area_m2"], 0),
             f"{row['demonstration_points']:.0f}", "; ".join(row["why"]))
            for row in rows
        ],
        right=("tce", "MWh", "m2", "points"), wrap=("name", "why"),
    )  # fmt: skip
    concerned = sum(found.is_concerned(row, Indicator.ENERGY_PER_CAPITA) for row in range(len(found.institutions)))
    say(f"{len(rows)} of {concerned} units; points: of 21 that can be measured, 85 of 110 make a demonstration unit")


def _number(value: float) -> float | None:
    return float(value) if value == value else None  # noqa: PLR0124 - NaN is the one that is not itself


def _scaled(value: object) -> float | None:
    return value / 1000 if isinstance(value, float) else None
