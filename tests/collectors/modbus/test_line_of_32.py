"""One line of 32 slaves, one dead and one slow: the other 30 are read as often as on a line where all are well."""

import asyncio

import pytest

from kgce.collectors.modbus.source import ModbusSource
from kgce.domain.batch import Batch
from tests.collectors.modbus.meter import IMAGE, source_for
from tests.collectors.modbus.wire import Asked, Peer, answer, tcp_peer

DEAD, SLOW, SLAVES = 7, 9, 32
ROUNDS = 6
SLOW_S = 0.05


def say(asked: Asked) -> list[bytes]:
    words = [IMAGE.get(address, 0) for address in range(asked.address, asked.address + asked.count)]
    return [answer("rtu-over-tcp", asked, words)]


def counts_of(source: ModbusSource) -> list[int]:
    return [status.polls - status.failures for status in source.status()]


@pytest.mark.hazard(17, 20)
async def test_thirty_of_thirty_two_keep_their_interval_beside_a_dead_and_a_slow_one(profile: str) -> None:
    """The healthy line runs at the same time, so that a busy machine disturbs both alike."""
    loop = asyncio.get_running_loop()
    sick: Peer
    batches: dict[str, int] = {}

    def ill(asked: Asked) -> list[bytes]:
        if asked.unit == SLOW:
            loop.call_later(SLOW_S, sick.send, say(asked)[0])
        return [] if asked.unit in {DEAD, SLOW} else say(asked)

    async def emit(batch: Batch) -> None:
        batches[batch.series[0].device] = batches.get(batch.series[0].device, 0) + 1

    async def drop(batch: Batch) -> None:
        pass

    async with tcp_peer("rtu-over-tcp", ill) as sick, tcp_peer("rtu-over-tcp", say) as well:
        options = {"mode": "rtu-over-tcp", "pause_ms": 1, "units": SLAVES, "interval_s": 0.6, "timeout_s": 0.15}
        source = source_for(sick.port, profile, **options)
        healthy = source_for(well.port, profile, **options)
        tasks = [asyncio.create_task(source.run(emit)), asyncio.create_task(healthy.run(drop))]
        async with asyncio.timeout(60):
            while min(counts_of(healthy)) < ROUNDS:
                await asyncio.sleep(0.01)
        found, control = counts_of(source), counts_of(healthy)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    others = [unit - 1 for unit in range(1, SLAVES + 1) if unit not in {DEAD, SLOW}]
    assert len(others) == 30
    assert all(found[at] >= control[at] - 1 for at in others), (found, control)
    assert found[SLOW - 1] >= ROUNDS - 2, "slow is not dead"
    assert found[DEAD - 1] == batches.get(f"m{DEAD}", 0) == 0
    asked_of_dead = sum(asked.unit == DEAD for asked in sick.asked)
    assert asked_of_dead == 3, "after three silent rounds it is left alone"
