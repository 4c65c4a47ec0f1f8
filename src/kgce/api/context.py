"""What the server works on: given once by the command line, handed to routes and console."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, cast

from fastapi import Depends, Request

from kgce.api.figures import Figures
from kgce.api.live import LiveHub
from kgce.domain.ports import ReadingStore, Registry, Shelf


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Store, registry and, where a gateway runs beside the server, its live readings and its status."""

    store: ReadingStore
    registry: Registry
    shelf: Shelf | None = None  # where worked-out ledgers lie; None = each figure from the readings
    hub: LiveHub | None = None
    gateway_status: Callable[[], Mapping[str, Any]] | None = None
    clock: Callable[[], float] = time.time  # UTC. [s]
    data_note: str = ""  # shown in the console's header: what these data are


def context_of(request: Request) -> Context:
    """The context of the app that answers."""
    return cast("Context", request.app.state.context)


def figures_of(request: Request) -> Figures:
    """The kept figures of the app that answers."""
    return cast("Figures", request.app.state.figures)


ContextDep = Annotated[Context, Depends(context_of)]
FiguresDep = Annotated[Figures, Depends(figures_of)]
