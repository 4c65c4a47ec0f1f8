"""Runs the real kgce command in a process whose clocks run faster: days of a gateway's life in minutes.

python -m benchmarks.hurried SPEED kgce-arguments ...

Wall clock, monotonic clock, sleeps and the event loop's waits are hurried alike; the wall clock begins in the past, so
that it reaches the present when DAYS are over (--days). Sockets and threads stay as fast as they are.
"""

import argparse
import selectors
import sys
import time
from typing import Any

_time, _monotonic, _sleep, _select = time.time, time.monotonic, time.sleep, selectors.DefaultSelector.select


def hurry(speed: float, days: float) -> None:
    """From now on, for everything imported later."""
    wall_0, monotonic_0 = _time(), _monotonic()

    def passed() -> float:
        return (_monotonic() - monotonic_0) * speed

    def wall() -> float:
        return wall_0 - days * 86_400 + passed()

    def monotonic() -> float:
        return monotonic_0 + passed()

    def clock_gettime(clock: int) -> float:
        return wall() if clock == time.CLOCK_REALTIME else monotonic()

    def select(self: Any, timeout: float | None = None) -> Any:
        return _select(self, None if timeout is None else timeout / speed)

    time.time, time.monotonic, time.clock_gettime = wall, monotonic, clock_gettime
    time.time_ns, time.monotonic_ns = lambda: int(wall() * 1e9), lambda: int(monotonic() * 1e9)
    time.sleep = lambda seconds: _sleep(float(seconds) / speed)
    selectors.DefaultSelector.select = select  # type: ignore[method-assign]


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("speed", type=float)
    parser.add_argument("--days", type=float, required=True)
    known, arguments = parser.parse_known_args()
    hurry(known.speed, known.days)
    sys.argv = ["kgce", *arguments]
    from kgce.cli.main import run

    run()
