"""Which bytes answer the request under way; everything else is passed over and remembered for the diagnosis.

stream --take--> the answer's data, or none yet
"""

import struct
from dataclasses import dataclass
from typing import Final

from kgce.collectors.modbus.frames import SHORTEST_RTU, Mode, crc, mbap_fault, rtu_frame_at, split_frames, unwrap
from kgce.collectors.modbus.pdu import EXCEPTION_BIT, FrameError

_HEAD: Final = struct.Struct(">HHHBB")  # MBAP header and function
_UNCOUNTED: Final = 6  # bytes of an MBAP header its own length does not count
_LONGEST: Final = 254  # what an MBAP header may count
_ENVELOPE: Final = 5  # unit, function, byte count, CRC; also the length of an exception
REMEMBERED: Final = 64  # first bytes of what was passed over

Taken = tuple[int, bytes | None]


@dataclass(slots=True)
class Expected:
    """The one answer that is waited for; made for each request, used for every piece that arrives."""

    mode: Mode
    request: bytes  # the frame as sent
    unit: int
    function: int
    byte_count: int
    tid: int = 0
    any_tid: bool = False  # a gateway that never echoes it
    direct_units: tuple[int, ...] = ()  # units that may answer instead of the one asked
    echo: bool = False  # the line repeats every request before its answer
    passed_over: bytes = b""
    pending: bytes = b""
    note: str = ""  # the last reason a whole frame was passed over

    @property
    def seen(self) -> bytes:
        """First bytes of what came instead of the answer."""
        return (self.passed_over + self.pending)[:REMEMBERED]

    @property
    def is_damaged(self) -> bool:
        """Whether bytes came that are no whole frame: the answer was there, and something happened to it."""
        return bool(self.passed_over or self.pending) and not self.note

    def take(self, data: bytes) -> Taken:
        """How many bytes are done with, and the answer's function code with its data once it is whole.

        Raises:
            FrameError: what came proves that no answer will follow; the connection is out of step.
        """
        used, answer = self._in_mode(data)
        if answer is None:
            self.passed_over += data[: min(used, REMEMBERED - len(self.passed_over))]
            self.pending = data[used:]
        return used, answer

    def _in_mode(self, data: bytes) -> Taken:
        if self.mode == "tcp":
            return self._take_tcp(data)
        return self._take_ascii(data) if self.mode == "ascii" else self._take_rtu(data)

    def _take_tcp(self, data: bytes) -> Taken:
        at = 0
        while len(data) - at >= _HEAD.size:
            tid, protocol, length, unit, function = _HEAD.unpack_from(data, at)
            end = at + _UNCOUNTED + length
            if protocol or not 1 < length <= _LONGEST:
                break
            if end > len(data):
                return at, None
            if tid == self.tid or self.any_tid:
                if wrong := self._misfit(unit, function, data[at + _HEAD.size : end]):
                    self.pending = data[at:]
                    raise FrameError(wrong)
                return end, data[at + _HEAD.size - 1 : end]
            self.note = f"transaction {tid} instead of {self.tid}"
            at = end
        if fault := mbap_fault(data[at:]):
            self.pending = data[at:]
            raise FrameError(f"no Modbus TCP: {fault}")
        return at, None

    def _misfit(self, unit: int, function: int, body: bytes) -> str:
        if unit != self.unit and unit not in self.direct_units:
            return f"unit {unit} answers instead of {self.unit}"
        if function == self.function | EXCEPTION_BIT:
            return "" if len(body) == 1 else f"an exception of {len(body)} bytes"
        if function != self.function:
            return f"function {function} answers a request for function {self.function}"
        if len(body) != self.byte_count + 1 or body[0] != self.byte_count:
            counted = body[0] if body else "no"
            return f"{self.byte_count} bytes asked for, the answer counts {counted} and brings {max(len(body) - 1, 0)}"
        return ""

    def _is_echo(self, frame: bytes) -> bool:
        """Whether the line repeats the request; a read of bits can look like its own answer."""
        if frame != self.request:
            return False
        self.note = "the own request came back and no answer behind it"
        return True

    def _take_rtu(self, data: bytes) -> Taken:
        if len(data) < _ENVELOPE or (self._begins(data) and len(data) < self.byte_count + _ENVELOPE):
            return 0, None  # most pieces of a slow line end here, before anything is computed
        if self._begins(data) and not self.echo:
            whole = data[: self.byte_count + _ENVELOPE]
            if whole != self.request and crc(whole[:-2]) == whole[-2:]:
                return len(data), whole[1:-2]
        return self._hunt(data)

    def _begins(self, data: bytes) -> bool:
        return tuple(data[:3]) == (self.unit, self.function, self.byte_count)

    def _hunt(self, data: bytes) -> Taken:
        """The first checked frame that fits, also behind noise, an echo and other units' frames."""
        at, keep_from = 0, len(data)
        while at < len(data):
            frame = rtu_frame_at(data, at)
            if frame == b"" and self._begins(data[at : at + 3]):
                return min(keep_from, at), None  # what looks like a frame inside of it is by chance
            if not frame:
                keep_from = min(keep_from, at) if frame is not None else keep_from
                at += 1
                continue
            at, keep_from = at + len(frame), len(data)
            if self._skip_echo(frame):
                continue
            wrong = self._misfit(frame[0], frame[1], frame[2:-2])
            if not wrong:
                return len(data), frame[1:-2]
            self.note = wrong
        return keep_from, None

    def _skip_echo(self, frame: bytes) -> bool:
        """Whether the frame is the request come back; only the first one is, where the line is known to repeat it."""
        if not self._is_echo(frame):
            return False
        if self.echo:
            self.echo, self.request = False, b""
        return True

    def _take_ascii(self, data: bytes) -> Taken:
        cut = split_frames("ascii", data)
        for whole in cut.frames:
            if self._skip_echo(whole):
                continue
            frame = unwrap("ascii", whole)
            wrong = self._misfit(frame.unit or 0, frame.pdu[0], frame.pdu[1:])
            if not wrong:
                return len(data), frame.pdu
            self.note = wrong
        return len(data) - len(cut.rest), None


def confusion(mode: Mode, seen: bytes) -> str:
    """Which mode the bytes of a line that makes no sense belong to; "" where they do not tell (devices.md hazard 7)."""
    if mode in {"tcp", "ascii"} and _has_rtu(seen):
        return 'its bytes are a valid RTU frame: say mode = "rtu-over-tcp", or "rtu" on a serial port'
    if mode != "tcp" and _has_mbap(seen):
        return 'its bytes are a Modbus TCP header: say mode = "tcp"'
    if mode != "ascii" and split_frames("ascii", seen).frames:
        return 'its bytes are a valid ASCII frame: say mode = "ascii"'
    return ""


def _has_rtu(seen: bytes) -> bool:
    return any(len(rtu_frame_at(seen, at) or b"") > SHORTEST_RTU for at in range(len(seen)))


def _has_mbap(seen: bytes) -> bool:
    whole = split_frames("tcp", seen).frames
    return bool(whole) and len(whole[0]) > _HEAD.size
