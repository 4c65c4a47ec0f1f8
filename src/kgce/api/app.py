"""The FastAPI app: `/api/v1` and the console at `/`.

Context --create_app--> routes/ (JSON, problem+json, server-sent events) + console/ (NiceGUI)
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from importlib.metadata import version
from typing import Final

from fastapi import APIRouter, FastAPI
from starlette.exceptions import HTTPException

from kgce.api.context import Context
from kgce.api.document import install_document
from kgce.api.errors import install_error_handlers
from kgce.api.figures import Figures
from kgce.api.kept import KeptAnswers
from kgce.api.metrics import Counted, Metrics
from kgce.api.metrics import router as metrics_router
from kgce.api.power import PowerWatch
from kgce.api.remembered import Remembered
from kgce.api.routes import benchmarking, export, figures, health, ingest, institutions, live, readings

__all__ = ["API", "Context", "create_api", "create_app"]

API: Final = "/api/v1"


def create_app(context: Context) -> FastAPI:
    """API and console on one context; the console allows one such app per process."""
    from kgce.api.console.page import install_console  # noqa: PLC0415 - NiceGUI takes a second to load

    app = create_api(context)
    install_console(app)
    return app


def create_api(context: Context) -> FastAPI:
    """The API alone."""
    app = FastAPI(
        title="kgce",
        summary="Energy monitoring for public institutions",
        version=version("kgce"),
        openapi_url=f"{API}/openapi.json",
        docs_url=None,  # these pages load their scripts from the internet
        redoc_url=None,
        lifespan=_lifespan,
    )
    figures_kept = Figures(context.store, context.registry, shelf=context.shelf, clock=context.clock)
    app.state.context = context
    app.state.figures = figures_kept
    app.state.remembered = Remembered()
    app.state.kept = KeptAnswers()
    app.state.power = PowerWatch(context.hub, figures_kept.mains, context.clock, figures_kept.names)
    app.state.metrics = Metrics()
    app.add_middleware(Counted, metrics=app.state.metrics, prefix=API)
    install_error_handlers(app)
    routes = APIRouter(prefix=API)
    for part in (health, institutions, readings, figures, benchmarking, export, live, ingest):
        routes.include_router(part.router)
    app.include_router(routes)
    app.include_router(ingest.influx)
    app.include_router(metrics_router)
    install_document(app)
    app.add_api_route("/api/{rest:path}", _no_such_route, include_in_schema=False)
    return app


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    watch = asyncio.create_task(app.state.power.run(), name="live power")
    try:
        yield
    finally:
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)


def _no_such_route(rest: str) -> None:
    """Before the console, which would answer with a page."""
    raise HTTPException(404, f"no route /api/{rest}; the routes are listed in {API}/openapi.json")
