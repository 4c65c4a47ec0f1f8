"""`python -m tests.week_of_faults`: the comparison as markdown on standard output."""

import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from tests.servers import Influx, influxdb
from tests.week_of_faults.faults import METERS
from tests.week_of_faults.others import ContinuousQueries
from tests.week_of_faults.reckoning import markdown, reckon
from tests.week_of_faults.world import World


def main() -> int:
    """Start InfluxDB in a temporary folder, reckon the week in every way, print the tables."""
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder) / "kgce", [replace(meter, resolution_wh=1) for meter in METERS])
        world.fill()
        try:
            with influxdb(Path(folder)) as server, _client(server) as client:
                print(markdown(reckon(world, ContinuousQueries(client))))
        except (pytest.skip.Exception, pytest.fail.Exception) as missing:
            print(missing, file=sys.stderr)
            return 1
        finally:
            world.close()
    return 0


def _client(server: Influx) -> httpx.Client:
    return httpx.Client(base_url=server.url, timeout=30, trust_env=False)


if __name__ == "__main__":
    sys.exit(main())
