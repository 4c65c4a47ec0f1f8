"""Benchmarking: leaders, one unit among its peers, the derivation of a figure, totals, quotas, published lists."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from kgce.analytics.book import Book
from kgce.analytics.explain import explain
from kgce.analytics.indicators import Indicator
from kgce.analytics.regions import totals_of
from kgce.api import shapes_benchmarking as shapes
from kgce.api.context import ContextDep, FiguresDep
from kgce.api.figures import LeadersKey
from kgce.api.kept import KeptRoute
from kgce.api.paging import Cursor, Limit, page
from kgce.api.routes.figures import SetId
from kgce.api.routes.institutions import Year
from kgce.api.shaping import SHAPED
from kgce.api.times import iso_utc
from kgce.domain.errors import UnknownItem
from kgce.domain.factors import DEFAULT_FACTOR_SET, chosen_set
from kgce.domain.quotas import quota_book

router = APIRouter(tags=["benchmarking"], route_class=KeptRoute, dependencies=[SHAPED])
Targets = Annotated[bool, Query(description="hold everybody to the target that is set for them too")]


@router.get("/leaders")
def read_leaders(
    *,
    figures: FiguresDep,
    year: Year,
    indicator: Indicator,
    set_id: SetId = DEFAULT_FACTOR_SET,
    peer_class: Annotated[str | None, Query(alias="class")] = None,
    targets: Targets = False,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> shapes.Leaderboard:
    """Everybody by peer group, leaders first, with the reasons for being in or out; figures are kept up to a minute."""
    board = figures.leaders(LeadersKey(year, indicator, set_id, targets=targets))
    rows = [row for row in board["rows"] if peer_class in {None, row["class"]}]
    items, following = page(rows, _place, cursor=cursor, limit=limit)
    head = {name: value for name, value in board.items() if name != "rows"}
    return shapes.Leaderboard(**head, items=items, total=len(rows), next=following)


def _place(row: dict[str, Any]) -> tuple[str, int, int, str]:
    """The order of a leaderboard."""
    return row["group"], int(not row["is_leader_possible"]), row["rank"] or 1 << 30, row["institution"]


@router.get("/peer-group")
def read_peer_group(
    *,
    figures: FiguresDep,
    institution: str,
    year: Year,
    indicator: Indicator,
    set_id: SetId = DEFAULT_FACTOR_SET,
    targets: Targets = False,
) -> shapes.PeerGroup:
    """One institution beside those it is compared with."""
    board = figures.leaders(LeadersKey(year, indicator, set_id, targets=targets))
    own = next((row for row in board["rows"] if row["institution"] == institution), None)
    if own is None:
        raise UnknownItem(f"{institution!r} has neither attributes nor a figure in {year}")
    group = [row for row in board["rows"] if row["group"] == own["group"]]
    line = [row["value"] for row in group if row["rank"] is not None]
    return shapes.PeerGroup(
        institution=institution,
        group=own["group"],
        unit=board["unit"],
        factor_set=set_id,
        size=len(group),
        in_line=len(line),
        mean=sum(line) / len(line) if line else None,
        own=shapes.Leader.model_validate(own),
        items=[shapes.Leader.model_validate(row) for row in group],
    )


@router.get("/explain")
def read_explanation(
    *, context: ContextDep, institution: str, indicator: Indicator, year: Year, set_id: SetId = DEFAULT_FACTOR_SET
) -> shapes.Explanation:
    """How a figure came about: definition, factors, accounts, meters, months; the parts add up to the figure."""
    found = explain(
        context.store,
        context.registry,
        institution=institution,
        indicator=indicator,
        year=year,
        factor_set=chosen_set(context.registry, set_id),
        shelf=context.shelf,
    )
    return shapes.Explanation.model_validate(found)


@router.get("/totals")
def read_totals(
    *,
    context: ContextDep,
    name: Annotated[str, Query(max_length=300, description="a region's code, an institution, institution/building")],
    year: Year,
    set_id: SetId = DEFAULT_FACTOR_SET,
) -> list[shapes.AccountTotal]:
    """What was used of each carrier, and for what, with coverage and the part that is estimated."""
    accounts = Book(context.store, context.registry, context.shelf).year(year)
    return [
        shapes.AccountTotal.model_validate(row)
        for row in totals_of(accounts, name, chosen_set(context.registry, set_id))
    ]


@router.get("/quotas")
def read_quotas(
    peer_class: Annotated[str | None, Query(alias="class")] = None, indicator: Indicator | None = None
) -> list[shapes.Quota]:
    """Limits as the standards have them, each with its clause and how far it was checked."""
    return [
        shapes.Quota(
            standard=one.standard.id,
            indicator=one.indicator,
            level=one.level,
            climate_zone=one.climate_zone,
            heating=one.heating,
            constraint=one.constraint,
            reference=one.reference,
            guide=one.guide,
            unit=one.unit,
            clause=one.clause,
            confidence=one.confidence,
            in_force=one.standard.in_force.isoformat(),
            **{"class": one.peer_class},
        )
        for one in quota_book().rows()
        if peer_class in {None, one.peer_class} and indicator in {None, one.indicator}
    ]


@router.get("/publications/{name}")
def read_publication(name: str, context: ContextDep) -> shapes.Publication:
    """A published list, as it was when it was published."""
    document = context.registry.publication(name)
    published_ms = int(document.pop("published_ms"))
    document.pop("published", None)
    return shapes.Publication(name=name, published=iso_utc(published_ms), document=document)
