"""Readings as stored: the newest of every series, and the raw readings of one."""

from datetime import timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Query

from kgce.api import shapes
from kgce.api.context import Context, ContextDep
from kgce.api.kept import BrieflyKeptRoute
from kgce.api.live import unit_of_series
from kgce.api.quality import quality_name
from kgce.api.shaping import SHAPED
from kgce.api.times import Span, SpanDep, iso_utc
from kgce.domain.batch import Batch
from kgce.domain.errors import InputError, UnknownPoint
from kgce.domain.tree import Series

router = APIRouter(tags=["readings"], route_class=BrieflyKeptRoute, dependencies=[SHAPED])
LONGEST_SPAN: Final = timedelta(days=366)
MOST_READINGS: Final = 100_000
_CHUNK_MS: Final = 31 * 86_400_000  # a month of readings every second is 2.7 million rows: as much as one look takes


@router.get("/latest")
def read_latest(
    context: ContextDep,
    institution: str | None = None,
    limit: Annotated[int, Query(ge=1, le=20_000)] = 5000,
    offset: Annotated[int, Query(ge=0)] = 0,
) -> list[shapes.Latest]:
    """The newest reading of every series, by institution, device and quantity; age by the server's clock."""
    if institution is not None:
        context.registry.institution(institution)
    batch, now_s = context.store.latest(institution), context.clock()
    columns = (batch.index.tolist(), batch.time_ms.tolist(), batch.value.tolist(), batch.quality.tolist())
    return [
        shapes.Latest(
            institution=batch.series[place].institution,
            building=batch.series[place].building,
            device=batch.series[place].device,
            quantity=batch.series[place].quantity,
            time=iso_utc(time_ms),
            value=value,
            unit=unit_of_series(batch.series[place]),
            quality=quality_name(quality),
            age_s=round(now_s - time_ms / 1000, 3),
        )
        for place, time_ms, value, quality in zip(*(column[offset : offset + limit] for column in columns), strict=True)
    ]


@router.get("/series")
def read_series(context: ContextDep, institution: str, point: str, span: SpanDep) -> shapes.SeriesOut:
    """Raw readings of one series in [start, end), oldest first; `point` is `device.quantity`, or a device's name."""
    series = _series(context, institution, point)
    batch = _read(context, series, span.bounded(LONGEST_SPAN))
    columns = (batch.time_ms.tolist(), batch.value.tolist(), batch.quality.tolist())
    return shapes.SeriesOut(
        institution=institution,
        point=series.point_id,
        unit=unit_of_series(series),
        readings=[
            shapes.Reading(time=iso_utc(time_ms), value=value, quality=quality_name(quality))
            for time_ms, value, quality in zip(*columns, strict=True)
        ],
    )


def _series(context: Context, institution: str, name: str) -> Series:
    """The series behind a name; a device with several is known by its metering point.

    Raises:
        UnknownInstitution: no such institution.
        UnknownPoint: no such series, or several; the message lists them.
    """
    context.registry.institution(institution)
    known = context.store.series(institution)
    found = [series for series in known if name in {series.device, series.point_id}]
    if len(found) > 1:
        metered = {point.series.key for point in context.registry.points(institution)}
        found = [series for series in found if series.key in metered] or found
    if len(found) == 1:
        return found[0]
    names = ", ".join(series.point_id for series in (found or known)) or "none yet"
    what = f"several series {name!r}" if found else f"no series {name!r} with readings"
    raise UnknownPoint(f"{institution} has {what}; known: {names}")


def _read(context: Context, series: Series, span: Span) -> Batch:
    """Month by month, so that a span with too much in it is refused before it fills the memory.

    Raises:
        InputError: more than 100 000 readings.
    """
    parts: list[Batch] = []
    for start_ms in range(span.start_ms, span.end_ms, _CHUNK_MS):
        end_ms = min(start_ms + _CHUNK_MS, span.end_ms)
        parts.append(context.store.read([series.key], start_ms=start_ms, end_ms=end_ms))
        if sum(map(len, parts)) > MOST_READINGS:
            raise InputError(f"more than {MOST_READINGS} readings in this span: ask in parts, or use /ledger")
    return Batch.concat(parts)
