"""What the server counts for Prometheus: requests by route and status, how long they took, what is under way.

A route stands as it is declared (`/api/v1/institutions/{institution_id}`): names of institutions make no series.
"""

import time
from typing import Final

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

router = APIRouter(tags=["health"])
_BUCKETS: Final = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_NO_ROUTE: Final = "none"


class Metrics:
    """Counters of one app."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        names = ("method", "route", "status")
        self.requests = Counter("kgce_http_requests", "Requests answered.", names, registry=self.registry)
        self.seconds = Histogram(
            "kgce_http_request_seconds",
            "Time to the end of the answer.",
            ("method", "route"),
            registry=self.registry,
            buckets=_BUCKETS,
        )
        self.under_way = Gauge("kgce_http_requests_under_way", "Requests being answered.", registry=self.registry)

    def text(self) -> bytes:
        """In Prometheus' format."""
        return generate_latest(self.registry)


class Counted:
    """Middleware that counts; it looks at nothing but method, route and status."""

    def __init__(self, app: ASGIApp, metrics: Metrics, prefix: str) -> None:
        """`prefix`: under which routes are included; the framework names them without it."""
        self._app, self._metrics, self._prefix = app, metrics, prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, and count."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, began = 500, time.perf_counter()

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with self._metrics.under_way.track_inprogress():
            try:
                await self._app(scope, receive, watched)
            finally:
                route = self._route_of(scope)
                self._metrics.requests.labels(scope["method"], route, str(status)).inc()
                self._metrics.seconds.labels(scope["method"], route).observe(time.perf_counter() - began)

    def _route_of(self, scope: Scope) -> str:
        declared: str = getattr(scope.get("route"), "path", "")
        if not declared:
            return _NO_ROUTE
        is_under = scope["path"].startswith(self._prefix) and not declared.startswith(self._prefix)
        return f"{self._prefix}{declared}" if is_under else declared


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def read_metrics(request: Request) -> Response:
    """Counters for Prometheus."""
    metrics: Metrics = request.app.state.metrics
    return Response(metrics.text(), media_type=CONTENT_TYPE_LATEST)
