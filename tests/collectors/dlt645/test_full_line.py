"""A full line: 32 meters behind one converter, one dead and one slow."""

import asyncio
from collections import Counter

import pytest

from kgce.domain.batch import Batch
from kgce.simulators.dlt645.server import Dlt645Server
from kgce.simulators.faults import Silent, Slow
from tests.collectors.dlt645.meters import TRUTH, Planted, clock, source_for

METERS = [f"{number:012d}" for number in range(1, 33)]
DEAD, SLOW = METERS[4], METERS[9]
ROUNDS = 4


@pytest.mark.hazard(17)
async def test_one_dead_and_one_slow_meter_leave_the_other_thirty_their_interval() -> None:
    got: Counter[str] = Counter()

    async def emit(batch: Batch) -> None:
        got[batch.series[0].device] += 1

    devices = [
        {"device": address, "address": address, "interval_s": 1.5, "points": ["active_energy_import"]}
        for address in METERS
    ]
    async with Dlt645Server({address: Planted(TRUTH) for address in METERS}, clock) as server:
        server.set_fault(DEAD, Silent())
        server.set_fault(SLOW, Slow(0.1))
        source = source_for({"host": "127.0.0.1", "port": server.port}, devices, timeout_s=0.3, retries=0)
        task = asyncio.create_task(source.run(emit))
        async with asyncio.timeout(60):
            while got[METERS[0]] < ROUNDS:
                await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await asyncio.sleep(0)
    living = [address for address in METERS if address != DEAD]
    assert got[DEAD] == 0
    assert min(got[address] for address in living) >= ROUNDS - 1
    by_device = {state.device: state for state in source.status()}
    assert by_device[DEAD].failures <= 3  # then it is left alone
    # a bus that waits for the dead one would miss a tick every round; one may be this machine's
    assert max(by_device[address].missed_ticks for address in living) <= 1
    assert all(by_device[address].online for address in living)
