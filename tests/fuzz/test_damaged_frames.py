"""Every parser takes any bytes: no crash, no hang, nothing accepted whose checksum is wrong, memory flat.

`make fuzz` and CI throw a million frames at each; the usual run fifty thousand.
"""

import os
from pathlib import Path

import pytest

from tests.fuzz.mutate import damaged
from tests.fuzz.targets import TARGETS

FRAMES = int(os.environ.get("KGCE_FUZZ_FRAMES", "1000000" if os.environ.get("CI") == "true" else "50000"))
PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 2**20
GROWTH_MB = 8.0  # of one million frames; a leak of ten bytes a frame is found


def resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * PAGE_MB


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("name", TARGETS)
def test_damaged_frames_give_an_error_or_a_frame_whose_checksum_is_right(name: str) -> None:
    target = TARGETS[name]
    accepted = refused = 0
    warm_mb = 0.0
    for number, frame in enumerate(damaged(target.seeds, FRAMES)):
        if number == FRAMES // 10:
            warm_mb = resident_mb()
        try:
            found = target.parse(frame)
        except target.errors:
            refused += 1
        else:
            target.accepted(frame, found)
            accepted += 1
    assert accepted > FRAMES // 50, "whole frames are among them, and must be read"
    assert accepted + refused == FRAMES
    assert resident_mb() - warm_mb < GROWTH_MB
