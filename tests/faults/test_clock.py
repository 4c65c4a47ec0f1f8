"""The machine's clock leaps by a day, or starts in 1970, under a real gateway; the centre's receipts are the witness."""

import time
from pathlib import Path

import pytest

from tests.faults.processes import eventually
from tests.faults.world import METER, World

pytestmark = pytest.mark.timeout(240)

DAY_S = 86_400


def start_shifted(world: World, seconds: float) -> Path:
    file = world.folder / "shift.txt"
    file.write_text(str(seconds))
    world.gateway.start([world.gateway.command[0], "-m", "tests.faults.shifted", str(file), *world.gateway.command[3:]])
    return file


def assert_times_are_true(world: World, since_s: float) -> None:
    """Every reading of the meter within seconds of when it was served, whatever the gateway's clock said."""
    served = dict(reversed(line.split()) for line in world.meter.list.read_text().splitlines())
    stored = [(at / 1000, value) for at, value in world.in_store(METER)]
    assert stored
    for at_s, value in stored:
        assert at_s > since_s - 60
        assert abs(at_s - float(served[str(value)])) < 5, "stamped as it was served"


@pytest.mark.hazard(48)
@pytest.mark.parametrize("leap_s", [DAY_S, -DAY_S])
def test_a_clock_that_leaps_by_a_day_moves_no_reading(world: World, leap_s: int) -> None:
    begin_s = time.time()
    file = start_shifted(world, 0)
    world.run_a_while(8)
    world.broker.kill()  # no witness
    file.write_text(str(leap_s))
    eventually(lambda: world.gateway.status()["clock"]["state"] == "unsure", "the leap is noticed")
    world.run_a_while(10, publish=False)
    assert world.gateway.status()["buffer"]["held_rows"] > 0
    world.broker.start()
    eventually(lambda: world.gateway.status()["clock"]["state"] == "trusted", "the centre is a witness")
    world.run_a_while(5, publish=False)
    world.assert_whole()
    assert_times_are_true(world, begin_s)


@pytest.mark.hazard(48)
def test_a_gateway_that_boots_in_1970_stamps_nothing_wrong(world: World) -> None:
    begin_s = time.time()
    start_shifted(world, -begin_s)
    world.run_a_while(10)
    eventually(lambda: world.gateway.status()["clock"]["state"] == "trusted", "the centre is a witness")
    world.run_a_while(5, publish=False)
    world.assert_whole()
    assert_times_are_true(world, begin_s)
