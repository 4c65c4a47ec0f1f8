"""`kgce tariff` and `kgce cost`: what energy and water cost, and what an institution's year cost."""

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from kgce.cli.database import DEFAULT_DB, DbOption, JsonOption, StoreOption, database
from kgce.cli.terminal import figure, print_json, print_table, progress, say
from kgce.domain.errors import InputError

app = typer.Typer(help="Tariffs: flat, by time of use, in tiers, with a demand charge.", no_args_is_help=True)


@app.command("import")
def tariff_import(
    file: Annotated[Path, typer.Argument(help="TOML with [[tariff]] tables.", show_default=False)],
    subject: Annotated[str, typer.Option("--for", help="region:3701, institution:ID or everywhere.")] = "everywhere",
    db: DbOption = DEFAULT_DB,
    json: JsonOption = False,
) -> None:
    """Make tariffs hold for a region, an institution or everybody; those it had before are replaced.

    A tariff has an id, a carrier, valid_from, a source, and one of price, tiers or time_of_use; where there are such
    a demand_price and an average.

    Example: kgce tariff import prices-2024.toml --for region:37
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file} cannot be read: {error}") from None
    with database(db) as at:
        made = at.registry.save_tariffs(subject, text)
    if json:
        print_json([{"id": one.id, "carrier": one.carrier} for one in made])
    else:
        say(f"{subject}: {', '.join(f'{one.id} ({one.carrier})' for one in made)}")


@app.command("list")
def tariff_list(
    institution: Annotated[str, typer.Option("--institution", help="Whose.", show_default=False)],
    db: DbOption = DEFAULT_DB,
    json: JsonOption = False,
) -> None:
    """What holds for an institution.

    Example: kgce tariff list --institution hall-1
    """
    with database(db) as at:
        place = at.registry.institution(institution)
        held = at.registry.tariffs(institution=institution, region=place.region)
    rows: list[dict[str, Any]] = [
        {"id": one.id, "carrier": one.carrier, "from": one.valid_from.isoformat(),
         "to": None if one.valid_to is None else one.valid_to.isoformat(),
         "prices": {period.name: period.price for period in one.periods}
         or {f"above {tier.above:g}": tier.price for tier in one.tiers},
         "demand_price": one.demand_price, "average": one.average, "source": one.source}
        for one in held
    ]  # fmt: skip
    if json:
        print_json(rows)
        return
    print_table(
        f"tariffs of {institution}", ("id", "carrier", "from", "to", "prices", "demand", "source"),
        [(row["id"], row["carrier"], row["from"], row["to"] or "–",
          ", ".join(f"{name} {price:g}" for name, price in row["prices"].items()),
          f"{row['demand_price']:g}" if row["demand_price"] else "", row["source"]) for row in rows],
        wrap=("prices", "source"),
    )  # fmt: skip


def cost(
    institution: Annotated[str, typer.Argument(help="Institution id.", show_default=False)],
    year: Annotated[int, typer.Argument(min=1980, max=2100, help="Calendar year.", show_default=False)],
    db: DbOption = DEFAULT_DB,
    store: StoreOption = None,
    json: JsonOption = False,
) -> None:
    """What a year cost, carrier by carrier, with its parts: periods of the day, tiers, demand.

    Months whose quarters of an hour are little known are priced as a whole: by the tariff's average where prices change
    with the time of day, else their cost is not known.

    Example: kgce cost hall-1 2024
    """
    from kgce.analytics.costing import institution_cost
    from kgce.domain.carriers import CARRIERS

    with database(db, store) as at, progress("pricing", quiet=json):
        found = institution_cost(at.store, at.registry, institution=institution, year=year)
    rows: list[dict[str, Any]] = [
        {
            "carrier": one.carrier, "amount": _sum(one.amount), "unit": CARRIERS[one.carrier].unit,
            "cost_yuan": _sum(one.total), "months_priced": int(np.isfinite(one.total).sum()),
            "months": int(np.isfinite(one.amount).sum()), "months_by_quarter_hour": sum(one.by_quarter),
            "measured_ratio": float(one.measured.mean()),
            "parts_yuan": {name: _sum(values) for name, values in one.parts.items()},
            "by_month_yuan": [_number(value) for value in one.total.tolist()], "tariffs": list(one.tariffs),
        }
        for one in found
    ]  # fmt: skip
    if json:
        print_json({"institution": institution, "year": year, "currency": "CNY", "carriers": rows})
        return
    print_table(
        f"{institution} {year}, yuan", ("carrier", "amount", "unit", "cost", "priced", "parts", "tariffs"),
        [(row["carrier"], figure(row["amount"], 1), row["unit"], figure(row["cost_yuan"], 2),
          f"{row['months_priced']} of {row['months']} months",
          ", ".join(f"{name} {figure(value, 2)}" for name, value in row["parts_yuan"].items()),
          ", ".join(row["tariffs"]) or "none: kgce tariff import") for row in rows],
        right=("amount", "cost"), wrap=("parts", "tariffs"),
    )  # fmt: skip


def _sum(values: np.ndarray) -> float | None:
    """Of the known ones; None without any."""
    return float(np.nansum(values)) if np.isfinite(values).any() else None


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
