"""Figures: ledger, indicators, ranking, today, and the factor sets behind them."""

from datetime import timedelta
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request, Response

from kgce.analytics import figures as compute
from kgce.analytics.grid import Grid
from kgce.analytics.indicators import Indicator
from kgce.api import shapes
from kgce.api.context import ContextDep, FiguresDep
from kgce.api.figures import RankingKey, TodayKey
from kgce.api.held import MOST_S
from kgce.api.kept import KeptRoute
from kgce.api.paging import MOST, Cursor, page
from kgce.api.routes.institutions import Year
from kgce.api.shaping import SHAPED
from kgce.api.times import SpanDep, iso_local
from kgce.domain.factors import DEFAULT_FACTOR_SET, FactorSet, chosen_set, factor_sets

router = APIRouter(tags=["figures"], route_class=KeptRoute, dependencies=[SHAPED])
# About 40 000 intervals at the most: a year of quarter hours, some years of hours, a lifetime of days.
LONGEST_SPAN: Final = {
    Grid.QUARTER_HOUR: timedelta(days=400),
    Grid.HOUR: timedelta(days=1600),
    Grid.DAY: timedelta(days=36_600),
    Grid.MONTH: timedelta(days=80_400),
    Grid.YEAR: timedelta(days=80_400),
}
SetId = Annotated[str, Query(alias="factor_set", description="see /factor-sets")]


@router.get("/ledger")
def read_ledger(
    context: ContextDep, institution: str, point: str, span: SpanDep, grid: Grid = Grid.DAY
) -> list[shapes.LedgerInterval]:
    """Amounts of one point over the whole grid intervals that intersect [start, end), in the institution's time."""
    zone = ZoneInfo(context.registry.institution(institution).timezone)
    asked = span.bounded(LONGEST_SPAN[grid])
    rows = compute.ledger(
        context.store,
        context.registry,
        institution=institution,
        point=point,
        start_ms=asked.start_ms,
        end_ms=asked.end_ms,
        grid=grid,
    )
    return [
        shapes.LedgerInterval(
            start=iso_local(row.start_ms, zone),
            end=iso_local(row.end_ms, zone),
            amount=row.amount,
            unit=row.unit,
            provenance=row.provenance,
            coverage_ratio=row.coverage_ratio,
            flags=list(row.flags),
        )
        for row in rows
    ]


@router.get("/indicators")
def read_indicators(
    context: ContextDep, response: Response, institution: str, year: Year, set_id: SetId = DEFAULT_FACTOR_SET
) -> list[shapes.Indicator]:
    """All indicators of one institution in one year, beside baseline and target."""
    chosen = chosen_set(context.registry, set_id)
    rows = compute.indicators(
        context.store, context.registry, institution=institution, year=year, factor_set=chosen, shelf=context.shelf
    )
    _note(response, year, chosen)
    return [shapes.Indicator.model_validate(row) for row in rows]


@router.get("/ranking")
def read_ranking(
    *,
    request: Request,
    context: ContextDep,
    figures: FiguresDep,
    response: Response,
    year: Year,
    indicator: Indicator,
    peer_class: Annotated[str | None, Query(alias="class")] = None,
    set_id: SetId = DEFAULT_FACTOR_SET,
    min_coverage: Annotated[float, Query(ge=0, le=1, allow_inf_nan=False)] = compute.MIN_COVERAGE,
    limit: Annotated[int | None, Query(ge=1, le=MOST, description="rows of a page; all of them without")] = None,
    cursor: Cursor = None,
) -> list[shapes.RankRow]:
    """Ranks within each class, the least first; who cannot be ranked comes last with the reason.

    Kept for up to a minute: the Age header says how old the figures are. With a limit, the Link header names the next
    page.
    """
    chosen = chosen_set(context.registry, set_id)
    rows, age_s = figures.ranking(RankingKey(year, indicator, set_id, min_coverage))
    response.headers["Age"] = str(int(age_s))
    response.headers["Cache-Control"] = f"max-age={MOST_S:.0f}"
    _note(response, year, chosen)
    wanted = [row for row in rows if peer_class in {None, row.peer_class}]
    if limit is not None:
        wanted, following = page(wanted, _rank_place, cursor=cursor, limit=limit)
        if following is not None:
            response.headers["Link"] = f'<{request.url.include_query_params(cursor=following)}>; rel="next"'
    return [shapes.RankRow.model_validate(row) for row in wanted]


def _rank_place(row: compute.RankRow) -> tuple[int, str, int, str]:
    """The order of a ranking."""
    return int(row.rank is None), row.peer_class, row.rank or 0, row.institution


@router.get("/today")
def read_today(
    figures: FiguresDep,
    institution: Annotated[list[str] | None, Query(description="may be given several times")] = None,
    set_id: SetId = DEFAULT_FACTOR_SET,
) -> shapes.Today:
    """What has been used of each carrier since local midnight; without institution, by all that are registered."""
    asked = None if institution is None else tuple(sorted(set(institution)))
    found = figures.today(TodayKey(asked, set_id))
    return shapes.Today(
        start=found.start.isoformat(),
        end=found.end.isoformat(),
        institutions=found.institutions,
        factor_set=set_id,
        carriers=[shapes.CarrierAmount.model_validate(row) for row in found.carriers],
    )


@router.get("/factor-sets")
def read_factor_sets(context: ContextDep) -> list[shapes.FactorSet]:
    """The official conventions kgce knows, with source and validity of each."""
    return [_factor_set(one) for one in {**factor_sets(), **context.registry.factor_sets()}.values()]


def _factor_set(one: FactorSet) -> shapes.FactorSet:
    return shapes.FactorSet(
        id=one.id,
        name_en=one.name_en,
        name_zh=one.name_zh,
        basis=one.basis,
        source=one.source,
        valid_from=one.valid_from.isoformat(),
        valid_to=None if one.valid_to is None else one.valid_to.isoformat(),
        is_default=one.id == DEFAULT_FACTOR_SET,
        factors=[shapes.Factor.model_validate(factor) for factor in one.factors.values()],
    )


def _note(response: Response, year: int, chosen: FactorSet) -> None:
    """What a reader must be told goes beside the list, whose shape is fixed."""
    for note in compute.notes(year, chosen):
        response.headers.append("Kgce-Note", note)
