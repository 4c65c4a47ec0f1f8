"""Institutions: who exists, what they were in a year, what they meter; findings about them."""

from typing import Annotated

from fastapi import APIRouter, Query

from kgce.api import shapes
from kgce.api.context import ContextDep, FiguresDep
from kgce.api.shaping import SHAPED, ShapedRoute
from kgce.domain.carriers import CARRIERS
from kgce.domain.tree import Institution, Point, YearlyAttributes

router = APIRouter(tags=["institutions"], route_class=ShapedRoute, dependencies=[SHAPED])
Limit = Annotated[int, Query(ge=1, le=1000)]
Offset = Annotated[int, Query(ge=0)]
Year = Annotated[int, Query(ge=1990, le=2200)]


@router.get("/institutions")
def read_institutions(
    *,
    context: ContextDep,
    q: Annotated[str, Query(max_length=200, description="part of id or name")] = "",
    peer_class: Annotated[str | None, Query(alias="class")] = None,
    year: Year | None = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> shapes.Institutions:
    """Institutions by id, with the attributes of `year`, else of their newest; `class` is looked for in these."""
    newest = {row.institution: row for row in context.registry.attributes(year)}  # by year: the newest stays
    wanted = q.casefold()
    found = [
        one
        for one in context.registry.institutions()
        if (wanted in one.id.casefold() or wanted in one.name.casefold())
        and (year is None or one.id in newest)
        and (peer_class is None or (one.id in newest and newest[one.id].peer_class == peer_class))
    ]
    items = [_institution(one, newest.get(one.id)) for one in found[offset : offset + limit]]
    return shapes.Institutions(items=items, total=len(found), limit=limit, offset=offset)


@router.get("/institutions/{institution_id}")
def read_institution(institution_id: str, context: ContextDep) -> shapes.InstitutionDetail:
    """One institution with its buildings and years."""
    found = context.registry.institution(institution_id)
    years = [row for row in context.registry.attributes() if row.institution == institution_id]
    return shapes.InstitutionDetail(
        id=found.id,
        name=found.name,
        region=found.region,
        timezone=found.timezone,
        buildings=[shapes.Building.model_validate(one) for one in context.registry.buildings(institution_id)],
        years=[shapes.Attributes.model_validate(row) for row in years],
    )


@router.get("/institutions/{institution_id}/points")
def read_points(institution_id: str, context: ContextDep) -> list[shapes.Point]:
    """Metering points of an institution."""
    context.registry.institution(institution_id)
    return [_point(point) for point in context.registry.points(institution_id)]


@router.get("/findings")
def read_findings(
    figures: FiguresDep,
    subject: Annotated[str | None, Query(description="what they are about")] = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> shapes.Findings:
    """What is noteworthy about the data, newest origin last."""
    found = [one for one in figures.findings() if subject in {None, one.subject}]
    items = [shapes.Finding.model_validate(one) for one in found[offset : offset + limit]]
    return shapes.Findings(items=items, total=len(found), limit=limit, offset=offset)


def _institution(one: Institution, attributes: YearlyAttributes | None) -> shapes.Institution:
    shown = None if attributes is None else shapes.Attributes.model_validate(attributes)
    return shapes.Institution(id=one.id, name=one.name, region=one.region, timezone=one.timezone, attributes=shown)


def _point(point: Point) -> shapes.Point:
    return shapes.Point(
        point=point.id,
        series=point.series.point_id,
        building=point.series.building,
        carrier=point.carrier,
        unit=CARRIERS[point.carrier].unit,
        kind=point.kind,
        step=point.step,
        counts=point.counts,
    )
