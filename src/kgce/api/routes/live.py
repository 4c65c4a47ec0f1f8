"""Live readings as server-sent events: one event per batch, a comment while nothing happens."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from kgce.api.context import ContextDep
from kgce.api.live import EVENTS_PER_SUBSCRIBER, LiveHub
from kgce.domain.errors import UnknownItem

router = APIRouter(tags=["live"])
HEARTBEAT_S: Final = 15.0  # proxies drop connections that are silent for half a minute


@router.get("/live", response_class=StreamingResponse)
async def read_live(context: ContextDep, institution: str | None = None) -> StreamingResponse:
    """`event: readings` with the readings that became the newest; an id that skips tells of events lost.

    A client too slow for the stream loses the oldest events.
    """
    if context.hub is None:
        raise UnknownItem("nothing feeds this server with live readings: start kgce demo, or a gateway beside it")
    return StreamingResponse(
        event_stream(context.hub, institution=institution),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def event_stream(
    hub: LiveHub,
    *,
    institution: str | None = None,
    heartbeat_s: float = HEARTBEAT_S,
    capacity: int = EVENTS_PER_SUBSCRIBER,
) -> AsyncIterator[bytes]:
    """The stream's bytes; the first comment says that the subscription stands."""
    with hub.subscribe(capacity=capacity) as subscription:
        yield b": connected\n\n"
        while True:
            try:
                event = await asyncio.wait_for(subscription.next(), heartbeat_s)
            except TimeoutError:
                yield b": still here\n\n"
                continue
            if event is None:
                return
            data = event.json_of(institution)
            if data is not None:
                yield b"id: %d\nevent: readings\ndata: %b\n\n" % (event.number, data)
