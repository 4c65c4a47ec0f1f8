"""Export: all readings or ledger intervals of an institution as a file, made while it is sent."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from kgce.analytics import figures as compute
from kgce.analytics.grid import Grid, edges_ms
from kgce.api.context import Context, ContextDep
from kgce.api.live import unit_of_series
from kgce.api.quality import quality_name
from kgce.api.routes.figures import LONGEST_SPAN
from kgce.api.shaping import file_response
from kgce.api.times import Span, SpanDep, iso_local, iso_utc
from kgce.domain.tree import Series
from kgce.store.table_files import Kind, Row

router = APIRouter(prefix="/export", tags=["export"])
LONGEST: Final = timedelta(days=3660)
_DAY_MS: Final = 86_400_000
_AT_ONCE: Final = 20  # series whose day is held at a time: readings each second are 86 400 rows a day
_READING: Final = ("time", "building", "device", "quantity", "value", "unit", "quality")
_INTERVAL: Final = ("start", "end", "point", "amount", "unit", "provenance", "coverage_ratio", "flags")
FileKind = Annotated[Kind, Query(alias="format", description="csv comes as it is read; the others when they are whole")]
_FILE: Final[dict[int | str, dict[str, Any]]] = {200: {"content": {kind.media_type: {} for kind in Kind}}}


@router.get("/readings", response_class=StreamingResponse, responses=_FILE)
def export_readings(
    context: ContextDep, institution: str, span: SpanDep, kind: FileKind = Kind.CSV
) -> StreamingResponse:
    """Raw readings of every series of an institution in [start, end), day by day, by series then time."""
    context.registry.institution(institution)
    rows = _readings(context, context.store.series(institution), span.bounded(LONGEST))
    return file_response(kind, f"{institution}-readings", _READING, rows)


@router.get("/ledger", response_class=StreamingResponse, responses=_FILE)
def export_ledger(
    context: ContextDep, institution: str, span: SpanDep, grid: Grid = Grid.DAY, kind: FileKind = Kind.CSV
) -> StreamingResponse:
    """Ledger intervals of every metering point of an institution over [start, end), in its own time."""
    zone = ZoneInfo(context.registry.institution(institution).timezone)
    asked = span.bounded(LONGEST_SPAN[grid])
    edges_ms(asked.start_ms, asked.end_ms, grid, str(zone))  # what cannot be cut is refused before the file begins
    points = [point.series.point_id for point in context.registry.points(institution)]

    def rows() -> Iterator[Row]:
        for name in points:
            for row in compute.ledger(
                context.store, context.registry, institution=institution, point=name,
                start_ms=asked.start_ms, end_ms=asked.end_ms, grid=grid,
            ):  # fmt: skip
                yield {
                    "start": iso_local(row.start_ms, zone), "end": iso_local(row.end_ms, zone), "point": name,
                    "amount": row.amount, "unit": row.unit, "provenance": row.provenance,
                    "coverage_ratio": row.coverage_ratio, "flags": " ".join(row.flags),
                }  # fmt: skip

    return file_response(kind, f"{institution}-ledger", _INTERVAL, rows())


def _readings(context: Context, series: list[Series], span: Span) -> Iterator[Row]:
    for start_ms in range(span.start_ms, span.end_ms, _DAY_MS):
        end_ms = min(start_ms + _DAY_MS, span.end_ms)
        for first in range(0, len(series), _AT_ONCE):
            keys = [one.key for one in series[first : first + _AT_ONCE]]
            batch = context.store.read(keys, start_ms=start_ms, end_ms=end_ms)
            columns = (batch.index.tolist(), batch.time_ms.tolist(), batch.value.tolist(), batch.quality.tolist())
            for place, time_ms, value, quality in zip(*columns, strict=True):
                one = batch.series[place]
                yield {
                    "time": iso_utc(time_ms), "building": one.building, "device": one.device,
                    "quantity": one.quantity, "value": None if value != value else value,  # noqa: PLR0124 - NaN
                    "unit": unit_of_series(one), "quality": quality_name(quality),
                }  # fmt: skip
