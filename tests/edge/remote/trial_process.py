"""Run by test_killed_on_trial.py: remote configuration in a process that is killed at any moment.

    python -m tests.edge.remote.trial_process FOLDER BROKER_PORT PROBATION_S [blocks]

Prints `started N`, `connected`, `applying X`, and the ids of events. With `blocks` it never gets beyond `applying`.
"""

import asyncio
import os
import sys
from pathlib import Path

from kgce.edge.config import GatewayConfig
from tests.edge.fakes import until
from tests.edge.remote.station import Station


def say(text: str) -> None:
    os.write(1, f"{text}\n".encode())


async def main(folder: Path, port: int, probation_s: float, *, blocks: bool) -> None:
    station = Station(folder, port, probation_s=probation_s)
    say(f"started {station.started.version}")
    apply = station.apply

    async def told(config: GatewayConfig) -> None:
        say(f"applying {config.checks.future_limit_s:g}")
        if blocks:
            await asyncio.Event().wait()
        await apply(config)

    station.apply = told
    station.reconnect()
    async with station.running_remote():
        say("connected")
        seen = 0
        while True:
            await until(lambda: len(station.events) > seen, timeout_s=100)  # noqa: B023
            say(station.events[seen].id)
            seen += 1


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), blocks=sys.argv[4:] == ["blocks"]))
