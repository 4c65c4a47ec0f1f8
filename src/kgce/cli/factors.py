"""`kgce factors`: the conventions that turn kWh, m3 and kg into standard coal; more are checked and imported."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kgce.cli.database import DEFAULT_DB, DbOption, JsonOption, database
from kgce.cli.terminal import print_json, print_table, say
from kgce.domain.errors import InputError

if TYPE_CHECKING:
    from kgce.domain.factors import FactorSet

app = typer.Typer(help="Factor sets: how much standard coal a kWh, a m3, a kg stands for.", no_args_is_help=True)
FileArgument = Annotated[Path, typer.Argument(help="TOML as `kgce factors show` prints it.", show_default=False)]


@app.command("list")
def factors_list(db: DbOption = DEFAULT_DB, json: JsonOption = False) -> None:
    """Every set, shipped or imported.

    Example: kgce factors list
    """
    from kgce.domain.factors import factor_sets

    with database(db) as at:
        imported = at.registry.factor_sets()
    rows: list[dict[str, Any]] = [
        {"id": one.id, "name": one.name_en, "basis": one.basis, "valid_from": one.valid_from.isoformat(),
         "imported": one.id in imported}
        for one in {**factor_sets(), **imported}.values()
    ]  # fmt: skip
    if json:
        print_json(rows)
        return
    print_table(
        "factor sets", ("id", "name", "basis", "since", ""),
        [(row["id"], row["name"], row["basis"], row["valid_from"], "imported" if row["imported"] else "")
         for row in rows],
        wrap=("name", "basis"),
    )  # fmt: skip


@app.command("show")
def factors_show(
    set_id: Annotated[str, typer.Argument(help="Id of a set.", show_default=False)],
    db: DbOption = DEFAULT_DB,
    json: JsonOption = False,
) -> None:
    """The factors of a set with their sources.

    Example: kgce factors show sd-db37-2019
    """
    from kgce.domain.factors import chosen_set

    with database(db) as at:
        one = chosen_set(at.registry, set_id)
    rows = [
        {"carrier": factor.carrier, "value": factor.value, "unit": factor.unit, "source": factor.source,
         "confidence": factor.confidence}
        for factor in one.factors.values()
    ]  # fmt: skip
    if json:
        print_json({"id": one.id, "basis": one.basis, "source": one.source, "factors": rows})
        return
    print_table(
        f"{one.id}: {one.name_en}", ("carrier", "kgce per", "unit", "confidence", "source"),
        [(str(row["carrier"]), f"{row['value']:g}", str(row["unit"]), str(row["confidence"]), str(row["source"]))
         for row in rows],
        right=("kgce per",), wrap=("source",),
    )  # fmt: skip
    say(one.source)


@app.command("check")
def factors_check(file: FileArgument, json: JsonOption = False) -> None:
    """Hold a file's factors against what official factors lie in; exit code 1 when one lies outside.

    Example: kgce factors check guangdong.toml
    """
    from kgce.domain.factors import parse_factor_sets

    found = _judged(parse_factor_sets(_read(file)))
    if json:
        print_json(found)
    else:
        for one in found:
            say(f"{one['set']}: {one['message']}")
        say(f"{len(found)} factors outside their band" if found else "every factor lies in its band")
    raise typer.Exit(1 if found else 0)


@app.command("import")
def factors_import(
    file: FileArgument,
    force: Annotated[bool, typer.Option("--force", help="Import although a factor lies outside its band.")] = False,
    db: DbOption = DEFAULT_DB,
    json: JsonOption = False,
) -> None:
    """Make a file's sets known; a set that is known never changes, a corrected one gets a new id.

    Example: kgce factors import guangdong.toml
    """
    from kgce.domain.factors import parse_factor_sets
    from kgce.domain.findings import Finding

    text = _read(file)
    found = _judged(parse_factor_sets(text))
    if found and not force:
        raise InputError(f"{found[0]['set']}: {found[0]['message']}; --force imports it all the same")
    with database(db) as at:
        made = at.registry.save_factor_sets(text, imported_ms=round(time.time() * 1000))
        findings = [Finding(one["id"], one["set"], one["message"], one["evidence"]) for one in found]
        at.registry.save_findings(f"factors:{file.name}", findings)
    if json:
        print_json({"imported": [one.id for one in made], "findings": found})
    else:
        say(f"imported {', '.join(one.id for one in made)}; use it with --factor-set")


def _judged(sets: "dict[str, FactorSet]") -> list[dict[str, Any]]:
    from kgce.domain.sanity import insane_factors

    return [
        {"id": one.id, "set": one.subject, "message": one.message, "evidence": dict(one.evidence)}
        for each in sets.values()
        for one in insane_factors(each)
    ]


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file} cannot be read: {error}") from None
