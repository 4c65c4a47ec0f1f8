"""View: what every panel of one page needs; the page's own, made anew for each visitor."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from nicegui import ui

from kgce.api.console.words import Words
from kgce.api.context import Context
from kgce.api.figures import Figures
from kgce.api.power import PowerWatch

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class View:
    """Words in the visitor's language and the figures behind the page."""

    words: Words
    context: Context
    figures: Figures
    power: PowerWatch

    def every(self, interval_s: float, refresh: Callable[[], Awaitable[None] | None]) -> None:
        """Call now and every so often while the page is open."""
        ui.timer(interval_s, refresh)


async def aside(work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Blocking work in a thread, so that live values never stall."""
    return await asyncio.to_thread(work, *args, **kwargs)
