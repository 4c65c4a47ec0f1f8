"""`kgce leaders`: who leads its peers, who does not, and why; published lists stay as they were."""

import time
from typing import Annotated, Any

import typer

from kgce.analytics.indicators import Indicator
from kgce.cli.database import DEFAULT_DB, DbOption, JsonOption, StoreOption, database
from kgce.cli.terminal import figure, print_json, print_table, progress, say
from kgce.domain.errors import InputError
from kgce.domain.factors import DEFAULT_FACTOR_SET


def leaders(
    year: Annotated[int | None, typer.Option("--year", min=1990, max=2200, help="Calendar year.")] = None,
    indicator: Annotated[Indicator, typer.Option("--indicator", help="What to lead by.")] = Indicator.ENERGY_PER_AREA,
    peer_class: Annotated[str | None, typer.Option("--class", help="Only this class.")] = None,
    unit: Annotated[str | None, typer.Option("--unit", help="Only this institution.")] = None,
    top: Annotated[int, typer.Option("--top", min=1, help="So many of each group.")] = 3,
    language: Annotated[str, typer.Option("--lang", help="en or zh.")] = "en",
    target: Annotated[
        bool, typer.Option("--targets/--no-targets", help="Hold them to their targets too (kgce targets).")
    ] = False,
    publish: Annotated[str | None, typer.Option("--publish", help="Freeze this list under a name.")] = None,
    show: Annotated[str | None, typer.Option("--show", help="A published list, as it was.")] = None,
    against: Annotated[
        str | None, typer.Option("--against", help="Beside a published list: what each value and rank was there.")
    ] = None,
    factor_set: Annotated[str, typer.Option("--factor-set", help="Standard-coal factors.")] = DEFAULT_FACTOR_SET,
    db: DbOption = DEFAULT_DB,
    store: StoreOption = None,
    json: JsonOption = False,
) -> None:
    """Leaders of each peer group, and for every unit the reasons it is in or out.

    Units with missing months, low coverage, outliers or figures above their quota are out; quotas are held against
    figures made with the quotas' own factors (--factor-set sd-db37-2019).

    Example: kgce leaders --year 2019 --indicator energy_per_area --lang zh
    """
    if language not in {"en", "zh"}:
        raise InputError(f"--lang {language!r} is neither en nor zh")
    with database(db, store) as at:
        if show is not None:
            document = at.registry.publication(show)
        else:
            if year is None:
                raise InputError("name a year with --year, or a published list with --show")
            document = _document(at, year, indicator, factor_set, targets=target, quiet=json)
            if publish is not None:
                at.registry.publish(publish, document, published_ms=round(time.time() * 1000))
                say(f"published as {publish}: kgce leaders --show {publish}")
        if against is not None:
            _compare(document, at.registry.publication(against), against)
    rows = [
        row for row in document["rows"] if peer_class in {None, row["class"]} and unit in {None, row["institution"]}
    ]
    if unit is not None and not rows:
        raise InputError(f"no institution {unit!r} in {document['year']}")
    if json:
        print_json({**document, "rows": rows})
    else:
        _print(document, rows, language, top=None if unit is not None else top)


def _document(
    at: Any, year: int, indicator: Indicator, factor_set: str, *, targets: bool, quiet: bool
) -> dict[str, Any]:
    from kgce.analytics.leaderboard import leaderboard
    from kgce.analytics.standing import stand
    from kgce.domain.factors import chosen_set
    from kgce.domain.targets import book_of

    with progress("assessing", quiet=quiet):
        found = stand(
            at.store, at.registry, year=year, factor_set=chosen_set(at.registry, factor_set), indicators=(indicator,),
            targets=book_of(at.registry.targets()) if targets else None, shelf=at.shelf,
        )  # fmt: skip
    return leaderboard(found, indicator)


def _compare(document: dict[str, Any], before: dict[str, Any], name: str) -> None:
    """Put value and rank of a published list beside each row.

    Raises:
        InputError: the lists are of other indicators, definitions or factor sets.
    """
    from kgce.domain.factors import require_same_set

    if (before["indicator"], before["definition"]["version"]) != (
        document["indicator"], document["definition"]["version"],
    ):  # fmt: skip
        version = before["definition"]["version"]
        raise InputError(f"{name!r} is a list of {before['indicator']}, definition {version}: these do not compare")
    require_same_set(document["factor_set"], before["factor_set"], f"{document['year']} against {name!r}")
    then = {row["institution"]: row for row in before["rows"]}
    for row in document["rows"]:
        was = then.get(row["institution"], {})
        row["value_before"], row["rank_before"] = was.get("value"), was.get("rank")


def _print(document: dict[str, Any], rows: list[dict[str, Any]], language: str, *, top: int | None) -> None:
    shown: list[dict[str, Any]] = []
    seen: dict[str, int] = {}
    for row in rows:
        seen[row["group"]] = seen.get(row["group"], 0) + 1
        if top is None or (row["is_leader_possible"] and seen[row["group"]] <= top):
            shown.append(row)
    print_table(
        f"{document['indicator']} {document['year']}, {document['factor_set']}",
        ("group", "rank", "was", "institution", "name", "value", "of mean", "leads", "score", "grade", "why"),
        [
            (row["group"], "–" if row["rank"] is None else str(row["rank"]), str(row.get("rank_before") or ""),
             row["institution"], row["name"],
             figure(row["value"], 3), figure(row["ratio_to_mean"], 2),
             "–" if row["leads_share"] is None else f"{row['leads_share']:.0%}", _score(row),
             row["grade"].replace("_", " "),
             "; ".join(row[f"reasons_{language}"]) if top is None or row["rank"] is None else "")
            for row in shown
        ],
        right=("rank", "value", "of mean", "leads", "score"), wrap=("group", "name", "why", "grade"),
    )  # fmt: skip
    out = sum(not row["is_leader_possible"] for row in rows)
    say(f"{len(rows)} units, {out} of them out; kgce leaders --unit ID says why")
    for note in document["notes"]:
        say(note)


def _score(row: dict[str, Any]) -> str:
    """The score with its interval."""
    if row["score"] is None:
        return "–"
    return f"{row['score']:.0f} ({row['score_low']:.0f}–{row['score_high']:.0f})"
