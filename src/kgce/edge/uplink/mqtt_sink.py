"""MqttParcelSink: parcels over MQTT 5 to the centre, safe once the centre's receipt is here.

    Parcel --split--> message(s) --QoS 1--> broker --> centre --> store
                                  <------- receipt (stored, duplicate, refused) -------

A broker's acknowledgement says only that the broker has the message; a broker without persistence forgets it at the
next power cut. So the buffer keeps a parcel until the centre says what became of it (`confirm = "store"`).
"""

import logging
import threading
import time
import zlib
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import orjson
from paho.mqtt.client import MQTTMessage

from kgce import __version__
from kgce.collectors.uplink import event_message, message, receipt, topics
from kgce.collectors.uplink.connection import TAKEN_OVER, Connection, Will
from kgce.collectors.uplink.message import Message, Number
from kgce.collectors.uplink.receipt import Receipt
from kgce.domain.errors import InputError, StoreUnavailable
from kgce.domain.events import Event
from kgce.domain.ports import AppendResult
from kgce.edge.buffer.parcel import Parcel
from kgce.edge.uplink.config import MqttSink
from kgce.edge.uplink.rival import Rival

log: Final = logging.getLogger(__name__)

Heard = Callable[[float, float], object]  # (UTC seconds at the centre, how long the answer took): a witness of time

_ROW_BYTES: Final = 56  # a row of JSON columns at most, about: 20 digits of value, 13 of time, index, quality, commas
_LATE_RECEIPTS: Final = 1000


@dataclass(slots=True)
class _Waiting:
    """One message on its way."""

    rows: int
    answered: threading.Event = field(default_factory=threading.Event)
    receipt: Receipt | None = None
    taken_by_broker: bool = False
    failure: str = ""


