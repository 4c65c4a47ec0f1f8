"""Run until Ctrl-C, SIGTERM or a time limit; then let everything end in order."""

import asyncio
import signal


async def until_stopped(limit_s: float | None = None) -> None:
    """Return on SIGINT, SIGTERM, or after `limit_s`."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    try:
        async with asyncio.timeout(limit_s):
            await stop.wait()
    except TimeoutError:
        pass
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
