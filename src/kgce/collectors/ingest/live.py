"""LiveListener: hears the newest values that workers tell, for a server that shows them without asking the store."""

import logging
import threading
import uuid
from collections.abc import Callable
from typing import Final

from kgce.collectors.ingest.newest import TOPIC
from kgce.collectors.ingest.subscriber import Subscriber
from kgce.collectors.mqtt.broker_config import BrokerConfig
from kgce.collectors.uplink import message
from kgce.domain.batch import Batch
from kgce.domain.errors import InputError, StoreUnavailable

log: Final = logging.getLogger(__name__)

_RETRY_S: Final = 2.0
_LOOK_S: Final = 0.2


class LiveListener:
    """One listener; what it misses while away the next reading of the same series makes up for."""

    def __init__(self, config: BrokerConfig, publish: Callable[[Batch], object]) -> None:
        """`publish` hears every batch, in this listener's thread."""
        name = f"kgce-live-{uuid.uuid4().hex[:12]}"
        self._subscriber = Subscriber(config, name, session_expiry_s=0, receive_maximum=100)
        self._publish = publish
        self._is_down = False
        self.is_listening = False

    def run(self, stopping: threading.Event) -> None:
        """Listen until told to stop.

        Raises:
            ConfigError: the broker refuses who we are.
        """
        while not stopping.is_set():
            try:
                self._subscriber.open([TOPIC])
                self.is_listening, self._is_down = True, False
                while not stopping.is_set():
                    for arrived in self._subscriber.receive(_LOOK_S):
                        self._hear(arrived.payload)
                        self._subscriber.acknowledge([arrived.packet_id])
            except StoreUnavailable as error:
                self.is_listening = False
                if not self._is_down:
                    log.warning("%s; live values stand still until it is back", error)
                self._is_down = True
                stopping.wait(_RETRY_S)
        self._subscriber.end()

    def _hear(self, payload: bytes) -> None:
        try:
            self._publish(message.decode(payload).batch)
        except InputError as error:
            log.warning("somebody tells on %s what no worker tells: %s", TOPIC, error)
