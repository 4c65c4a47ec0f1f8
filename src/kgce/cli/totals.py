"""`kgce totals`: what a region, an institution or a building used, and how sure that is."""

from dataclasses import asdict
from typing import Annotated

import typer

from kgce.cli.database import DEFAULT_DB, DbOption, JsonOption, StoreOption, database
from kgce.cli.terminal import figure, print_json, print_table, progress, say
from kgce.domain.factors import DEFAULT_FACTOR_SET


def totals(
    name: Annotated[
        str, typer.Argument(help="A region's code (37, 3701, 370102), an institution, or institution/building.")
    ],
    year: Annotated[int, typer.Option("--year", min=1980, max=2100, help="Calendar year.")],
    factor_set: Annotated[str, typer.Option("--factor-set", help="Standard-coal factors.")] = DEFAULT_FACTOR_SET,
    db: DbOption = DEFAULT_DB,
    store: StoreOption = None,
    json: JsonOption = False,
) -> None:
    """What was used of each carrier, and for what: with its coverage and the part that is estimated.

    A silent meter makes a partial total with its coverage; it never counts as zero.

    Example: kgce totals 370102 --year 2019
    """
    from kgce.analytics.book import Book
    from kgce.analytics.regions import totals_of
    from kgce.domain.factors import chosen_set

    with database(db, store) as at, progress("adding up", quiet=json):
        chosen = chosen_set(at.registry, factor_set)
        rows = totals_of(Book(at.store, at.registry, at.shelf).year(year), name, chosen)
    if json:
        print_json([asdict(row) | {"factor_set": chosen.id} for row in rows])
        return
    print_table(
        f"{name} {year}, {chosen.id}",
        ("account", "amount", "unit", "kgce", "coverage", "estimated", "meters", "months"),
        [
            (row.account, figure(row.amount, 1), row.unit, figure(row.kgce, 1), f"{row.coverage_ratio:.1%}",
             f"{row.estimated_ratio:.1%}", figure(row.points, 1), " ".join(figure(month, 0) for month in row.months))
            for row in rows
        ],
        right=("amount", "kgce", "coverage", "estimated", "meters"), wrap=("months",),
    )  # fmt: skip
    if not rows:
        say(f"{name} has no meters in {year}")
