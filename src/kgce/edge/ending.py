"""Ending: jobs get a moment to finish; one that does not is named and left behind."""

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from typing import Final

log: Final = logging.getLogger(__name__)

STOP_STEP_S: Final = 1.5  # sources, emits and uplink each get this long, so that a stop takes less than 5 s


async def ended(jobs: Sequence[asyncio.Future[None]], what: str) -> None:
    """Wait until they are done, for STOP_STEP_S at most."""
    if not jobs:
        return
    _, late = await asyncio.wait(jobs, timeout=STOP_STEP_S)
    if late:
        names = ", ".join(sorted(job.get_name() for job in late if isinstance(job, asyncio.Task)))
        log.warning("%d %s still busy after %s s, left behind: %s", len(late), what, STOP_STEP_S, names)


def finished(close: Callable[[], object], what: str) -> None:
    """Call it, and wait until it returns, for STOP_STEP_S at most: a store may hold its lock in a request."""
    closing = threading.Thread(target=close, name=f"closing {what}", daemon=True)
    closing.start()
    closing.join(STOP_STEP_S)
    if closing.is_alive():
        log.warning("the %s is still busy after %s s, left behind", what, STOP_STEP_S)
