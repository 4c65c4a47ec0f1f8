"""Listener: the centre's ear. What gateways send goes into the store; only then the broker and the gateway are told.

    broker --batch--> decode --> store.append --> receipt to the gateway --> acknowledge to the broker
           --event--> decode --> store.append_events --^

Nothing is acknowledged before the store has it: whatever dies on the way, somebody sends it again, and the store knows
what it already has.
"""

import logging
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
from paho.mqtt.client import MQTTMessage

from kgce.collectors.mqtt.broker_config import BrokerConfig
from kgce.collectors.uplink import event_message, message, receipt, topics
from kgce.collectors.uplink.connection import Connection
from kgce.collectors.uplink.receipt import Receipt
from kgce.domain.errors import InputError, NeverWorks, StoreUnavailable
from kgce.domain.ports import AppendResult, ReadingStore

log: Final = logging.getLogger(__name__)

_RETRY_FIRST_S: Final = 0.5
_RETRY_LIMIT_S: Final = 30.0
_LOOK_S: Final = 0.2  # how soon a stop is noticed
_SESSION_S: Final = 7 * 86_400


@dataclass(slots=True)
class Heard:
    """What came in since the start: rows = stored + duplicate + refused."""

    messages: int = 0
    malformed: int = 0
    rows: int = 0
    stored: int = 0
    duplicate: int = 0
    refused: int = 0
    events: int = 0
    gateways: dict[str, str] = field(default_factory=dict)  # id -> state it, or its last will, told
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, result: AppendResult) -> None:
        """Count the store's answer."""
        self.rows += result.stored + result.duplicate + result.refused
        self.stored += result.stored
        self.duplicate += result.duplicate
        self.refused += result.refused


