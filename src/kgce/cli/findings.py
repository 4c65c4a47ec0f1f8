"""`kgce findings`: what is noteworthy about the data, by kind, or one by one with what to do."""

from collections import Counter
from typing import Annotated

import typer

from kgce.cli.database import DEFAULT_DB, DbOption, JsonOption, database
from kgce.cli.terminal import print_json, print_table, say


def findings(
    subject: Annotated[str | None, typer.Option("--subject", help="Only about this institution.")] = None,
    kind: Annotated[str | None, typer.Option("--id", help="Only of this kind, such as water.night_flow.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="So many of them; --json gives all.")] = 50,
    db: DbOption = DEFAULT_DB,
    json: JsonOption = False,
) -> None:
    """Findings of imports and of the last analysis: counted by kind, or listed for an institution or a kind.

    Example: kgce findings --id water.night_flow
    """
    with database(db) as at:
        found = [one for one in at.registry.findings(subject) if kind in {None, one.id}]
    if json:
        print_json(
            [{"id": one.id, "subject": one.subject, "message": one.message, "evidence": one.evidence} for one in found]
        )
        return
    if subject is None and kind is None:
        counts = Counter(one.id for one in found)
        first = {one.id: one for one in reversed(found)}
        print_table(
            "findings by kind", ("finding", "count", "first"),
            [
                (name, f"{count:,}", f"{first[name].subject}: {first[name].message}")
                for name, count in counts.most_common()
            ],
            right=("count",), wrap=("first",),
        )  # fmt: skip
    else:
        rows = [(one.id, one.subject, one.message) for one in found[:limit]]
        print_table("findings", ("finding", "subject", "what"), rows, wrap=("what",))
    if not found:
        say("nothing is noteworthy: kgce analyze looks")
    elif (subject, kind) != (None, None) and len(found) > limit:
        say(f"{len(found) - limit} more: --limit, or --json")
