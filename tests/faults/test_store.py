"""The store is slow, dies, or refuses for good."""

import signal
import time

import pytest

from tests.faults.processes import eventually
from tests.faults.world import METER, World

pytestmark = pytest.mark.timeout(240)


def test_a_store_that_stands_still_delays_and_loses_nothing(world: World) -> None:
    world.gateway.start()
    world.run_a_while(8)
    world.influx.signal(signal.SIGSTOP)
    skipped = skipped_polls(world)
    world.run_a_while(40, publish=False)
    assert skipped_polls(world) - skipped < 40, "the meter is read at its interval all the while"
    world.influx.signal(signal.SIGCONT)
    world.run_a_while(5, publish=False)
    world.assert_whole()


@pytest.mark.parametrize("sink", ["mqtt", "influxdb"])
def test_a_store_killed_under_load_costs_nothing(tmp_path, sink: str) -> None:
    with World(tmp_path, sink=sink) as world:
        world.gateway.start()
        world.run_a_while(8)
        world.influx.kill()
        world.run_a_while(8, publish=False)
        world.influx.start()
        world.run_a_while(8, publish=False)
        world.assert_whole()


@pytest.mark.parametrize("sink", ["mqtt", "influxdb"])
def test_what_the_store_refuses_for_good_becomes_a_dead_letter_and_the_rest_passes(tmp_path, sink: str) -> None:
    """The field exists there as text: the store will never take a number in it."""
    with World(tmp_path, sink=sink) as world:
        world.influx.write(f'electricity,institution=x,device=y active_energy_import="text" {time.time_ns()}')
        world.gateway.start()
        world.run_a_while(10)
        world.publisher.stop()
        world.meter.kill()
        eventually(lambda: world.gateway.waiting() == 0, "nothing waits")
        status = world.gateway.final()
        counts = status["counters"]
        assert status["equation_holds"]
        assert dict(world.in_store("water-main")) == world.publisher.acknowledged
        assert counts["refused"] >= 8, counts
        assert status["buffer"]["dead_letters"] >= 1
        assert any("refused for good" in one["what"] for one in world_problems(status))
        others = world.influx.rows("electricity", METER, "voltage_l1_n")
        assert len(others) >= 8, "what the store takes of the same poll is there"


def skipped_polls(world: World) -> int:
    """Ticks at which the meter should have been asked, and was not."""
    return next(one["missed_ticks"] for one in world.gateway.status()["devices"] if one["device"] == METER)


def world_problems(status: dict) -> list[dict]:
    """What a technician would be told."""
    from dataclasses import asdict

    from kgce.edge.local.problems import problems

    return [asdict(one) for one in problems(status, status["started_ms"])]