class Listener:
    """One worker of the centre; several on one broker share the batches."""

    def __init__(
        self,
        config: BrokerConfig,
        store: ReadingStore,
        *,
        worker: str = "1",
        clock: Callable[[], float] = time.time,
        receive_maximum: int = 20,
    ) -> None:
        """`receive_maximum` messages wait here at most; the broker keeps the others."""
        self._config = config
        self._store = store
        self._worker = worker
        self._clock = clock
        self._receive_maximum = receive_maximum
        self._inbox: queue.SimpleQueue[tuple[Connection, MQTTMessage]] = queue.SimpleQueue()
        self._connection: Connection | None = None
        self._is_down = False
        self._store_is_down = False
        self.heard = Heard()

    def run(self, stopping: threading.Event) -> None:
        """Listen until told to stop; what is not acknowledged by then comes again after the next start."""
        wait_s = _RETRY_FIRST_S
        while not stopping.is_set():
            try:
                connection = self._connected()
            except StoreUnavailable as error:
                self._tell_broker(str(error))
                stopping.wait(wait_s)
                wait_s = min(2 * wait_s, _RETRY_LIMIT_S)
                continue
            wait_s = _RETRY_FIRST_S
            self._tell_broker("")
            self._work(connection, stopping)
        if self._connection is not None:
            self._connection.close()

    @property
    def is_listening(self) -> bool:
        """Whether the broker has accepted our subscriptions."""
        return self._connection is not None and self._connection.is_open and self._connection.is_subscribed

    def _work(self, connection: Connection, stopping: threading.Event) -> None:
        while connection.is_open and not stopping.is_set():
            try:
                of, found = self._inbox.get(timeout=_LOOK_S)
            except queue.Empty:
                continue
            if of is connection:  # what an earlier connection brought comes again
                self._handle(connection, found, stopping)

    def _handle(self, connection: Connection, found: MQTTMessage, stopping: threading.Event) -> None:
        gateway = topics.gateway_of(found.topic)
        what = found.topic.rsplit("/", 1)[-1]
        if what == topics.STATUS:
            self._tell_status(gateway, bytes(found.payload))
            connection.acknowledge(found)
            return
        take = self._take_events if what == topics.EVENT else self._take_batch
        answer = self._taken(take, gateway, bytes(found.payload), stopping)
        if answer is None:
            return  # told to stop while the store was away: it comes again
        self.heard.messages += 1
        try:
            self._answer(connection, gateway, found, answer)
        except StoreUnavailable:
            return  # the broker went away: both sides send again, the store knows what it has
        connection.acknowledge(found)

    def _taken(
        self, take: Callable[[str, bytes], Receipt], gateway: str, payload: bytes, stopping: threading.Event
    ) -> Receipt | None:
        """The receipt; while the store is away, wait for it."""
        wait_s = _RETRY_FIRST_S
        while not stopping.is_set():
            try:
                answer = take(gateway, payload)
            except StoreUnavailable as error:
                self._tell_store(str(error))
                stopping.wait(wait_s)
                wait_s = min(2 * wait_s, _RETRY_LIMIT_S)
            except NeverWorks as error:
                self.heard.malformed += 1
                self.heard.reasons[str(error)] += 1
                if self.heard.reasons[str(error)] == 1:
                    log.warning("gateway %s sent what cannot be taken: %s", gateway, error)
                return Receipt(AppendResult(), self._now_ms(), str(error) or repr(error))
            else:
                self._tell_store("")
                return answer
        return None

    def _take_batch(self, gateway: str, payload: bytes) -> Receipt:
        found = message.decode(payload)
        if found.number.gateway != gateway:
            raise InputError(f"the topic says {gateway!r}, the message {found.number.gateway!r}")
        result = self._store.append(found.batch)
        self.heard.add(result)
        return Receipt(result, self._now_ms())

    def _take_events(self, gateway: str, payload: bytes) -> Receipt:
        events = event_message.decode(payload)
        self._store.append_events(gateway, events)
        self.heard.events += len(events)
        return Receipt(AppendResult(stored=len(events)), self._now_ms())

    def _answer(self, connection: Connection, gateway: str, found: MQTTMessage, answer: Receipt) -> None:
        name = getattr(found.properties, "CorrelationData", None)
        wanted = getattr(found.properties, "ResponseTopic", "")
        if name is None or wanted != topics.topic(gateway, topics.RECEIPT):
            return  # nobody asked, or asked for it in a place that is not the gateway's own
        connection.publish(wanted, receipt.encode(answer), correlation=name)

    def _connected(self) -> Connection:
        if self._connection is not None and self._connection.is_open:
            return self._connection
        if self._connection is not None:
            self._connection.close()
        connection = Connection(
            self._config,
            f"kgce-ingest-{self._worker}",
            session_expiry_s=_SESSION_S,
            receive_maximum=self._receive_maximum,
            on_message=lambda found: self._inbox.put((connection, found)),
            acknowledge_by_hand=True,
        )
        connection.open()
        self._connection = connection
        for what in (topics.BATCH, topics.EVENT):
            connection.subscribe(topics.everybodys(what, shared_by=topics.SHARED_BY))
        connection.subscribe(topics.everybodys(topics.STATUS))
        return connection

    def _tell_status(self, gateway: str, payload: bytes) -> None:
        try:
            state: Any = orjson.loads(payload)["state"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            return
        if gateway and isinstance(state, str) and self.heard.gateways.get(gateway) != state:
            self.heard.gateways[gateway] = state
            log.info("gateway %s is %s", gateway, state)

    def _tell_broker(self, problem: str) -> None:
        if problem and not self._is_down:
            log.warning("%s; trying again until it is there", problem)
        elif not problem and self._connection is not None:
            (log.warning if self._is_down else log.info)("listening at %s:%d", self._config.host, self._config.port)
        self._is_down = bool(problem)

    def _tell_store(self, problem: str) -> None:
        if problem and not self._store_is_down:
            log.warning("%s; what comes waits at the broker", problem)
        elif not problem and self._store_is_down:
            log.warning("the store takes readings again")
        self._store_is_down = bool(problem)

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)
