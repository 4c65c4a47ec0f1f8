"""`kgce carbon`: CO2 of a region, an institution or a building in a year, carrier by carrier."""

from typing import Annotated, Any

import typer

from kgce.cli.database import DEFAULT_DB, DbOption, JsonOption, StoreOption, database
from kgce.cli.terminal import figure, print_json, print_table, progress, say
from kgce.domain.carbon import DEFAULT_GRID


def carbon(
    name: Annotated[
        str, typer.Argument(help="A region's code (37, 3701, 370102), an institution, or institution/building.")
    ],
    year: Annotated[int, typer.Option("--year", min=1980, max=2100, help="Calendar year.")],
    grid: Annotated[str, typer.Option("--grid", help="shandong, national or north-china.")] = DEFAULT_GRID,
    db: DbOption = DEFAULT_DB,
    store: StoreOption = None,
    json: JsonOption = False,
) -> None:
    """What burns on site and what power and heating plants burn for it; electricity has a factor of its year.

    Example: kgce carbon 370102 --year 2019 --grid shandong
    """
    from kgce.analytics.accounts import Part
    from kgce.analytics.book import Book
    from kgce.analytics.regions import totals_of
    from kgce.domain.carbon import emission_factor
    from kgce.domain.carriers import CARRIERS
    from kgce.domain.factors import DEFAULT_FACTOR_SET, factor_set

    with database(db, store) as at, progress("adding up", quiet=json):
        found = totals_of(Book(at.store, at.registry, at.shelf).year(year), name, factor_set(DEFAULT_FACTOR_SET))
    rows: list[dict[str, Any]] = []
    for row in found:
        carrier, _, part = row.account.partition(".")
        if part != Part.TOTAL or not CARRIERS[carrier].is_energy:
            continue
        factor = emission_factor(carrier, year, grid)
        kg = None if factor is None or row.amount is None else row.amount * factor.value
        rows.append(
            {
                "carrier": carrier, "amount": row.amount, "unit": row.unit, "kg_co2": kg,
                "scope": None if factor is None else str(factor.scope),
                "factor": None if factor is None else factor.value, "factor_year": factor and factor.year,
                "source": "nobody says what it emits" if factor is None else factor.source,
                "confidence": factor and factor.confidence, "coverage_ratio": row.coverage_ratio,
            }
        )  # fmt: skip
    known = all(row["kg_co2"] is not None for row in rows) and bool(rows)
    total = sum(row["kg_co2"] for row in rows) if known else None
    if json:
        print_json({"name": name, "year": year, "grid": grid, "kg_co2": total, "carriers": rows})
        return
    print_table(
        f"CO2 of {name} in {year}, grid {grid}",
        ("carrier", "amount", "unit", "t CO2", "scope", "kg per unit", "coverage", "source"),
        [
            (row["carrier"], figure(row["amount"], 1), row["unit"],
             figure(None if row["kg_co2"] is None else row["kg_co2"] / 1000, 3), row["scope"] or "–",
             figure(row["factor"], 4), f"{row['coverage_ratio']:.1%}",
             row["source"] + (f" ({row['confidence']})" if row["confidence"] else ""))
            for row in rows
        ],
        right=("amount", "t CO2", "kg per unit", "coverage"), wrap=("source",),
    )  # fmt: skip
    say(f"together {figure(None if total is None else total / 1000, 3)} t CO2")
    borrowed = [row for row in rows if row["factor_year"] not in {None, year}]
    for one in borrowed:
        say(f"{one['carrier']}: there is no factor of {year}; that of {one['factor_year']} is used")
