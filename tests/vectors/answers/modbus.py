"""Modbus frames and protocol data units, in all modes, as the collectors' parser reads them."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from kgce.collectors.modbus.decode import decoder
from kgce.collectors.modbus.exceptions import exception_facts
from kgce.collectors.modbus.frames import (
    Message,
    Mode,
    crc,
    lrc,
    parse_answer,
    parse_frame,
    parse_request_frame,
    split_frames,
)
from kgce.collectors.modbus.pdu import FrameError, Pdu

Vector = Mapping[str, Any]
_MODES: Final[dict[str, Mode]] = {
    "modbus-tcp": "tcp",
    "modbus-rtu": "rtu",
    "modbus-ascii": "ascii",
    "modbus-pdu": "pdu",
}
_READ_ONLY: Final = ("address", "count", "read_address", "read_count", "write_address")


def answered(vector: Vector) -> dict[str, Any]:
    """The fields of one vector of any Modbus mode."""
    mode = _MODES[vector["protocol"]]
    match vector["kind"]:
        case "checksum":
            data = bytes.fromhex(vector["data_hex"])
            return {"lrc": lrc(data)} if mode == "ascii" else {"crc_wire_hex": crc(data).hex()}
        case "stream":
            return _stream(mode, vector)
        case _:
            return _message(mode, vector)


def _stream(mode: Mode, vector: Vector) -> dict[str, Any]:
    """Frames by their own length, whatever the pieces they came in."""
    rest, frames = b"", []
    for chunk in vector.get("chunks_hex") or [vector["hex"]]:
        cut = split_frames(mode, rest + bytes.fromhex(chunk))
        frames += cut.frames
        rest = cut.rest
    said: dict[str, Any] = {"frames": len(frames)}
    return said | (_fields(parse_frame(mode, frames[0]), None) if frames else {})


def _message(mode: Mode, vector: Vector) -> dict[str, Any]:
    try:
        return {"valid": True} | _read(mode, vector)
    except FrameError as error:
        if "quirk" not in vector:
            return {"valid": False, "decision": "discard", "reason": str(error)}
        # A quirk of the field: what the frame says by itself, beside why the collectors do not take it.
        alone = parse_answer(mode, bytes.fromhex(vector["response_hex"]))
        return {"valid": True, "refused": str(error)} | _fields(alone, None)


def _read(mode: Mode, vector: Vector) -> dict[str, Any]:
    request, answer = _bytes(vector, "request"), _bytes(vector, "response")
    if answer is not None:
        message = parse_answer(mode, answer, request)
        asked = parse_request_frame(mode, request).pdu if request is not None else None
        return _fields(message, asked) | _typed(message.pdu, vector["expect"])
    frame = vector["text"].encode() if "text" in vector else bytes.fromhex(vector["hex"])
    if vector["kind"] == "request":
        return _fields(parse_request_frame(mode, frame), None)
    message = parse_answer(mode, frame, request) if request is not None else _alone(mode, frame, vector["expect"])
    return _fields(message, None) | _typed(message.pdu, vector["expect"])


def _alone(mode: Mode, frame: bytes, expected: Vector) -> Message:
    """A frame without its counterpart; which of the two it is, the vector says by the fields it asks for."""
    return parse_frame(mode, frame, "request" if "count" in expected and "registers" not in expected else None)


def _bytes(vector: Vector, name: str) -> bytes | None:
    return bytes.fromhex(vector[f"{name}_hex"]) if f"{name}_hex" in vector else None


def _fields(message: Message, asked: Pdu | None) -> dict[str, Any]:
    """What the message says; addresses and counts of an answer are those of its request."""
    pdu = message.pdu
    said: dict[str, Any] = {"unit": message.unit, "tid": message.tid, "function": pdu.function}
    names = ("address", "count", "value", "byte_count", "registers", "status", *_READ_ONLY[2:])
    for source in (asked, pdu):
        for name in names if source is not None else ():
            value = getattr(source, name)
            if value is not None:
                said[name] = list(value) if isinstance(value, tuple) else value
    if asked is not None and asked.registers is not None and pdu.registers is None:
        said["registers"] = said["values"] = list(asked.registers)
    if pdu.bits is not None:
        said["bits_lsb_first"] = "".join("1" if bit else "0" for bit in pdu.bits)
    if pdu.objects is not None:
        said["objects"] = {str(number): text for number, text in pdu.objects}
    if pdu.exception_code is not None:
        facts = exception_facts(pdu.exception_code)
        said |= {
            "exception_code": facts.code,
            "name": facts.name,
            "retryable": facts.retryable,
            "register_unsupported": facts.register_unsupported,
        }
    return {name: value for name, value in said.items() if value is not None}


def _typed(pdu: Pdu, expected: Vector) -> dict[str, Any]:
    """The registers as the types the vector names: uint64, float32_be, a list of fields, a scaled value."""
    if pdu.registers is None:
        return {}
    said: dict[str, Any] = {"raw": _wire(pdu.registers).hex()}
    for name in expected:
        kind = name.removesuffix("_be")
        if kind[:3] in {"int", "uin", "flo"}:
            said[name] = decoder(kind, "big")(_wire(pdu.registers))
            if "scale" in expected:
                said |= {
                    "scale": expected["scale"],
                    "value": decoder(kind, "big", scale=expected["scale"])(_wire(pdu.registers)),
                }
    if "fields" in expected:
        said["fields"] = [_field(pdu.registers, field, int(expected["address"])) for field in expected["fields"]]
    return said


def _field(registers: Sequence[int], field: Vector, first: int) -> dict[str, Any]:
    start = int(field["reg"]) - first
    decode = decoder(field["type"], field.get("byte_order", "big"))
    words = registers[start : start + decode.type.length // 2]
    return {**field, "value": decode(_wire(words))}


def _wire(registers: Sequence[int]) -> bytes:
    return b"".join(register.to_bytes(2, "big") for register in registers)
