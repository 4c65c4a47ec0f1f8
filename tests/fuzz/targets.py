"""What is fuzzed: a parser, its valid frames, the one error it may raise, and what must hold of what it accepts.

The checksums are computed here once more, by their definitions, so that a parser cannot vouch for itself.
"""

import json
import math
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from kgce.collectors.cjt188 import frame as cjt188
from kgce.collectors.dlt645 import frame as dlt645
from kgce.collectors.mbus import frame as mbus
from kgce.collectors.mbus.link import FrameError as MbusError
from kgce.collectors.modbus.frames import Mode, parse_frame
from kgce.collectors.modbus.pdu import FrameError
from kgce.collectors.mqtt.convention import load_convention
from kgce.collectors.mqtt.read_message import read_message
from kgce.collectors.mqtt.understood import Understood
from kgce.collectors.ocpp import messages as ocpp
from kgce.collectors.sparkplug import payload as sparkplug
from kgce.domain.errors import InputError


class Wrong(AssertionError):
    """Something was accepted that must not be."""


@dataclass(frozen=True)
class Target:
    """One protocol's parser."""

    seeds: Sequence[bytes]
    parse: Callable[[bytes], Any]
    errors: type[Exception]
    accepted: Callable[[bytes, Any], None]


def crc16(data: bytes) -> int:
    """Modbus over Serial Line V1.02, 6.2.2: polynomial A001, start FFFF."""
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ 0xA001 if value & 1 else value >> 1
    return value


def _modbus(mode: Mode, accepted: Callable[[bytes, Any], None]) -> Target:
    seeds = [_wrapped(mode, pdu) for pdu in _PDUS]
    return Target(seeds, lambda data: parse_frame(mode, data), FrameError, accepted)


_PDUS: Final = [
    bytes.fromhex(text)
    for text in (
        "0300000002", "0304436633 34".replace(" ", ""), "0306022B00000064", "0400080001", "0402000A", "8302", "840B",
        "0100130013", "0103CD6B05", "0201", "2B0E0100", "2B0E01010000030003414243010258590203312E30",
        "170C00FE0ACD00010003000D00FF", "03FA" + "4366" * 125,
    )
]  # fmt: skip


def _wrapped(mode: Mode, pdu: bytes) -> bytes:
    body = b"\x11" + pdu
    if mode == "tcp":
        return struct.pack(">HHH", 7, 0, len(body)) + body
    if mode == "rtu":
        return body + struct.pack("<H", crc16(body))
    return b":" + (body + bytes([-sum(body) & 0xFF])).hex().upper().encode() + b"\r\n"


def _tcp_accepted(data: bytes, _: Any) -> None:
    _, protocol, length = struct.unpack_from(">HHH", data)
    if protocol or length != len(data) - 6 or len(data) > 260:
        raise Wrong(data.hex())


def _rtu_accepted(data: bytes, _: Any) -> None:
    if len(data) > 256 or struct.unpack("<H", data[-2:])[0] != crc16(data[:-2]):
        raise Wrong(data.hex())


def _ascii_accepted(data: bytes, _: Any) -> None:
    body = bytes.fromhex(data.strip()[1:].decode())
    if not data.startswith(b":") or sum(body) & 0xFF:
        raise Wrong(data.hex())


def _summed(at: int, size: int) -> Callable[[bytes, Any], None]:
    """Frames of 68 .. 16 with a sum: each one found stands in the data, whole, with its own sum right."""

    def accepted(data: bytes, frames: Any) -> None:
        starts = [place for place in range(len(data)) if data[place] == 0x68]
        whole = 0
        for start in starts:
            end = start + size + data[start + at] if start + at < len(data) else len(data) + 1
            if end <= len(data) and data[end - 1] == 0x16 and data[end - 2] == sum(data[start : end - 2]) & 0xFF:
                whole += 1
        if len(frames) > whole:
            raise Wrong(data.hex())

    return accepted


def _mbus_accepted(data: bytes, _: Any) -> None:
    length = data[1]
    right = (
        data[0] == data[3] == 0x68
        and data[2] == length
        and len(data) == length + 6
        and data[-1] == 0x16
        and data[-2] == sum(data[4:-2]) & 0xFF
    )
    if not right:
        raise Wrong(data.hex())


