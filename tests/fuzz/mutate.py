"""Damaged frames without end: bits flipped, bytes cut, joined, doubled, swapped, noise around them; from a seed."""

import random
from collections.abc import Iterator, Sequence


def damaged(seeds: Sequence[bytes], count: int, seed: int = 0) -> Iterator[bytes]:
    """So many damaged frames, the same ones for the same seed; one in sixteen is left as it is."""
    luck = random.Random(seed)
    for _ in range(count):
        frame = bytearray(luck.choice(seeds))
        for _ in range(luck.randrange(4)):
            _damage(frame, seeds, luck)
        yield bytes(frame) if luck.randrange(16) else luck.choice(seeds)


def _damage(frame: bytearray, seeds: Sequence[bytes], luck: random.Random) -> None:
    at = luck.randrange(len(frame) + 1)
    match luck.randrange(9):
        case 0 | 1 if frame:
            frame[at % len(frame)] ^= 1 << luck.randrange(8)
        case 2 if frame:
            frame[at % len(frame)] = luck.randrange(256)
        case 3:
            del frame[at:]
        case 4:
            del frame[:at]
        case 5:
            frame[at:at] = luck.randbytes(luck.randrange(1, 8))
        case 6:
            frame += luck.choice(seeds)
        case 7:
            frame[at:at] = frame[: luck.randrange(len(frame) + 1)]
        case _:
            frame[:] = luck.randbytes(luck.randrange(300))
