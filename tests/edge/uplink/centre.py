"""A real centre for tests: the listener in a thread, over any store."""

import contextlib
import threading
import time
from collections.abc import Iterator

from kgce.collectors.mqtt.broker_config import SecureBrokerConfig
from kgce.collectors.uplink.listener import Listener


def centre(port: int, store, *, worker: str = "1") -> contextlib.AbstractContextManager[Listener]:
    """Listens at a broker on this machine until the block ends."""
    return listening(Listener(SecureBrokerConfig(host="127.0.0.1", port=port), store, worker=worker))


@contextlib.contextmanager
def listening(listener: Listener) -> Iterator[Listener]:
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
