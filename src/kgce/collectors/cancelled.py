"""A task that was told to stop stops, also where a library lost the telling."""

import asyncio


def heed_cancellation() -> None:
    """End here if this task was cancelled before.

    Python 3.11's wait_for, inside pymodbus and aiomqtt, loses a cancellation that comes together with an answer.

    Raises:
        asyncio.CancelledError: it was.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
