"""One message of a convention in, what it said out: pure, no connection, no clock, nothing raised whatever comes.

source.py, kgce decode --topic, payload--> read_message --Understood--> devices.py
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from kgce.collectors.mqtt.convention import Convention, FieldSpec, MessageSpec
from kgce.collectors.mqtt.document import document_of
from kgce.collectors.mqtt.json_number import Refused, find, number
from kgce.collectors.mqtt.json_path import Absent, follow, parse_path
from kgce.collectors.mqtt.message_time import stated_ms
from kgce.collectors.mqtt.parts import Part, parts
from kgce.collectors.mqtt.understood import Said, Understood

_WORD: Final = re.compile(r"\{(\w+)\}")
_NO_UNITS: Final[Mapping[str, str]] = {}


def read_message(
    convention: Convention,
    topic: str,
    payload: bytes,
    *,
    prefix: str | None = None,
    tz: str | None = None,
    units: Mapping[str, str] = _NO_UNITS,
) -> Understood:
    """What one message says; `units` are those learnt from earlier messages."""
    base = convention.prefix if prefix is None else prefix
    chosen, words = _kinds_of(convention, topic, base)
    if not chosen:
        return Understood(refused=("topic not in the convention",))
    device = words.get("id", "")
    try:
        match chosen[0].says:
            case "online":
                return Understood(device=device, online=_online(chosen[0], payload))
            case "text":
                return Understood(device=device, text=_text(payload))
            case "unit":
                return Understood(device=device, units=_units(chosen[0], payload, words))
        document = document_of(payload)
    except Refused as refusal:
        return Understood(device=device, refused=(str(refusal),))
    said = tuple(
        value for kind in chosen for value in _Reader(convention, kind, tz=tz, units=units).read(document, words)
    )
    has_time = any(kind.time is not None for kind in chosen)
    return Understood(said, device, has_time=has_time, refused=() if said else ("nothing known in it",))


def _kinds_of(convention: Convention, topic: str, prefix: str) -> tuple[list[MessageSpec], dict[str, str]]:
    """The messages of the first topic that fits, and the words in it."""
    for kind in convention.message:
        for pattern in kind.patterns(prefix):
            words = pattern.match(topic)
            if words is not None:
                return [other for other in convention.message if other.topic == kind.topic], words
    return [], {}


class _Reader:
    """Reads the parts of one kind of message."""

    def __init__(self, convention: Convention, kind: MessageSpec, *, tz: str | None, units: Mapping[str, str]) -> None:
        self._convention, self._kind, self._tz, self._units = convention, kind, tz, units

    def read(self, document: Any, words: dict[str, str]) -> Iterator[Said]:
        """Every value, part by part."""
        for part in parts(document, self._kind.each):
            known = words | part.words
            known |= {name: _taken(part, name, self._kind) for name in self._kind.take}
            if any(known.get(name, "") not in allowed for name, allowed in self._kind.only.items()):
                continue
            root = _root(part, self._kind.roots)
            if root is None:
                if not (self._kind.bad and self._kind.open):
                    continue
                root = {}
            inner = Part((root, *part.scopes), known)
            time_ms, problem = self._time(inner)
            for said in self._open(inner) if self._kind.open else self._fields(inner):
                yield replace(said, time_ms=time_ms, time_problem=problem)

    def _time(self, part: Part) -> tuple[int | None, str]:
        rule = self._kind.time
        if rule is None:
            return None, ""
        try:
            return stated_ms(part.nearest(rule.steps), rule.format, self._tz), ""
        except Refused as refusal:
            is_absent = str(refusal) in {"absent", "null"}
            return None, "" if is_absent and not rule.required else f"time {refusal}"

    def _fields(self, part: Part) -> Iterator[Said]:
        for field in self._kind.fields:
            if any(part.words.get(name, "") != word for name, word in field.where.items()):
                continue
            try:
                found = find(part.scopes[0], field.steps)
            except Refused:
                continue  # keys come and go with hardware and with what has changed: absent is no reading
            yield from self._values(part, field, found)

    def _values(self, part: Part, field: FieldSpec, found: Any) -> Iterator[Said]:
        unit = _filled(field.unit, part.words)
        if field.channels and isinstance(found, list):
            for position, item in enumerate(found, start=1):
                if item is not None:
                    yield self._said(part, field.quantity, item, unit=unit, channel=str(position), field=field)
        else:
            yield self._said(
                part, field.quantity, found, unit=unit, channel=self._channel(field, part.words), field=field
            )

    def _said(
        self, part: Part, name: str, found: Any, *, unit: str | None, channel: str = "", field: FieldSpec | None = None
    ) -> Said:
        value, problem = _number(found)
        return Said(
            device=part.words.get("id", ""),
            name=name,
            quantity=field.quantity if field else "",
            value=value * (field.scale if field else 1.0),
            unit=unit,
            channel=channel,
            problem=problem,
            stored=field is None or field.stored,
        )

    def _channel(self, field: FieldSpec, words: dict[str, str]) -> str:
        if field.channel != "{n}":
            return _filled(field.channel, words).lower().replace("-", "_")
        text = words.get("n", "")
        return str(int(text) + 1 - self._convention.channel_base) if _is_small(text) else text

    def _open(self, part: Part) -> Iterator[Said]:
        """Values the device names itself; those with an error code are bad, whatever number stands beside it."""
        root, device = part.scopes[0], part.words.get("id", "")
        scalar = _filled(self._kind.name, part.words)
        bad = _bad_names(part, self._kind.bad, scalar)
        values = root if isinstance(root, dict) else {scalar: root}
        for name, found in values.items():
            if name and name not in bad and found is not None:
                yield self._said(part, name, found, unit=self._units.get(f"{device}/{name}"))
        for name in bad:
            yield Said(device, name, "", math.nan, None, bad=True)


def _is_small(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 4  # noqa: PLR2004 - no device has 1000 channels


def _filled(template: str, words: Mapping[str, str]) -> str:
    return _WORD.sub(lambda at: words.get(at[1], ""), template)


def _number(found: Any) -> tuple[float, str]:
    try:
        return number(found, ()), ""
    except Refused as refusal:
        return math.nan, str(refusal)


def _root(part: Part, roots: tuple[str, ...]) -> Any:
    for root in roots:
        try:
            return follow(part.scopes[0], parse_path(root))
        except Absent:
            continue
    return None


def _taken(part: Part, name: str, kind: MessageSpec) -> str:
    rule = kind.take[name]
    try:
        found = part.nearest(rule.steps)
    except Refused:
        return rule.default
    return str(found).lower() if isinstance(found, bool) else str(found)


def _bad_names(part: Part, path: str, scalar: str) -> list[str]:
    """Names with an error code: keys of an object beside the values, or the one value there is."""
    if not path:
        return []
    try:
        found = follow(part.scopes[1], parse_path(path))
    except Absent:
        return []
    codes = found if isinstance(found, dict) else {scalar: found}
    return [name for name, code in codes.items() if name and code not in (None, 0, "")]


def _text(payload: bytes) -> str:
    """A text, with or without the quotes of JSON."""
    try:
        found = document_of(payload)
    except Refused as refusal:
        if str(refusal) != "not JSON":
            raise
        return payload.decode("utf-8", "replace").strip()
    if isinstance(found, dict):
        found = found.get("state")
    return str(found).lower() if isinstance(found, bool) else str(found)


def _online(kind: MessageSpec, payload: bytes) -> bool:
    state = kind.online.get(_text(payload).strip().casefold())
    if state is None:
        raise Refused("state not understood")
    return state


def _units(kind: MessageSpec, payload: bytes, words: dict[str, str]) -> dict[str, str]:
    """Units by device and name; an empty message takes them back."""
    device = words.get("id", "")
    if not kind.each:
        text = _text(payload) if payload.strip() else ""
        return {f"{device}/{_filled(kind.name, words)}": text}
    learnt = {}
    for part in parts(document_of(payload), kind.each):
        unit = _root(part, kind.roots)
        learnt[f"{device}/{_filled(kind.name, words | part.words)}"] = unit if isinstance(unit, str) else ""
    return learnt
