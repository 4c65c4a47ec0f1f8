"""Line: the connection to the broker: desired versions come in, the report of what runs goes out, retained.

kgce/v1/{gateway}/config/desired   --> on_desired       (retained: comes again after every reconnect)
kgce/v1/{gateway}/config/reported  <-- report
"""

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from paho.mqtt.client import MQTTMessage

from kgce.collectors.mqtt.broker_config import BrokerConfig
from kgce.collectors.uplink import topics
from kgce.collectors.uplink.connection import Connection
from kgce.domain.errors import StoreUnavailable
from kgce.edge.uplink.backoff import Backoff

log: Final = logging.getLogger(__name__)

DESIRED: Final = "config/desired"
REPORTED: Final = "config/reported"
_LOOK_S: Final = 0.2  # how soon a stop or a lost connection is noticed
_SESSION_S: Final = 60  # nothing waits at the broker for us but what it retains
_STEADY_S: Final = 60.0  # a connection that lasted so long was a good one


class Line:
    """Keeps connected in a thread of its own; the report last given stands at the broker after each reconnect."""

    def __init__(
        self, config: BrokerConfig, gateway: str, on_desired: Callable[[bytes], None], *, backoff: Backoff | None = None
    ) -> None:
        """`on_desired` is called in the connection's thread."""
        self._config = config
        self._gateway = gateway
        self._on_desired = on_desired
        self._backoff = backoff or Backoff()
        self._lock = threading.Lock()
        self._connection: Connection | None = None
        self._report: bytes | None = None
        self.last_error = ""

    @property
    def is_open(self) -> bool:
        """Whether the broker has us."""
        connection = self._connection
        return connection is not None and connection.is_open

    def report(self, document: bytes) -> None:
        """Publish, now or with the next connection; safe from any thread."""
        with self._lock:
            self._report = document
            self._publish()

    def run(self, stopping: threading.Event) -> None:
        """Keep connected until told to stop."""
        while not stopping.is_set():
            try:
                connection = self._opened()
            except StoreUnavailable as error:
                self._tell(str(error))
            else:
                self._tell("")
                self._stay(connection, stopping)
            stopping.wait(self._backoff.next_s())

    def _stay(self, connection: Connection, stopping: threading.Event) -> None:
        """Until the connection is lost, or we are told to stop."""
        began_s = time.monotonic()
        while connection.is_open and not stopping.wait(_LOOK_S):
            pass
        with self._lock:
            self._connection = None
        connection.close()
        if not stopping.is_set():
            self._tell(f"{self._config.host}:{self._config.port} went away")
        if time.monotonic() - began_s >= _STEADY_S:
            self._backoff.reset()

    def _opened(self) -> Connection:
        connection = Connection(
            self._config,
            f"kgce-{self._gateway}-config",  # the uplink of the same gateway is another client
            session_expiry_s=_SESSION_S,
            on_message=self._heard,
        )
        connection.open()
        try:
            connection.subscribe(topics.topic(self._gateway, DESIRED))
        except StoreUnavailable:
            connection.close()
            raise
        with self._lock:
            self._connection = connection
            self._publish()
        return connection

    def _heard(self, found: MQTTMessage) -> None:
        if found.payload:  # an empty one clears what the broker retained
            self._on_desired(bytes(found.payload))

    def _publish(self) -> None:
        """With the lock held, so that an older report never follows a newer one."""
        if self._connection is None or self._report is None:
            return
        with contextlib.suppress(StoreUnavailable):  # the next connection brings it
            self._connection.publish(topics.topic(self._gateway, REPORTED), self._report, retain=True)

    def _tell(self, error: str) -> None:
        """Once when the broker goes, once when it is back."""
        if error and not self.last_error:
            log.warning("remote configuration: %s", error)
        elif self.last_error and not error:
            log.info("remote configuration: the broker is back")
        self.last_error = error