# Requests and answers of shared/facts/protocol_vectors.json: dlt-*, cjt-*, and two M-Bus telegrams put together here.
_DLT: Final = [
    bytes.fromhex("6861010000000068910833333433593333338a16"),
    bytes.fromhex("68907856341200681104333333335516"),
    bytes.fromhex("fefe6812907856341268910833333433ab896745cc16"),
    bytes.fromhex("6812907856341268810643c333333433e016"),
]
_CJT: Final = [
    bytes.fromhex("68104433221100337881161f9000007766552c007766552c3101221105152021841316"),
    bytes.fromhex("fefefe6810010000050800008116901f00002301002c000000002c0000000000000000004816"),
    bytes.fromhex("68104433221100337801031f90008016"),
]


def _telegram(records: bytes) -> bytes:
    """A long frame of a heat meter with these records; layout of EN 13757-3."""
    body = bytes([0x08, 0x01, 0x72]) + bytes.fromhex("785634122423010455000000") + records
    return bytes([0x68, len(body), len(body), 0x68]) + body + bytes([sum(body) & 0xFF, 0x16])


_MBUS: Final = [
    _telegram(bytes.fromhex("0406a08601000413e8030000022bd2040a5a4506046d0b0b3e1a")),
    _telegram(bytes.fromhex("0c06785634124c06001000008c1006000000 00".replace(" ", "") + "0f0102030405")),
    _telegram(bytes.fromhex("0d780a3031323334353637383905060000c84284808080800106ffffffff")),
]  # fmt: skip

_CONVENTION: Final = load_convention("tasmota")


def _tasmota(data: bytes) -> Understood:
    return read_message(_CONVENTION, "tele/plug/SENSOR", data)


def _finite(_: bytes, found: Any) -> None:
    """MQTT: whatever is said is a finite number, or called bad."""
    if any(not math.isfinite(one.value) and not one.bad for one in found.said):
        raise Wrong(repr(found))


def _counted(data: bytes, payload: Any) -> None:
    """Sparkplug: a payload has no checksum; it cannot hold more metrics than bytes."""
    if len(payload.metrics) > len(data):
        raise Wrong(data.hex())


def _is_json(data: bytes, frame: Any) -> None:
    """OCPP: what was accepted is the JSON list it says it is."""
    if json.loads(data)[:2] != [frame.kind, frame.unique_id]:
        raise Wrong(repr(data))


# Tasmota and Sparkplug messages of shared/facts/protocol_vectors.json; OCPP-J 1.6 section 4.2's forms.
_TASMOTA: Final = [
    b'{"Time":"2023-05-19T20:52:56","ENERGY":{"Total":514.153,"Power":56,"Voltage":234,"Current":0.392}}',
    b'{"Time":"2026-09-18T11:19:21","ENERGY":{"Total":[2.813,0.254],"Power":[52,5],"Voltage":235}}',
]
_SPARKPLUG: Final = [
    bytes.fromhex("0880b2c7cc8b3312160a05506f7765721880b2c7cc8b33200350a4f4ffff0f1809"),
    bytes.fromhex("08e086cbcc8b3312170a06456e657267791880b2c7cc8b332008280158c0c407180b"),
    bytes.fromhex("0880b2c7cc8b33120b0a05626453657120045803"),
]
_OCPP: Final = [
    b'[2,"19223201","BootNotification",{"chargePointVendor":"V","chargePointModel":"M"}]',
    b'[3,"19223201",{"status":"Accepted","currentTime":"2026-01-05T04:00:00Z","interval":300}]',
    b'[4,"162376037","NotSupported","SetDisplayMessageRequest not implemented",{}]',
]

TARGETS: Final[dict[str, Target]] = {
    "Modbus TCP": _modbus("tcp", _tcp_accepted),
    "Modbus RTU": _modbus("rtu", _rtu_accepted),
    "Modbus ASCII": _modbus("ascii", _ascii_accepted),
    "DL/T 645": Target(_DLT, dlt645.parse, InputError, _summed(9, 12)),
    "CJ/T 188": Target(_CJT, cjt188.parse, InputError, _summed(10, 13)),
    "M-Bus": Target(_MBUS, mbus.parse, MbusError, _mbus_accepted),
    "MQTT": Target(_TASMOTA, _tasmota, InputError, _finite),
    "Sparkplug B": Target(_SPARKPLUG, sparkplug.parse, sparkplug.PayloadError, _counted),
    "OCPP-J": Target(_OCPP, ocpp.parse, ocpp.FrameError, _is_json),
}