class MqttParcelSink:
    """One gateway's way to the centre; connects at the first use, and again at the first use after a loss."""

    def __init__(
        self,
        table: MqttSink,
        gateway: str,
        *,
        heard: Heard = lambda _utc_s, _took_s: None,
        boot: Callable[[], str] = str,
        past_boots: Callable[[], Collection[str]] = frozenset,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`heard` is told the centre's time with each receipt; `boot` names this start in the birth.

        `past_boots` are the earlier starts of the same buffer: what is still about of them is no rival's.
        """
        self._table = table
        self._gateway = gateway
        self._heard = heard
        self._boot = boot
        self._clock = clock
        self._connection: Connection | None = None
        self._lock = threading.Lock()  # guards what the connection's thread and the uplink's both touch
        self._waiting: dict[bytes, _Waiting] = {}
        self._by_mid: dict[int, _Waiting] = {}
        self._acknowledged_early: dict[int, str] = {}
        self._late: dict[bytes, Receipt] = {}  # receipts that came after we had stopped waiting
        self._rival = Rival(gateway, table.target, table.taken_over_wait_s, past_boots)

    def deliver(self, parcel: Parcel) -> AppendResult:
        """Send, wait for the receipts, add them up.

        Raises:
            StoreUnavailable: no receipt yet; sending again is harmless.
            InputError: the centre can never take it.
        """
        connection = self._connected()
        result = AppendResult()
        for one in self._messages(parcel, connection):
            result += self._answered(one, connection)
        return result

    def tell(self, gateway: str, events: Sequence[Event]) -> None:
        """Send events, wait for the receipt."""
        if not events:
            return
        connection = self._connected()
        payload = event_message.encode(events)
        name = b"event/%d/%d" % (events[0].time_ms, zlib.crc32(payload))
        self._exchange(connection, topics.topic(gateway, topics.EVENT), payload, name, rows=len(events))

    def status(self) -> dict[str, Any]:
        """Kind, target, whether another gateway uses this id."""
        return {"kind": "mqtt", "target": self._table.target, "taken_over": self._rival.is_there}

    def close(self) -> None:
        """Say goodbye; the broker keeps the session."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close(Will(self._topic(topics.STATUS), self._state("stopped")))

    def _messages(self, parcel: Parcel, connection: Connection) -> Iterator[Message]:
        """The parcel in messages that the broker takes."""
        limit = self._table.max_message_kb * 1024
        if connection.largest_bytes:
            limit = min(limit, connection.largest_bytes)
        batch = parcel.batch
        per_message = max(1, limit // _ROW_BYTES)
        parts = max(1, -(-len(batch) // per_message))
        for part in range(parts):
            rows = np.arange(part * per_message, min((part + 1) * per_message, len(batch)))
            number = Number(self._gateway, parcel.boot, parcel.first, parcel.last, part + 1, parts)
            yield Message(number, self._now_ms(), batch if parts == 1 else batch.select(rows))

    def _answered(self, one: Message, connection: Connection) -> AppendResult:
        name, rows = one.name(), len(one.batch)
        with self._lock:
            early = self._late.pop(name, None)
        if early is not None and _adds_up(early, rows):
            return early.result
        answer = self._exchange(connection, self._topic(topics.BATCH), message.encode(one), name, rows=rows)
        if answer is None:
            return AppendResult(stored=rows)
        if answer.reason:
            raise InputError(answer.reason)
        if not _adds_up(answer, rows):
            raise StoreUnavailable(f"the centre's receipt for {name.decode()} does not add up to {rows} rows")
        return answer.result

    def _exchange(
        self, connection: Connection, topic: str, payload: bytes, name: bytes, *, rows: int
    ) -> Receipt | None:
        """Send one message and wait for what `confirm` asks for; None when the broker's word is enough."""
        waiting = _Waiting(rows)
        began = time.monotonic()
        with self._lock:
            self._waiting[name] = waiting
            self._acknowledged_early.clear()
        # Outside the lock: the client holds one of its own here, and in its callbacks, which take ours.
        mid = connection.publish(topic, payload, answer_to=self._topic(topics.RECEIPT), correlation=name)
        with self._lock:
            self._by_mid[mid] = waiting
            early = self._acknowledged_early.pop(mid, None)
        if early is not None:
            self._taken(waiting, early)
        try:
            waiting.answered.wait(self._table.receipt_timeout_s)
        finally:
            with self._lock:
                self._waiting.pop(name, None)
                self._by_mid.pop(mid, None)
        if waiting.failure:
            raise StoreUnavailable(waiting.failure)
        if waiting.receipt is not None:
            self._heard(waiting.receipt.at_ms / 1000, time.monotonic() - began)
        elif self._table.confirm == "store" or not waiting.taken_by_broker:
            raise StoreUnavailable(self._silence(waiting))
        return waiting.receipt

    def _silence(self, waiting: _Waiting) -> str:
        where, timeout_s = self._table.target, self._table.receipt_timeout_s
        if not waiting.taken_by_broker:
            return f"{where} did not acknowledge within {timeout_s:g} s"
        return f"{where} has the readings, but no receipt came from the centre within {timeout_s:g} s: does ingest run?"

    def _connected(self) -> Connection:
        if self._connection is not None and self._connection.is_open:
            return self._connection
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if (left_s := self._rival.left_s()) > 0:
            raise StoreUnavailable(f"{self._rival.text}; next try in {left_s:.0f} s")
        connection = Connection(
            self._table,
            f"kgce-{self._gateway}",
            session_expiry_s=self._table.session_expiry_s,
            will=Will(self._topic(topics.STATUS), self._state("lost")),
            on_message=self._message,
            on_acknowledged=self._acknowledged,
            on_lost=self._lost,
        )
        connection.open()
        self._connection = connection
        connection.subscribe(self._topic(topics.STATUS))  # what stands there now, before our birth replaces it
        connection.publish(self._topic(topics.STATUS), self._state("online"), retain=True)
        connection.subscribe(self._topic(topics.RECEIPT))
        self._rival.born(self._boot())
        return connection

    def _message(self, found: MQTTMessage) -> None:
        """In the connection's thread."""
        if found.topic == self._topic(topics.STATUS):
            self._rival.saw_status(found.payload)
        else:
            self._receipt(found)

    def _receipt(self, found: MQTTMessage) -> None:
        name = getattr(found.properties, "CorrelationData", None)
        if name is None or found.retain:
            return
        try:
            answer = receipt.decode(bytes(found.payload))
        except InputError as error:
            log.warning("what came on %s is no receipt: %s", found.topic, error)
            return
        with self._lock:
            waiting = self._waiting.get(name)
            if waiting is None:
                self._late[name] = answer
                while len(self._late) > _LATE_RECEIPTS:
                    del self._late[next(iter(self._late))]
                return
        waiting.receipt = answer
        waiting.answered.set()

    def _acknowledged(self, mid: int, why_not: str) -> None:
        with self._lock:
            waiting = self._by_mid.get(mid)
            if waiting is None:  # the sender does not know the number yet, or waits no more
                self._acknowledged_early[mid] = why_not
                return
        self._taken(waiting, why_not)

    def _taken(self, waiting: _Waiting, why_not: str) -> None:
        waiting.taken_by_broker = not why_not
        if why_not:
            hint = "check the broker's access list, and that ingest runs at the centre"
            waiting.failure = f"{self._table.target} does not keep readings ({why_not}): {hint}"
        if why_not or self._table.confirm == "broker":
            waiting.answered.set()

    def _lost(self, reason: str) -> None:
        connection = self._connection
        text = f"{self._table.target} went away: {reason}"
        if connection is not None and connection.lost_code == TAKEN_OVER:
            self._rival.noticed()
        if self._rival.is_there:
            self._rival.leave_it_the_line()
            text = self._rival.text
        with self._lock:
            waiting = list(self._waiting.values())
        for one in waiting:
            one.failure = text
            one.answered.set()

    def _state(self, state: str) -> bytes:
        boot, at_ms = self._boot(), self._now_ms()
        return orjson.dumps({"state": state, "boot": boot, "at_ms": at_ms, "version": __version__})

    def _topic(self, what: str) -> str:
        return topics.topic(self._gateway, what)

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)


def _adds_up(answer: Receipt, rows: int) -> bool:
    result = answer.result
    return result.stored + result.duplicate + result.refused == rows
