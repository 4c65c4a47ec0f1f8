"""What to subscribe to, and who a message is for: every configured topic and device behind one broker.

source.py --topic, payload--> Listening --Heard, Mapped--> source.py
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from kgce.collectors.mqtt.bound_device import BoundDevice
from kgce.collectors.mqtt.config import MqttConfig, MqttDeviceConfig
from kgce.collectors.mqtt.convention import Convention, MessageSpec, convention_names, load_convention
from kgce.collectors.mqtt.mapped import Mapped
from kgce.collectors.mqtt.mapping import Mapping
from kgce.collectors.mqtt.read_message import read_message
from kgce.collectors.mqtt.topic_pattern import TopicPattern
from kgce.collectors.mqtt.understood import Understood

Who = tuple[str, str]  # institution, device
_NOTHING: Final = Mapped()


@dataclass(frozen=True, slots=True)
class Wanted:
    """One subscription."""

    filter: str
    qos: int  # 1 where messages state their time; else 0: a broker would deliver what it kept as if it were new
    kept: bool  # retained messages are of use


class Group:
    """Devices of one convention below one prefix, with the units they declared."""

    def __init__(self, rules: Convention, prefix: str, tz: str | None) -> None:
        """Nobody yet."""
        self.rules, self.prefix, self.tz = rules, prefix, tz
        self.devices: dict[str, list[BoundDevice]] = {}
        self.units: dict[str, str] = {}

    def understand(self, topic: str, payload: bytes) -> Understood:
        """What a message says; units of configured devices are remembered."""
        found = read_message(self.rules, topic, payload, prefix=self.prefix, tz=self.tz, units=self.units)
        if found.device in self.devices:
            for name, unit in found.units.items():
                self.units[name] = unit
                if not unit:
                    del self.units[name]
        return found

    def meant(self, found: Understood) -> Iterator[BoundDevice]:
        """Whom it concerns: the device the topic names, those the document names, or all."""
        names = {found.device} if found.device else {said.device for said in found.said if said.device}
        chosen = [self.devices.get(name, []) for name in names] if names else self.devices.values()
        for devices in chosen:
            yield from devices

    def strangers(self, found: Understood) -> set[str]:
        """Devices that spoke and stand in no file."""
        names = {found.device} if found.said or found.online is not None else set()
        return {name for name in names | {said.device for said in found.said} if name and name not in self.devices}


class Listening:
    """Everything behind one broker."""

    def __init__(self, config: MqttConfig) -> None:
        """Prepare mappings and devices."""
        self._topics: dict[str, list[tuple[Mapping, Who]]] = {}
        for topic in config.subscriptions:
            self._topics.setdefault(topic.topic, []).append((Mapping.of(topic), (topic.institution, topic.device)))
        self._groups: dict[tuple[str, str, str | None], Group] = {}
        for device in config.devices:
            key = (device.convention, device.base, device.tz)
            group = self._groups.setdefault(key, Group(device.rules, device.base, device.tz))
            group.devices.setdefault(device.id, []).append(BoundDevice(device))
        self._watched = tuple(
            Group(load_convention(name), load_convention(name).prefix, None)
            for name in config.watch
            if not any(key[0] == name for key in self._groups)
        )
        self._watch = config.watch
        self.wanted = tuple(_strictest([*self._subscribed(), *self._by_convention(config.devices), *self._all_of()]))

    def read(
        self, topic: str, payload: bytes, *, retained: bool, arrived_ms: int
    ) -> tuple[list[tuple[Who, Mapped]], set[str]]:
        """What the message gave each device, and which devices nobody configured spoke in it."""
        results = [
            (who, mapping.read(payload, retained=retained, arrived_ms=arrived_ms))
            for mapping, who in self._topics.get(topic, ())
        ]
        strangers: set[str] = set()
        for group in (*self._groups.values(), *self._watched):
            if not _belongs(group, topic):
                continue
            found = group.understand(topic, payload)
            for device in group.meant(found):
                place = device.config
                mapped = device.read(found, retained=retained, arrived_ms=arrived_ms)
                results.append(((place.institution, place.device), mapped))
            strangers |= group.strangers(found)
        return results, strangers

    def knows(self, topic: str) -> bool:
        """The topic is among those asked for."""
        return topic in self._topics or any(_covers(one.filter, topic) for one in self.wanted)

    def repeats_within_s(self, topic: str) -> float:
        """How long the same text under this topic is the same message again."""
        return max(
            (group.rules.repeats_within_s for group in self._groups.values() if _belongs(group, topic)), default=0
        )

    def who(self, topic_filter: str) -> list[Who]:
        """The devices a subscription serves."""
        bound = [one.config for group in self._groups.values() for named in group.devices.values() for one in named]
        return [who for _, who in self._topics.get(topic_filter, ())] + [
            (config.institution, config.device)
            for config in bound
            if any(wanted.filter == topic_filter for wanted in self._by_convention([config]))
        ]

    def _subscribed(self) -> Iterator[Wanted]:
        for topic, entries in self._topics.items():
            timed = all(mapping.time is not None for mapping, _ in entries)
            yield Wanted(topic, int(timed), any(mapping.time is not None for mapping, _ in entries))

    def _by_convention(self, devices: Iterable[MqttDeviceConfig]) -> Iterator[Wanted]:
        for device in devices:
            for kind in device.rules.message:
                for pattern in kind.patterns(device.base):
                    yield _wanted(kind, pattern.bound({"id": device.id}).filter, keeps_time=device.keeps_time)

    def _all_of(self) -> Iterator[Wanted]:
        """Wildcards for watched conventions: nothing of theirs is kept, so nothing is worth repeating."""
        for name in self._watch:
            rules = load_convention(name)
            for kind in rules.message:
                for pattern in kind.patterns(rules.prefix):
                    if "id" in pattern.variables:
                        yield Wanted(pattern.filter, 0, kept=False)


def _wanted(kind: MessageSpec, topic_filter: str, *, keeps_time: bool) -> Wanted:
    timed = kind.time is not None and (kind.time.required or keeps_time)
    return Wanted(topic_filter, int(timed), kind.says in {"online", "unit"} or kind.time is not None)


def _strictest(found: Iterable[Wanted]) -> Iterator[Wanted]:
    """One subscription per filter: QoS 1 only if all agree, kept messages if anyone wants them."""
    table: dict[str, Wanted] = {}
    for one in found:
        old = table.get(one.filter, one)
        table[one.filter] = Wanted(one.filter, min(old.qos, one.qos), old.kept or one.kept)
    return iter(table.values())


@lru_cache(maxsize=4096)
def _covers(topic_filter: str, topic: str) -> bool:
    asked, given = topic_filter.split("/"), topic.split("/")
    return len(asked) == len(given) and all(one in {"+", level} for one, level in zip(asked, given, strict=True))


@lru_cache(maxsize=4096)
def _matches(name: str, prefix: str, topic: str) -> bool:
    kinds = load_convention(name).message
    return any(pattern.match(topic) is not None for kind in kinds for pattern in kind.patterns(prefix))


def _belongs(group: Group, topic: str) -> bool:
    return _matches(group.rules.name, group.prefix, topic)


def left_over_filters(topic: str) -> set[str]:
    """Every subscription an older configuration may have made that delivers this topic: it is given up."""
    found = {topic}
    for name in convention_names():
        for kind in load_convention(name).message:
            for text in (kind.topic, *kind.also):
                words = TopicPattern(text.replace("{prefix}", "{prefix*}")).match(topic)
                bare = TopicPattern(text).bound({"prefix": ""}).match(topic) if words is None else None
                if words is None and bare is None:
                    continue
                known = words or {"prefix": "", **(bare or {})}
                pattern = TopicPattern(text)
                found.add(pattern.bound({key: known[key] for key in ("prefix", "id") if key in known}).filter)
                found.add(pattern.bound({"prefix": known.get("prefix", "")}).filter)
    return found
