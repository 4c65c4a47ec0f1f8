"""A frame or a message of any protocol in words: what `kgce decode` shows, without any device.

bytes, protocol --> explain --> Explained: fields of the frame, and readings with quantity, value and unit
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from kgce.collectors.cjt188 import explain as cjt188
from kgce.collectors.dlt645 import explain as dlt645
from kgce.collectors.mbus.listing import listing
from kgce.collectors.modbus.exceptions import exception_facts
from kgce.collectors.modbus.frames import Message, Mode, parse_answer, parse_frame, parse_request_frame
from kgce.collectors.mqtt.convention import convention_names, load_convention
from kgce.collectors.mqtt.read_message import read_message
from kgce.collectors.ocpp import messages as ocpp
from kgce.collectors.ocpp.samples import samples_of
from kgce.collectors.sparkplug.terms import message_terms
from kgce.domain.errors import InputError
from kgce.domain.quantities import quantity_of

Row = dict[str, Any]
_MODES: Final[dict[str, Mode]] = {
    "modbus-tcp": "tcp", "modbus-rtu": "rtu", "modbus-ascii": "ascii", "modbus-pdu": "pdu",
}  # fmt: skip
_SHAPES: Final = ("mbus", "dlt645", "cjt188", "modbus-tcp", "modbus-rtu")  # the strictest first; each checks itself
_METER_VALUES: Final = frozenset({"MeterValues", "TransactionEvent"})


@dataclass(frozen=True, slots=True)
class Explained:
    """What bytes say; `registers` are a Modbus answer's, from `address` on where its request told it."""

    protocol: str
    fields: Row
    readings: list[Row] = field(default_factory=list)
    registers: tuple[int, ...] | None = None
    address: int | None = None
    table: str | None = None


def protocols() -> list[str]:
    """Everything that can be explained."""
    return [*_MODES, *_SHAPES[:3], "sparkplug", "ocpp", *(f"mqtt:{name}" for name in convention_names())]


def raw_bytes(text: str) -> bytes:
    """Bytes of what a person pasted: hex with spaces, commas, 0x; or text that begins with : [ or {.

    Raises:
        InputError: it is neither.
    """
    plain = text.strip()
    if plain[:1] in {":", "[", "{"}:
        return (plain + "\r\n" if plain.startswith(":") else plain).encode()
    digits = re.sub(r"0x|[\s,:;_-]", "", plain, flags=re.IGNORECASE)
    try:
        return bytes.fromhex(digits)
    except ValueError:
        raise InputError(f"{plain[:40]!r} is neither hex nor a message") from None


def explain(protocol: str, data: bytes, *, request: bytes | None = None, topic: str = "") -> Explained:
    """What the bytes say in this protocol.

    Raises:
        InputError: they are no frame of it; the text says why. Or there is no such protocol.
    """
    if protocol == "auto":
        return _likeliest(data, request, topic)
    if protocol in _MODES:
        return _modbus(protocol, data, request)
    if protocol.startswith("mqtt:"):
        return _mqtt(protocol, data, topic)
    found = _OTHERS.get(protocol)
    if found is None:
        raise InputError(f"unknown protocol {protocol!r}; known: auto, {', '.join(protocols())}")
    return found(data)


def _likeliest(data: bytes, request: bytes | None, topic: str) -> Explained:
    """The first protocol whose own checks the bytes pass."""
    start = data[:1]
    if start == b":":
        return explain("modbus-ascii", data, request=request)
    if start == b"[" and not topic:
        return explain("ocpp", data)
    if start == b"{" or topic:
        return _by_topic(data, topic)
    reasons = []
    for protocol in _SHAPES:
        try:
            return explain(protocol, data, request=request)
        except InputError as error:
            reasons.append(f"{protocol}: {error}")
    raise InputError(f"no protocol's checks pass ({'; '.join(reasons)})")


def _by_topic(data: bytes, topic: str) -> Explained:
    if not topic:
        raise InputError("an MQTT message needs its topic: --topic tele/plug/SENSOR")
    best = max((_mqtt(f"mqtt:{name}", data, topic) for name in convention_names()), key=lambda one: len(one.readings))
    if not best.readings:
        raise InputError(f"no convention reads this at {topic}; a JSON path in the gateway's file can")
    return best


