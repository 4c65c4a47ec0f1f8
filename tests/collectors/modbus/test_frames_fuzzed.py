"""Many spoilt frames: nothing but FrameError comes out, nothing with a wrong checksum goes through, memory stays flat.

KGCE_FUZZ=1000000 throws a million at each mode (about four minutes); the suite throws some hundred.
"""

import os
import random
import tracemalloc
from collections.abc import Iterator

import pytest

from kgce.collectors.modbus.expected import Expected
from kgce.collectors.modbus.frames import parse_answer, parse_frame, split_frames
from kgce.collectors.modbus.pdu import FrameError
from tests.collectors.modbus.wire import encoded, registers_pdu

FRAMES = int(os.environ.get("KGCE_FUZZ", "800"))
GROWTH = 256 * 1024  # bytes; one kept frame in ten would be more within a thousand


def spoilt(mode: str, count: int) -> Iterator[bytes]:
    """Noise, and good frames with bits flipped, ends cut off, pieces joined."""
    chance = random.Random(mode)
    good = [encoded(mode, registers_pdu(3, [chance.randrange(0x1_0000) for _ in range(n)]), 1, 5) for n in (1, 10, 125)]
    good.append(encoded(mode, bytes([0x83, 2]), 1, 5))
    good.append(encoded(mode, bytes.fromhex("03006b0003"), 1, 5))
    for _ in range(count):
        frame = bytearray(chance.choice(good))
        how = chance.randrange(5)
        if how == 0:
            frame = bytearray(chance.randbytes(chance.randrange(300)))
        elif how == 1:
            for _ in range(chance.randrange(1, 9)):
                frame[chance.randrange(len(frame))] ^= 1 << chance.randrange(8)
        elif how == 2:
            del frame[chance.randrange(len(frame)) :]
        elif how == 3:
            frame[chance.randrange(len(frame)) :] = chance.choice(good)
        yield bytes(frame)


def crc_bit_by_bit(data: bytes) -> int:
    """MODBUS over Serial Line V1.02, 6.2.2: polynomial 0xA001, begun with 0xFFFF. 0 over a frame with its CRC."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0xA001 if crc & 1 else 0)
    return crc


def is_sound(mode: str, frame: bytes) -> bool:
    """Whether the envelope of an accepted frame is right, worked out another way."""
    if mode == "rtu":
        return crc_bit_by_bit(frame) == 0
    if mode == "ascii":
        return sum(bytes.fromhex(frame[1:-2].decode())) % 256 == 0
    return int.from_bytes(frame[2:4], "big") == 0 and int.from_bytes(frame[4:6], "big") == len(frame) - 6


@pytest.mark.timeout(1800)
@pytest.mark.hazard(5, 6)
@pytest.mark.parametrize("mode", ["tcp", "rtu", "ascii"])
def test_spoilt_frames_neither_crash_nor_pass_nor_stay(mode: str) -> None:
    request = encoded(mode, bytes.fromhex("03006b000a"), 1, 5)
    accepted = before = 0
    tracemalloc.start()
    for number, data in enumerate(spoilt(mode, FRAMES)):
        if number == FRAMES // 10:
            before, _ = tracemalloc.get_traced_memory()
        for frame in {data, *split_frames(mode, data).frames}:
            try:
                parse_frame(mode, frame)
            except FrameError:
                continue
            accepted += 1
            assert is_sound(mode, frame), frame.hex()
        expected = Expected(mode, request, 1, 3, 20, 5)
        try:
            _, pdu = expected.take(data)
        except FrameError:
            continue
        if pdu is not None and pdu[0] == 3:
            assert len(parse_answer("pdu", pdu).pdu.registers or ()) == 10
        assert len(expected.seen) <= 64
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert FRAMES / 10 < accepted < FRAMES
    assert after - before < GROWTH
