"""Host: all sessions of one broker, and the readings of the configured devices; pure, the clocks are handed in.

source.py --topic, bytes--> Host --Heard: rows, nodes to ask for their births--> source.py
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from kgce.collectors.sparkplug.config import SparkplugConfig, SparkplugDeviceConfig
from kgce.collectors.sparkplug.payload import PayloadError, parse
from kgce.collectors.sparkplug.reading import Readings, Refused, Row
from kgce.collectors.sparkplug.session import Message, Session, Told
from kgce.collectors.sparkplug.state import read_topic
from kgce.domain.ports import DeviceStatus

Node = tuple[str, str]  # group, node


@dataclass(slots=True)
class Heard:
    """What messages, or the passing of time, led to."""

    rows: list[Row] = field(default_factory=list)
    rebirths: list[Node] = field(default_factory=list)  # nodes to ask for their births now


@dataclass(slots=True)
class _Device:
    config: SparkplugDeviceConfig
    readings: Readings
    online: bool = False
    since_ms: int = 0
    messages: int = 0
    refused: int = 0
    last_error: str = ""


class Host:
    """The host application without its connection."""

    def __init__(self, config: SparkplugConfig) -> None:
        """A session per node; nothing was heard yet."""
        self.refused: Counter[str] = Counter()
        self._devices = {
            device.address: _Device(device, Readings(device, birth_max_age_s=config.birth_max_age_s))
            for device in config.devices
        }
        self._sessions: dict[Node, Session] = {
            address[:2]: Session(reorder_s=config.reorder_s, rebirth_every_s=config.rebirth_every_s)
            for address in self._devices
        }

    @property
    def nodes(self) -> Sequence[Node]:
        """Every node that is listened to."""
        return tuple(self._sessions)

    @property
    def gaps(self) -> int:
        """Sequence gaps that were never filled: at QoS 0 nobody sends those messages again."""
        return sum(session.gaps for session in self._sessions.values())

    @property
    def deadline(self) -> float | None:
        """When `tick` has something to do next."""
        deadlines = [session.deadline for session in self._sessions.values()]
        return min((deadline for deadline in deadlines if deadline is not None), default=None)

    def connected(self, now_s: float, now_ms: int) -> None:
        """A connection begins: no birth from before it counts."""
        for session in self._sessions.values():
            session.forget(now_s)
        self._note_changes(now_ms)

    def lost(self, now_ms: int) -> None:
        """The connection ended: no device is known to be there."""
        for device in self._devices.values():
            device.since_ms = now_ms if device.online else device.since_ms
            device.online = False

    def hear(self, topic: str, data: bytes, *, retained: bool, now_s: float, now_ms: int) -> Heard:
        """Take one message; nothing is raised whatever it is."""
        heard = Heard()
        read = read_topic(topic)
        session = None if read is None else self._sessions.get((read[0], read[2]))
        if read is None or session is None:
            self.refused["topic not configured"] += 1
            return heard
        group, verb, node, device = read
        known = self._devices.get((group, node, device))
        before = self.refused.total()
        if known is not None:
            known.messages += 1
        if retained:  # births and data are never retained: this one may be a day old (devices.md hazard 38)
            self.refused["retained"] += 1
        else:
            try:
                message = Message(verb, device, parse(data), hashlib.blake2b(data, digest_size=16).digest())
            except PayloadError as error:
                self.refused["not Sparkplug"] += 1  # the detail differs without end, the reasons are few
                if known is not None:
                    known.last_error = f"not Sparkplug: {error}"
            else:
                self._tell(session.hear(message, now_s), (group, node), heard, now_ms)
        if known is not None and self.refused.total() > before:
            known.refused += 1
        self._note_changes(now_ms, (group, node))
        return heard

    def tick(self, now_s: float, now_ms: int) -> Heard:
        """Time has passed."""
        heard = Heard()
        for node, session in self._sessions.items():
            self._tell(session.tick(now_s), node, heard, now_ms)
        self._note_changes(now_ms)
        return heard

    def status(self, broker_error: str) -> list[DeviceStatus]:
        """State of every device; failures are messages of which something was refused."""
        return [
            DeviceStatus(
                device=one.config.device,
                institution=one.config.institution,
                online=one.online and not broker_error,
                since_ms=one.since_ms,
                polls=one.messages,
                failures=one.refused,
                last_error=broker_error or one.last_error,
            )
            for one in self._devices.values()
        ]

    def _tell(self, told: Told, node: Node, heard: Heard, now_ms: int) -> None:
        self.refused.update(told.refused)
        if told.rebirth:
            heard.rebirths.append(node)
        for sample in told.samples:
            device = self._devices.get((*node, sample.device))
            if device is None:
                continue
            try:
                row = device.readings.of(sample, arrived_ms=now_ms)
            except Refused as refusal:
                self.refused[str(refusal)] += 1
                device.last_error = str(refusal)
            else:
                heard.rows += [] if row is None else [row]

    def _note_changes(self, now_ms: int, only: Node | None = None) -> None:
        """Since when each device has been there, or not."""
        for (group, node, device), one in self._devices.items():
            if only in {None, (group, node)}:
                online = self._sessions[group, node].device_online(device)
                if online != one.online:
                    one.online, one.since_ms = online, now_ms