def _modbus(protocol: str, data: bytes, request: bytes | None) -> Explained:
    mode = _MODES[protocol]
    message = parse_answer(mode, data, request) if request is not None else parse_frame(mode, data)
    asked = parse_request_frame(mode, request).pdu if request is not None else None
    said = _fields(message)
    table = {3: "holding", 4: "input"}.get(message.pdu.function)
    return Explained(protocol, said, [], message.pdu.registers, asked.address if asked else None, table)


def _fields(message: Message) -> Row:
    pdu = {name: value for name, value in asdict(message.pdu).items() if value is not None and name != "data"}
    if message.pdu.exception_code is not None:
        facts = exception_facts(message.pdu.exception_code)
        pdu |= {"exception": facts.name, "worth_asking_again": facts.retryable}
    if message.pdu.registers is not None:
        pdu["registers"] = " ".join(f"{register:04x}" for register in message.pdu.registers)
    if message.pdu.bits is not None:
        pdu["bits"] = "".join("1" if bit else "0" for bit in message.pdu.bits)
    return {"valid": True, "unit": message.unit, "transaction": message.tid} | pdu


def _meter(protocol: str, said: Mapping[str, Any]) -> Explained:
    if not said.get("valid"):
        raise InputError("no whole frame with a right checksum in it")
    readings = []
    quantity = said.get("quantity")
    if quantity is not None:
        note = "unverified" if said.get("confidence") == "unverified" or said.get("unverified") else ""
        readings.append(_row(str(quantity), said.get("value"), str(said.get("unit", "")), note))
    return Explained(protocol, dict(said), readings)


def _mbus(data: bytes) -> Explained:
    meter, *values = listing(data)
    rows = []
    for line in values:
        name, _, rest = line.partition(": ")
        rows.append(_row(name, rest, ""))
    return Explained("mbus", {"valid": True, "meter": meter}, rows)


def _sparkplug(data: bytes) -> Explained:
    payload = message_terms("", data)["payload"]
    rows = [
        _row(str(one.get("name", f"alias {one.get('alias')}")), one.get("value"), "", str(one.get("dataType", "")))
        for one in payload["metrics"]
    ]
    return Explained("sparkplug", {name: value for name, value in payload.items() if name != "metrics"}, rows)


def _ocpp(data: bytes) -> Explained:
    frame = ocpp.parse(data)
    rows = []
    if frame.action in _METER_VALUES:
        found = samples_of(frame.payload.get("meterValue", ()))
        rows = [_row(one.quantity, one.value, quantity_of(one.quantity).unit, one.context) for one in found.found]
        rows += [_row("", None, "", reason) for reason in found.refused]
    kind = {ocpp.CALL: "call", ocpp.CALL_RESULT: "result", ocpp.CALL_ERROR: "error"}[frame.kind]
    return Explained("ocpp", {"kind": kind, "id": frame.unique_id, "action": frame.action, **frame.payload}, rows)


def _mqtt(protocol: str, data: bytes, topic: str) -> Explained:
    convention = load_convention(protocol.removeprefix("mqtt:"))
    found = read_message(convention, topic, data)
    rows = [
        _row(
            one.quantity or one.name,
            None if one.bad else one.value,
            one.unit or "",
            f"channel {one.channel}" * bool(one.channel),
        )
        for one in found.said
    ]
    said = {"device": found.device, "online": found.online, "text": found.text, "refused": list(found.refused)}
    return Explained(protocol, {name: value for name, value in said.items() if value not in (None, "", [])}, rows)


def _row(name: str, value: Any, unit: str, note: str = "") -> Row:
    return {"name": name, "value": value, "unit": unit, "note": note}


_OTHERS: Final[dict[str, Callable[[bytes], Explained]]] = {
    "dlt645": lambda data: _meter("dlt645", dlt645.explain(data)),
    "cjt188": lambda data: _meter("cjt188", cjt188.explain(data)),
    "mbus": _mbus,
    "sparkplug": _sparkplug,
    "ocpp": _ocpp,
}
