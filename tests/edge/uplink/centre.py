"""A real centre for tests: the worker in a thread, over any store."""

import contextlib
import threading
import time
from collections.abc import Iterator

from kgce.collectors.ingest.worker import Worker
from kgce.collectors.mqtt.broker_config import SecureBrokerConfig


def centre(port: int, store, *, worker: str = "1") -> contextlib.AbstractContextManager[Worker]:
    """Listens at a broker on this machine until the block ends."""
    return listening(Worker(SecureBrokerConfig(host="127.0.0.1", port=port), store, worker=worker))


@contextlib.contextmanager
def listening(listener: Worker) -> Iterator[Worker]:
    """Listens until the block ends."""
    stopping = threading.Event()
    thread = threading.Thread(target=listener.run, args=(stopping,), name="centre")
    thread.start()
    try:
        deadline = time.monotonic() + 20
        while not listener.is_listening and time.monotonic() < deadline:
            time.sleep(0.01)
        yield listener
    finally:
        stopping.set()
        thread.join(20)
        assert not thread.is_alive()
