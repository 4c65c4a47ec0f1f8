"""Readings in over HTTP, for those without MQTT: a batch as gateways send it, or line protocol as InfluxDB takes it."""

import asyncio
import zlib
from http import HTTPStatus
from typing import Annotated, Final, cast

from fastapi import APIRouter, Header, Query, Request, Response

from kgce.api import shapes
from kgce.api.context import Context, ContextDep
from kgce.api.remembered import Remembered
from kgce.collectors.ingest.lines import parse_lines
from kgce.collectors.uplink import message
from kgce.domain.batch import Batch
from kgce.domain.errors import ConfigError, InputError, StoreUnavailable
from kgce.domain.ports import AppendResult

router = APIRouter(tags=["ingest"])
influx = APIRouter(tags=["ingest"])  # at the addresses where InfluxDB clients look
MOST_BYTES: Final = 32_000_000
_SHOWN: Final = 5


@router.post("/ingest", openapi_extra={"requestBody": {"content": {message.CONTENT_TYPE: {}}, "required": True}})
async def take_batch(
    request: Request,
    context: ContextDep,
    key: Annotated[str | None, Header(alias="Idempotency-Key")] = None,
) -> shapes.Taken:
    """Keep a batch (JSON columns, as on `kgce/v1/{gateway}/batch`); 200 means it is stored.

    Sent again with the same Idempotency-Key it gets the same answer; sent again without, its readings count as
    duplicates. Nothing is ever stored twice.
    """
    body = await _body(request)

    def work() -> shapes.Taken:
        return _taken(_keep(context, message.decode(body).batch))

    remembered = cast("Remembered[shapes.Taken]", request.app.state.remembered)
    try:
        return await asyncio.to_thread(remembered.once, key, body, work)
    finally:
        request.app.state.kept.forget()


@router.post("/write", status_code=204, response_class=Response, responses={400: {"model": shapes.InfluxProblem}})
@influx.post("/api/v2/write", include_in_schema=False)
@influx.post("/write", include_in_schema=False)
async def take_lines(
    request: Request, context: ContextDep, precision: Annotated[str, Query(max_length=8)] = "ns"
) -> Response:
    """Keep line protocol; 204 means all of it is stored, 400 names the lines that are not (the others are)."""
    body = await _body(request)

    def work() -> str:
        batch, refused = parse_lines(body, precision=precision, now_ms=round(context.clock() * 1000))
        result = _keep(context, batch)
        reasons = [f"line {one.line}: {one.reason}" for one in refused[:_SHOWN]]
        if result.refused:
            reasons.append(f"{result.refused} readings can never be kept (time or value out of range)")
        return f"partial write: {len(refused)} lines refused: {'; '.join(reasons)}" if reasons else ""

    problem = await asyncio.to_thread(work)
    request.app.state.kept.forget()
    if not problem:
        return Response(status_code=HTTPStatus.NO_CONTENT)
    answer = shapes.InfluxProblem(code="invalid", message=problem)
    return Response(answer.model_dump_json(), HTTPStatus.BAD_REQUEST, media_type="application/json")


def _keep(context: Context, batch: Batch) -> AppendResult:
    try:
        result = context.store.append(batch)
    except ConfigError as error:  # our fault, not the sender's: he shall come again
        raise StoreUnavailable(str(error)) from error
    if context.hub is not None:
        context.hub.publish(batch)
    return result


def _taken(result: AppendResult) -> shapes.Taken:
    return shapes.Taken(
        stored=result.stored,
        duplicate=result.duplicate,
        refused=result.refused,
        replaced=result.replaced,
        expired=result.expired,
    )


async def _body(request: Request) -> bytes:
    """The whole body, unpacked, of bounded size.

    Raises:
        InputError: it is too large, or packed in a way not known here.
    """
    packing = request.headers.get("content-encoding", "identity")
    if packing not in {"identity", "gzip"}:
        raise InputError(f"Content-Encoding {packing!r}: send it plain or with gzip")
    unpacker = zlib.decompressobj(wbits=31) if packing == "gzip" else None
    parts, size = [], 0
    async for chunk in request.stream():
        try:
            plain = chunk if unpacker is None else unpacker.decompress(chunk, MOST_BYTES + 1)
        except zlib.error as error:
            raise InputError(f"the body is no gzip: {error}") from None
        size += len(plain)
        if size > MOST_BYTES:
            raise InputError(f"more than {MOST_BYTES // 1_000_000} MB: send it in parts")
        parts.append(plain)
    if unpacker is not None and parts and not unpacker.eof:
        raise InputError("the body is no whole gzip")
    return b"".join(parts)
