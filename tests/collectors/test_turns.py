"""Turns on one line, on a clock that only moves when somebody waits or a poll takes time."""

import asyncio
import contextlib
from collections import Counter

import pytest

from kgce.collectors.turns import LONGEST_SKIP_S, LineDown, Turn, take_turns
from kgce.domain.batch import Batch
from kgce.domain.errors import DeviceUnreachable
from kgce.domain.tree import Series


class _Over(Exception):
    pass


class Line:
    """Devices of which some are dead, on a clock of its own."""

    def __init__(self, devices: list[Turn], *, takes_s: dict[str, float], dead: set[str], until_s: float) -> None:
        self.now = 0.0
        self.devices, self.takes_s, self.dead, self.until_s = devices, takes_s, dead, until_s
        self.asked: Counter[str] = Counter()
        self.got: Counter[str] = Counter()
        self.down = False

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        if self.now >= self.until_s:
            await asyncio.sleep(0)  # the last batch is handed over
            raise _Over

    async def poll(self, turn: Turn) -> Batch:
        name = turn.state.device
        self.asked[name] += 1
        self.now += self.takes_s.get(name, 0.01)
        if self.down:
            raise LineDown("no line")
        if name in self.dead:
            raise DeviceUnreachable("no answer")
        return Batch.from_rows(
            [(Series("i", name, "voltage", "electricity", "", ""), round(self.now * 1000), 230.0, 0)]
        )

    async def emit(self, batch: Batch) -> None:
        self.got[batch.series[0].device] += 1

    async def run(self) -> None:
        with pytest.raises(_Over):
            await take_turns(
                self.devices,
                self.poll,
                self.emit,
                clock=lambda: self.now,
                wall_clock=lambda: self.now,
                sleep=self.sleep,
            )


@pytest.mark.hazard(17)
async def test_one_dead_and_one_slow_device_of_32_leave_the_other_30_their_interval():
    devices = [Turn("i", f"d{number}", 10.0) for number in range(32)]
    line = Line(devices, takes_s={"d0": 1.0, "d1": 0.9}, dead={"d0"}, until_s=600.0)
    await line.run()
    assert {line.got[f"d{number}"] for number in range(1, 32)} == {60}  # 600 s / 10 s, the slow one included
    assert line.asked["d0"] < 12  # 3 rounds, then probes that come ever more seldom
    assert line.got["d0"] == 0
    assert devices[0].state.missed_ticks + line.asked["d0"] == devices[0].due / 10.0  # every tick is accounted for


@pytest.mark.hazard(20)
async def test_a_device_slower_than_its_interval_misses_ticks_and_never_piles_them_up():
    slow = Turn("i", "slow", 1.0)
    line = Line([slow], takes_s={"slow": 2.5}, dead=set(), until_s=300.0)
    await line.run()
    assert line.asked["slow"] == 100  # every third second: the two ticks that passed meanwhile are gone
    assert slow.state.missed_ticks == 200


async def test_probes_of_a_dead_device_come_at_most_five_minutes_apart():
    dead = Turn("i", "dead", 10.0)
    line = Line([dead], takes_s={"dead": 1.0}, dead={"dead"}, until_s=36_000.0)
    await line.run()
    assert line.asked["dead"] >= 36_000 / (LONGEST_SKIP_S + 10)


@pytest.mark.hazard(16)
async def test_a_device_behind_a_line_that_was_down_for_long_is_asked_at_its_next_tick():
    device = Turn("i", "meter", 10.0)
    line = Line([device], takes_s={}, dead=set(), until_s=1000.0)
    line.down = True
    await line.run()
    assert line.asked["meter"] == 100  # the line is to blame: nobody is left alone for it
    assert not device.is_probed


async def test_a_device_that_returns_keeps_its_interval_again():
    device = Turn("i", "meter", 10.0)
    line = Line([device], takes_s={}, dead={"meter"}, until_s=1000.0)
    await line.run()
    before = device.state.missed_ticks
    line.dead, line.now, line.until_s = set(), 0.0, 1000.0
    await line.run()
    assert line.got["meter"] == 100
    assert device.state.missed_ticks == before


async def test_a_cancellation_that_a_poll_swallowed_ends_the_turns_after_it():
    """asyncio.wait_for of Python 3.11 does that when the answer comes at the same moment."""
    polls = 0

    async def poll(_: Turn) -> Batch:
        nonlocal polls
        polls += 1
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(10)
        return Batch.empty()

    async def emit(_: Batch) -> None:
        raise AssertionError("nothing was read")

    turns = asyncio.create_task(take_turns([Turn("i", "d", 0.001)], poll, emit))
    await asyncio.sleep(0.01)
    turns.cancel()
    with pytest.raises(asyncio.CancelledError):
        await turns
    assert polls == 1
