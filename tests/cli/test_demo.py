"""`kgce demo` as a stranger runs it: live values and a ranking soon, Ctrl-C loses nothing, the next start goes on."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.servers import free_port

pytestmark = pytest.mark.timeout(180)
HAND_OVERS = re.compile(
    r"([\d,]+) polled = ([\d,]+) stored \+ ([\d,]+) duplicate \+ ([\d,]+) refused \+ ([\d,]+) dropped \+ ([\d,]+) waiting"
)


class Demo:
    """A running demo and its API."""

    def __init__(self, child: subprocess.Popen[str], port: int) -> None:
        self.child, self.base = child, f"http://127.0.0.1:{port}"

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(f"{self.base}/api/v1{path}", timeout=20) as answer:
            return json.load(answer)

    def until(self, path: str, holds: Callable[[Any], bool], timeout_s: float = 60.0) -> Any:
        deadline, last = time.monotonic() + timeout_s, None
        while time.monotonic() < deadline:
            assert self.child.poll() is None, f"the demo ended: {self.child.communicate()}"
            try:
                last = self.get(path)
            except OSError as error:
                last = error
            else:
                if holds(last):
                    return last
            time.sleep(0.2)
        raise AssertionError(f"{path} after {timeout_s} s: {last}")

    def interrupt(self) -> tuple[str, dict[str, int]]:
        """Press Ctrl-C; what was said, and the hand-over counters."""
        self.child.send_signal(signal.SIGINT)
        _, said = self.child.communicate(timeout=30)
        assert self.child.returncode == 0, said
        names = ("polled", "stored", "duplicate", "refused", "dropped", "waiting")
        found = HAND_OVERS.search(said)
        assert found is not None, said
        return said, dict(zip(names, (int(text.replace(",", "")) for text in found.groups()), strict=True))


@contextmanager
def demo(folder: Path) -> Iterator[Demo]:
    port = free_port()
    command = [sys.executable, "-m", "kgce", "demo", "--port", str(port), "--data", str(folder / "none")]
    child = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ
    )
    try:
        yield Demo(child, port)
    finally:
        if child.poll() is None:
            child.kill()
            child.communicate()


def live(health: Any) -> bool:
    return health["gateway"]["counters"]["stored"] > 100 and not health["gateway"]["devices_offline"]


def test_a_stranger_sees_live_values_and_a_ranking_and_ctrl_c_loses_nothing(tmp_path: Path) -> None:
    with demo(tmp_path) as first:
        health = first.until("/health", live)
        assert health["gateway"]["equation_holds"]
        power = [row for row in first.get("/latest") if row["quantity"] == "active_power_total"]
        assert {row["institution"] for row in power} == {"sim-office-1", "sim-school-1", "sim-hospital-1"}
        assert all(row["unit"] == "kW" and row["value"] > 0 and row["age_s"] < 30 for row in power)
        year = time.gmtime().tm_year - 1
        rows = first.get(f"/ranking?year={year}&indicator=energy_per_area")
        rows = rows if isinstance(rows, list) else rows["rows"]
        assert sum(row["rank"] == 1 for row in rows) == 4, "one leader in each of four classes"
        assert all(row["coverage_ratio"] == 1.0 for row in rows)
        today = {row["carrier"]: row for row in first.get("/today")["carriers"]}
        assert today["electricity"]["amount"] > 0
        assert today["electricity"]["coverage_ratio"] > 0.9
        with urllib.request.urlopen(first.base, timeout=20) as page:
            assert b"kgce" in page.read()
        said, counts = first.interrupt()
        assert "no measured data" in said
    assert counts["polled"] == sum(counts[name] for name in ("stored", "duplicate", "refused", "dropped", "waiting"))
    assert counts["dropped"] == counts["waiting"] == 0

    with demo(tmp_path) as second:
        health = second.until(  # it goes on counting on the same data
            "/health", lambda said: live(said) and said["gateway"]["counters"]["stored"] > counts["stored"]
        )
        _, again = second.interrupt()
    assert again["polled"] == sum(again[name] for name in ("stored", "duplicate", "refused", "dropped", "waiting"))


def test_a_killed_demo_starts_again_and_its_equation_holds(tmp_path: Path) -> None:
    with demo(tmp_path) as first:
        first.until("/health", live)
        first.child.send_signal(signal.SIGKILL)
        first.child.communicate()
    with demo(tmp_path) as second:
        health = second.until("/health", live)
        assert health["gateway"]["equation_holds"]


def test_a_second_command_on_a_held_store_says_who_holds_it_and_what_to_do(tmp_path: Path) -> None:
    with demo(tmp_path) as running:
        running.until("/health", lambda health: health["status"] == "ok")
        command = [sys.executable, "-m", "kgce", "rank", "--year", "2025", "--indicator", "energy_per_area"]
        answer = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
        assert answer.returncode == 1
        assert answer.stderr.startswith("kgce: ")
        assert str(running.child.pid) in answer.stderr
        assert answer.stderr.count("\n") == 1


def test_a_taken_port_is_told_in_one_line(tmp_path: Path) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        command = [sys.executable, "-m", "kgce", "demo", "--port", str(taken.getsockname()[1]), "--data", "none"]
        answer = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=90, check=False)
    assert answer.returncode == 2
    assert "is in use" in answer.stderr.splitlines()[-1]
