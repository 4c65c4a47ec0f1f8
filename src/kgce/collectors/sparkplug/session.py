"""Session: what the messages of one edge node mean, in their order; pure, the clocks are handed in.

source.py --verb, payload--> Session --Told: samples, refusals, rebirth?--> source.py

unborn --NBIRTH--> born --seq 1, 2, ... --> born;  gap, reorder time over--> unborn;  NDEATH of this bdSeq--> dead
A message that only another birth could explain gives nothing and asks for a rebirth, at most every so often.
"""

from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from kgce.collectors.sparkplug.births import Births, Declared, Unresolved
from kgce.collectors.sparkplug.datatype import DatatypeError, typed_value
from kgce.collectors.sparkplug.payload import Metric, Payload

SEQS: Final = 256
REMEMBERED: Final = 64  # messages a repetition is recognised among
NODE: Final = ""  # the device name of the node's own metrics


class Verb(StrEnum):
    """Message types a node sends; commands and STATE are not part of its session."""

    NBIRTH = "NBIRTH"
    DBIRTH = "DBIRTH"
    NDATA = "NDATA"
    DDATA = "DDATA"
    NDEATH = "NDEATH"
    DDEATH = "DDEATH"


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a node; device is NODE for its own."""

    verb: Verb
    device: str
    payload: Payload = field(compare=False)
    mark: bytes  # digest of the bytes it came as: NaN differs from itself, the bytes do not


@dataclass(frozen=True, slots=True)
class Sample:
    """One metric with all its birth says about it; its value is checked against the datatype by the reader."""

    device: str
    declared: Declared
    metric: Metric
    sent_ms: int | None  # time of the whole message
    from_birth: bool


@dataclass(slots=True)
class Told:
    """What a message, or the passing of time, led to."""

    samples: list[Sample] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    rebirth: bool = False  # ask the node for its births now


class Session:
    """One edge node as its host application knows it."""

    def __init__(self, *, reorder_s: float, rebirth_every_s: float) -> None:
        """Nothing was heard yet."""
        self._reorder_s, self._rebirth_every_s = reorder_s, rebirth_every_s
        self.gaps = 0  # sequence gaps that were never filled
        self.online = False
        self._bd_seq: int | None = None
        self._born_ms: int | None = None  # time the present birth states
        self._next_seq = 0
        self._births: dict[str, Births] = {}
        self._waiting: dict[int, tuple[float, Message]] = {}  # by seq: arrival, message
        self._died = False
        self._recent: deque[Message] = deque(maxlen=REMEMBERED)
        self._asked_at: float | None = None
        self._ask_at: float | None = None  # a rebirth is wanted from then on

    @property
    def deadline(self) -> float | None:
        """When `tick` has something to do next."""
        times = [arrived + self._reorder_s for arrived, _ in self._waiting.values()]
        if self._ask_at is not None:
            times.append(self._ask_at)
        return min(times, default=None)

    def device_online(self, device: str) -> bool:
        """Whether the device (NODE: the node) is born and not dead."""
        return self.online and device in self._births

    def forget(self, now_s: float) -> None:
        """The connection is new: what was sent meanwhile is unknown, so births are wanted unless they come anyway."""
        self._drop()
        self._recent.clear()
        self._asked_at, self._died = None, False
        self._ask_at = now_s + self._reorder_s

    def hear(self, message: Message, now_s: float) -> Told:
        """Take one message."""
        told = Told()
        if message in self._recent and not self._is_its_turn(message):
            told.refused.append("repeated message")
            return told
        self._recent.append(message)
        if message.verb is Verb.NDEATH:
            self._node_died(message, told)
        elif message.payload.seq is None or message.payload.timestamp is None:
            told.refused.append("no seq" if message.payload.seq is None else "no time of sending")
        elif message.verb is Verb.NBIRTH:
            self._node_born(message, told, now_s)
        elif not self.online:
            told.refused.append("before the node's birth")
            self._want_births(now_s)
        else:
            self._in_order(message, message.payload.seq, told, now_s)
        self._expire(told, now_s)
        return told

    def tick(self, now_s: float) -> Told:
        """Time has passed."""
        told = Told()
        self._expire(told, now_s)
        return told

    def _is_its_turn(self, message: Message) -> bool:
        """A node whose clock stands still says the same again in its next session; that is no repetition."""
        if message.verb is Verb.NBIRTH:
            return not self.online and not self._died
        return self.online and message.payload.seq == self._next_seq

    def _drop(self) -> int:
        """Nothing of this session counts any more; how many messages waited in vain."""
        lost = len(self._waiting)
        self.online, self._bd_seq, self._born_ms = False, None, None
        self._births.clear()
        self._waiting.clear()
        return lost

    def _want_births(self, now_s: float) -> None:
        if self._ask_at is None:
            again = now_s if self._asked_at is None else self._asked_at + self._rebirth_every_s
            self._ask_at = max(now_s, again)

    def _expire(self, told: Told, now_s: float) -> None:
        if self._waiting and now_s - min(arrived for arrived, _ in self._waiting.values()) >= self._reorder_s:
            self.gaps += 1
            told.refused += ["after a sequence gap"] * self._drop()
            self._want_births(now_s)
        if self._ask_at is not None and now_s >= self._ask_at:
            told.rebirth = True
            self._asked_at, self._ask_at = now_s, None

    def _node_born(self, message: Message, told: Told, now_s: float) -> None:
        payload = message.payload
        bd_seq = bd_seq_of(payload)
        if self._is_older(payload, bd_seq):
            told.refused += ["birth older than the present one", *["after a sequence gap"] * self._drop()]
            self._want_births(now_s)  # whichever of the two is true, the node's answer will tell
            return
        told.refused += ["after a sequence gap"] * self._drop()
        self.online, self._bd_seq, self._born_ms = True, bd_seq, payload.timestamp
        self._ask_at, self._died = None, False
        self._next_seq = _after(payload.seq or 0)
        self._born(message, told)

    def _is_older(self, payload: Payload, bd_seq: int | None) -> bool:
        """Sent before the present birth and not by its successor: it overtook, or the node's clock was set back."""
        if not self.online or self._born_ms is None or payload.timestamp is None:
            return False
        successor = None if self._bd_seq is None else _after(self._bd_seq)
        return payload.timestamp < self._born_ms and (bd_seq is None or bd_seq != successor)

    def _node_died(self, message: Message, told: Told) -> None:
        bd_seq = bd_seq_of(message.payload)
        if bd_seq is None or (self._bd_seq is not None and bd_seq != self._bd_seq):
            told.refused.append("death of another session")
            return
        told.refused += ["after a sequence gap"] * self._drop()
        self._ask_at, self._died = None, True

    def _in_order(self, message: Message, seq: int, told: Told, now_s: float) -> None:
        if self._born_ms is not None and (message.payload.timestamp or 0) < self._born_ms:
            told.refused.append("sent before the present birth")  # delayed from an older session, or a clock set back
            self._want_births(now_s)
            return
        if seq != self._next_seq:
            if seq in self._waiting:
                told.refused.append("two messages of one seq")
            self._waiting.setdefault(seq, (now_s, message))
            return
        self._take(message, told, now_s)
        while self.online and self._next_seq in self._waiting:
            self._take(self._waiting.pop(self._next_seq)[1], told, now_s)

    def _take(self, message: Message, told: Told, now_s: float) -> None:
        """The message whose turn it is."""
        self._next_seq = _after(self._next_seq)
        if message.verb is Verb.DDEATH:
            self._births.pop(message.device, None)
        elif message.verb is Verb.DBIRTH:
            self._born(message, told)
        else:
            self._data(message, told, now_s)

    def _born(self, message: Message, told: Told) -> None:
        births = self._births[message.device] = Births.of(message.payload)
        for metric in message.payload.metrics:
            declared = None if metric.name is None else births.by_name.get(metric.name)
            if declared is None:
                told.refused.append("birth without a clear name and datatype")
            elif declared.name != "bdSeq":
                told.samples.append(Sample(message.device, declared, metric, message.payload.timestamp, True))

    def _data(self, message: Message, told: Told, now_s: float) -> None:
        births = self._births.get(message.device)
        if births is None:
            told.refused.append("before the device's birth")
            self._want_births(now_s)
            return
        for metric in message.payload.metrics:
            try:
                declared = births.resolve(metric)
            except Unresolved as reason:
                told.refused.append(str(reason))
                self._want_births(now_s)
            else:
                told.samples.append(Sample(message.device, declared, metric, message.payload.timestamp, False))


def bd_seq_of(payload: Payload) -> int | None:
    """The number that ties a death to its birth."""
    for metric in payload.metrics:
        if metric.name == "bdSeq" and metric.datatype is not None and not metric.is_null:
            try:
                value = typed_value(metric, metric.datatype)
            except DatatypeError:
                return None
            return value if isinstance(value, int) else None
    return None


def _after(seq: int) -> int:
    return (seq + 1) % SEQS
