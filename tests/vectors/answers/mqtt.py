"""MQTT messages, through whichever shipped convention understands most of them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from kgce.collectors.mqtt.convention import convention_names, load_convention
from kgce.collectors.mqtt.read_message import read_message
from kgce.collectors.mqtt.understood import Said, Understood

# Vectors name the message where a protocol has no topic: "(OCPP-J 1.6 MeterValues)".
_TOPICS: Final = {"OCPP": "ocpp/charger/MeterValues"}
_FIRST: Final = ("homie5", "thingsboard", "shelly_gen2")  # more special than others their topics fit, too


def answered(vector: Mapping[str, Any]) -> dict[str, Any]:
    """What one message says, in the terms its vector asks for."""
    name, found = understood(vector["topic"], vector["payload"].encode())
    times = {one.time_ms for one in found.said if one.time_ms is not None}
    said: dict[str, Any] = {
        "convention": name,
        "readings": [_reading(found, wanted) for wanted in vector["expect"].get("readings", ())],
        "channels": len({one.channel for one in found.said if one.channel}),
        "devices": {device: _count(found, device) for device in {one.device for one in found.said}},
        "timestamps_ms": sorted(times),
        "time_is_local_without_zone": any(one.time_problem == "time without offset" for one in found.said),
        "value": found.text,
        "device_online": found.online,
    }
    if len(times) == 1:
        said["time"] = datetime.fromtimestamp(times.pop() / 1000, UTC).isoformat().replace("+00:00", "Z")
    return said


def understood(topic: str, payload: bytes) -> tuple[str, Understood]:
    """(convention, what it says) of the one that says most."""
    topic = next((known for word, known in _TOPICS.items() if word in topic and topic.startswith("(")), topic)
    names = sorted(convention_names(), key=lambda name: (name not in _FIRST, name))
    read = {name: read_message(load_convention(name), topic, payload) for name in names}
    best = max(names, key=lambda name: _weight(read[name]))
    return best, read[best]


def _weight(found: Understood) -> int:
    return len(found.said) + (found.text is not None) + (found.online is not None)


def _reading(found: Understood, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The value of the quantity (or node and property) and channel asked for, as it was said."""
    name = f"{wanted['node']}/{wanted['property']}" if "node" in wanted else wanted["quantity"]
    fitting = [one for one in found.said if one.name == name and _is_channel(one, wanted)]
    if not fitting:
        return {}
    one = fitting[0]
    said: dict[str, Any] = {"quantity": one.name, "value": None if one.bad else one.value, "unit": one.unit}
    if "channel" in wanted:
        said["channel"] = int(one.channel) if one.channel.isdecimal() else one.channel or None
    return said | {key: wanted[key] for key in ("node", "property") if key in wanted}


def _is_channel(one: Said, wanted: Mapping[str, Any]) -> bool:
    return "channel" not in wanted or one.channel == str(wanted["channel"] or "")


def _count(found: Understood, device: str) -> int:
    return len({one.time_ms for one in found.said if one.device == device})
