"""Run until Ctrl-C, SIGTERM or a time limit; then let everything end in order."""

import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import Coroutine
from typing import Any


class _Loop(asyncio.SelectorEventLoop):
    """Ends without waiting for threads: one may sit in a request to a store that does not answer."""

    async def shutdown_default_executor(self) -> None:
        """Who must be waited for has been waited for, see edge/ending.py."""


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run to the end; what an MQTT client never asked its lost connection about is not a fault of ours."""

    async def guarded() -> None:
        asyncio.get_running_loop().set_exception_handler(_without_lost_connections)
        await main

    with asyncio.Runner(loop_factory=_Loop) as runner:
        runner.run(guarded())


def leave_hanging_threads() -> None:
    """End the process now if a thread would hold it up; everything is on the disk, and said."""
    if any(one is not threading.main_thread() and not one.daemon for one in threading.enumerate()):
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


def _without_lost_connections(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    from aiomqtt import MqttError

    if not isinstance(context.get("exception"), MqttError):  # the source has met it too, and tells in its status
        loop.default_exception_handler(context)


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
