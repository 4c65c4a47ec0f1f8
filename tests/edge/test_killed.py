"""kill -9 at any moment loses nothing that was acknowledged and doubles nothing."""

import json
import subprocess
import sys
from pathlib import Path

from kgce.edge.buffer.counters import holds
from tests.edge.fakes import power_batch
from tests.edge.killed_gateway import ROWS_PER_BATCH, line_of

ROOT = Path(__file__).resolve().parents[2]
ENDLESS = 10**7


def start(folder: Path, first: int, last: int) -> subprocess.Popen:
    command = [sys.executable, "-m", "tests.edge.killed_gateway", str(folder), str(first), str(last)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def kill_after(folder: Path, first: int, count: int) -> list[int]:
    """Run, kill -9 once `count` batches are acknowledged; the acknowledged ones."""
    with start(folder, first, ENDLESS) as process:
        acknowledged = [int(process.stdout.readline().split()[1]) for _ in range(count)]
        process.kill()
        acknowledged += [
            int(line.split()[1]) for line in process.stdout.read().splitlines(keepends=True) if line.endswith("\n")
        ]
    assert process.returncode == -9
    return acknowledged


def test_what_was_acknowledged_before_a_kill_is_in_the_sink_once_after_it(tmp_path) -> None:
    acknowledged: list[int] = []
    first = 0
    for count in (1, 40, 173):
        acknowledged += kill_after(tmp_path, first, count)
        first = acknowledged[-1] + 10  # the batch under way at the kill may or may not be in: leave room for it
    with start(tmp_path, first, first + 5) as process:
        *acks, counters = process.stdout.read().splitlines()
    assert process.returncode == 0
    acknowledged += [int(line.split()[1]) for line in acks]

    lines = (tmp_path / "sink.txt").read_text().splitlines(keepends=True)
    expected = set()
    for number in acknowledged:
        batch = power_batch(number * ROWS_PER_BATCH, ROWS_PER_BATCH)
        expected |= {line_of(t, v) for t, v in zip(batch.time_ms.tolist(), batch.value.tolist(), strict=True)}
    assert len(acknowledged) >= 1 + 40 + 173 + 6
    assert expected <= set(lines), "nothing acknowledged is lost"
    assert len(lines) == len(set(lines)), "nothing is doubled"
    assert len(lines) <= len(expected) + 3 * ROWS_PER_BATCH, "at most the batch under way at each of three kills"

    counts = json.loads(counters)
    assert holds(counts)
    assert counts["waiting"] == counts["refused"] == counts["dropped"] == 0
    assert counts["polled"] == len(lines), "the counters outlived the kills as well"
