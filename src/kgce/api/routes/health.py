"""Health: do the store and the gateway answer, and is every reading accounted for."""

from http import HTTPStatus
from importlib.metadata import version

from fastapi import APIRouter, Response

from kgce.api import shapes
from kgce.api.context import Context, ContextDep
from kgce.api.gateway_view import gateway_view
from kgce.domain.errors import KgceError

router = APIRouter(tags=["health"])
_NOBODY = "kgce.health"  # no institution: the store must answer, not search


@router.get("/health", responses={503: {"model": shapes.Health}})
def read_health(context: ContextDep, response: Response) -> shapes.Health:
    """200 while the store answers, else 503; the body says which part is at fault."""
    store = _store_state(context)
    gateway = None if context.gateway_status is None else gateway_view(context.gateway_status())
    status = "ok" if gateway is None or gateway.is_well else "degraded"
    if store != "ok":
        status = "unavailable"
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    shown = None if gateway is None else shapes.Gateway.model_validate(gateway)
    return shapes.Health(status=status, version=version("kgce"), store=store, gateway=shown)


@router.get("/ready", responses={503: {"model": shapes.Ready}})
def read_ready(context: ContextDep, response: Response) -> shapes.Ready:
    """200 while store and registry both answer, so that a balancer may send requests here; else 503."""
    found = shapes.Ready(store=_store_state(context), registry=_registry_state(context))
    if (found.store, found.registry) != ("ok", "ok"):
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    return found


def _registry_state(context: Context) -> str:
    try:
        context.registry.buildings(_NOBODY)
    except KgceError as error:
        return str(error)
    return "ok"


def _store_state(context: Context) -> str:
    try:
        context.store.series(_NOBODY)
    except KgceError as error:
        return str(error)
    return "ok"
