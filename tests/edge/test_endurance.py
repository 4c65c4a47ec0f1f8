"""A short soak: what a gateway opens and starts on its way through faults, it lets go of again."""

from pathlib import Path

import pytest
from benchmarks.soak import endure

from tests import servers

WALL_S, SPEED = 20.0, 288.0  # 96 minutes


@pytest.mark.timeout(180)
def test_after_ninety_minutes_of_faults_the_books_balance_and_nothing_is_left_open(tmp_path: Path) -> None:
    servers.require_tool("influxd")
    done = endure(tmp_path, wall_s=WALL_S, speed=SPEED, meter_count=5)
    counts = done.final["counters"]
    assert done.faults == 60
    assert done.final["equation_holds"]
    assert counts["polled"] == counts["stored"] + counts["duplicate"] > 1000
    assert counts["waiting"] == counts["dropped"] == counts["refused"] == 0
    assert done.stored == counts["stored"], "the store holds what the gateway says"
    settled = done.settled()
    third = len(settled) // 3
    begin, end = ([look.open_files for look in part] for part in (settled[:third], settled[-third:]))
    assert min(end) <= max(begin), f"open files: {begin} at the begin, {end} at the end"
    assert max(look.threads for look in done.looks) < 12, "the pool's six, and those of the libraries"
    assert {one["name"] for one in done.final["companions"] if one["restarts"]} == set(), "no companion fell"
