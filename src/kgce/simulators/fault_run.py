"""A planned fault in time: it begins, ends and comes again, as its plan says."""

import asyncio
from collections.abc import Callable

from kgce.simulators.fault_plan import AnyFault, PlannedFault

Apply = Callable[[AnyFault | None], None]


async def run_fault(plan: PlannedFault, apply: Apply) -> None:
    """Give a fresh fault at every turn, take it back after `for_s`; for ever when it repeats."""
    loop = asyncio.get_running_loop()
    due = loop.time() + plan.start_s
    while True:
        await asyncio.sleep(max(due - loop.time(), 0))
        apply(plan.make())
        if plan.for_s is not None:
            await asyncio.sleep(plan.for_s)
            apply(None)
        if plan.every_s is None:
            return
        due += plan.every_s
