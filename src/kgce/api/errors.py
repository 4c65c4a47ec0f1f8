"""Errors to problem+json (RFC 9457), once for every route.

UnknownItem 404, NeverWorks (InputError, ConfigError) 422, TryAgain (StoreUnavailable) 503.
"""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from kgce.domain.errors import KgceError, TryAgain, UnknownItem

log: Final = logging.getLogger(__name__)
RETRY_AFTER_S: Final = 5


def problem(status: HTTPStatus, detail: str, *, headers: Mapping[str, str] | None = None, **more: Any) -> Response:
    """One problem+json answer."""
    body = {"type": "about:blank", "title": status.phrase, "status": status.value, "detail": detail, **more}
    return Response(
        orjson.dumps(body), status.value, media_type="application/problem+json", headers=dict(headers or {})
    )


def status_of(error: KgceError) -> HTTPStatus:
    """The HTTP status that says whose turn it is: the caller's (4xx) or ours (503)."""
    if isinstance(error, TryAgain):
        return HTTPStatus.SERVICE_UNAVAILABLE
    return HTTPStatus.NOT_FOUND if isinstance(error, UnknownItem) else HTTPStatus.UNPROCESSABLE_ENTITY


def install_error_handlers(app: FastAPI) -> None:
    """Every error of `app`'s own routes becomes problem+json."""

    @app.exception_handler(KgceError)
    def _ours(_: Request, error: KgceError) -> Response:
        status = status_of(error)
        again = {"Retry-After": str(RETRY_AFTER_S)} if status is HTTPStatus.SERVICE_UNAVAILABLE else None
        return problem(status, str(error), headers=again)

    @app.exception_handler(RequestValidationError)
    def _invalid(_: Request, error: RequestValidationError) -> Response:
        places = [
            {"place": ".".join(str(part) for part in one["loc"]), "message": one["msg"]} for one in error.errors()
        ]
        detail = "; ".join(f"{one['place']}: {one['message']}" for one in places)
        return problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail, errors=places)

    @app.exception_handler(HTTPException)
    def _http(_: Request, error: HTTPException) -> Response:
        return problem(HTTPStatus(error.status_code), str(error.detail), headers=error.headers)

    @app.exception_handler(Exception)
    def _unplanned(request: Request, error: Exception) -> Response:
        log.error("%s %s failed", request.method, request.url.path, exc_info=error)
        return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "an error nobody planned for; the server's log has it")
