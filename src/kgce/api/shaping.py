"""Shaping: what every reading route can do with its answer: fewer fields, another file format, "nothing new".

route's JSON --ShapedRoute--> fields= chosen --> format= csv, xlsx, parquet --> ETag, 304 where the client has it
"""

import hashlib
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from http import HTTPStatus
from itertools import chain
from typing import Annotated, Any, Final, get_args, get_origin

import orjson
from fastapi import Depends, Query, Request, Response
from fastapi.responses import StreamingResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from kgce.domain.errors import InputError
from kgce.store.table_files import Kind, Row, table_bytes

JSON: Final = "application/json"
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


def _shape(
    request: Request,
    fields: Annotated[
        str | None, Query(max_length=2000, description="Names of fields, joined by commas; all of them without.")
    ] = None,
    file_format: Annotated[
        Kind | None, Query(alias="format", description="A file instead of JSON: one row for each item.")
    ] = None,
) -> None:
    """Keep for ShapedRoute what was asked for, checked as any other parameter is."""
    request.state.fields = None if fields is None else [name.strip() for name in fields.split(",") if name.strip()]
    request.state.file_format = file_format


SHAPED: Final = Depends(_shape)  # for a router whose routes are ShapedRoutes


class ShapedRoute(APIRoute):
    """A route whose JSON answer is cut, turned into a file, or withheld because the client has it."""

    def get_route_handler(self) -> Handler:
        """The handler FastAPI made, and what comes after it."""
        shaped = self.shaped_handler()

        async def handler(request: Request) -> Response:
            answer = await shaped(request)
            return unless_known(request, tagged(answer)) if is_document(request, answer) else answer

        return handler

    def shaped_handler(self) -> Handler:
        """The same without a look at what the client has."""
        inner = super().get_route_handler()
        declared = declared_columns(self.response_model)

        async def handler(request: Request) -> Response:
            answer = await inner(request)
            if not is_document(request, answer):
                return answer
            return await run_in_threadpool(_shaped, request, answer, declared)

        return handler


def is_document(request: Request, answer: Response) -> bool:
    """Whether it is whole JSON that was read."""
    is_whole = answer.status_code == HTTPStatus.OK and not isinstance(answer, StreamingResponse)
    return request.method == "GET" and is_whole and answer.media_type == JSON


def _shaped(request: Request, answer: Response, declared: Sequence[str]) -> Response:
    fields = getattr(request.state, "fields", None)
    kind = getattr(request.state, "file_format", None)
    if fields is None and kind is None:
        return answer
    document = orjson.loads(answer.body)
    rows = items_of(document)
    chosen = _columns(list(rows[0]) if rows else declared, fields)
    if kind is not None:
        name = request.url.path.rstrip("/").rpartition("/")[2]
        return _with_headers_of(answer, file_response(kind, name, chosen, rows))
    cut = [{name: row[name] for name in chosen} for row in rows]
    body = cut if isinstance(document, list) else {**document, "items": cut} if "items" in document else cut[0]
    return _with_headers_of(answer, Response(orjson.dumps(body), media_type=JSON))


def items_of(document: Any) -> Sequence[Mapping[str, Any]]:
    """The rows of an answer: of a list, of a page's items, or the answer itself as the only one."""
    if isinstance(document, list):
        return document
    items = document.get("items")
    return items if isinstance(items, list) else [document]


def _columns(known: Sequence[str], fields: Sequence[str] | None) -> list[str]:
    if fields is None:
        return list(known)
    unknown = [name for name in fields if name not in known]
    if unknown or not fields:
        raise InputError(f"no field {', '.join(unknown) or 'is named'}: choose of {', '.join(known)}")
    return list(dict.fromkeys(fields))


def declared_columns(model: Any) -> list[str]:
    """Names of the fields of a row, as the route's type states them: a list's, a page's items', or its own."""
    if get_origin(model) is list:
        return declared_columns(get_args(model)[0])
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        return []
    items = model.model_fields.get("items")
    if items is not None:
        return declared_columns(items.annotation)
    return [field.serialization_alias or field.alias or name for name, field in model.model_fields.items()]


def file_response(kind: Kind, name: str, columns: Sequence[str], rows: Iterable[Row]) -> StreamingResponse:
    """A file to be saved; what goes wrong before its first piece is still an error with a status of its own."""
    pieces = table_bytes(kind, columns, rows)
    first = next(pieces, b"")
    plain = name if name.isascii() and name.isprintable() and not set(name) & set('"\\/;') else "kgce-export"
    return StreamingResponse(
        chain([first], pieces),
        media_type=kind.media_type,
        headers={"Content-Disposition": f'attachment; filename="{plain}.{kind}"'},
    )


def _with_headers_of(answer: Response, made: Response) -> Response:
    """What a route said beside its answer still holds."""
    for name, value in (
        answer.headers.multi_items() if hasattr(answer.headers, "multi_items") else answer.headers.items()
    ):
        if name not in {"content-length", "content-type"}:
            made.headers.append(name, value)
    return made


def tagged(answer: Response) -> Response:
    """The answer with a tag of its bytes."""
    answer.headers["ETag"] = f'"{hashlib.blake2b(answer.body, digest_size=12).hexdigest()}"'
    answer.headers.setdefault("Cache-Control", "private, no-cache")
    return answer


def unless_known(request: Request, answer: Response) -> Response:
    """The answer, or 304 without a body where the client's copy has the same tag."""
    if "if-none-match" not in request.headers or answer.headers["ETag"] not in set(_tags(request)):
        return answer
    known = Response(status_code=HTTPStatus.NOT_MODIFIED)
    for name in ("ETag", "Cache-Control", "Age"):
        if name in answer.headers:
            known.headers[name] = answer.headers[name]
    return known


def _tags(request: Request) -> Iterator[str]:
    """Tags the client names; a weak one is as good as a strong one here."""
    for tag in request.headers.get("if-none-match", "").split(","):
        yield tag.strip().removeprefix("W/")
