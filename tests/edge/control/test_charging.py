"""The loop against simulated OCPP chargers over real WebSockets: shares, fallbacks, lost lines."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from kgce.edge.control.charging import Charging
from kgce.edge.control.config import ChargingTable
from kgce.edge.local.snapshot import Live
from tests.collectors.ocpp.central import Central, Clock
from tests.edge.fakes import until

pytestmark = pytest.mark.timeout(60)

NAMES = ("c1", "c2")


class Site:
    """A central system with two chargers, a main meter whose currents the test sets, and the loop."""

    def __init__(self, version: str) -> None:
        self.clock = Clock()
        devices = [{"charger": f"CP-{name}", "institution": "o", "device": name, "interval_s": 3600} for name in NAMES]
        self.central = Central({"port": 0, "devices": devices}, self.clock)
        self.live: dict[tuple[str, str, str], Live] = {}
        self.events: list = []
        self.version = version
        table = ChargingTable.model_validate({
            "site_limit_a": 50, "institution": "o", "main_meter": "main",
            "chargers": [{"institution": "o", "device": name, "fallback_a": 6.0} for name in NAMES],
        })  # fmt: skip
        self.loop = Charging(table, self.live.get, lambda: [self.central.source], self.events.append, self.clock)
        self.chargers: dict = {}

    def building(self, amperes: float) -> None:
        self.draws("main", amperes, name="current_l1")

    def draws(self, device: str, amperes: float, *, name: str = "current") -> None:
        self.live["o", device, name] = Live(round(self.clock.now * 1000), amperes, 0)

    def limits(self) -> dict[str, float | None]:
        return {name: self.chargers[name].profiles.limit_a() for name in self.chargers}

    async def step(self, seconds: float = 0.0) -> None:
        self.clock.now += seconds
        await self.loop.step()


@asynccontextmanager
async def running(version: str = "1.6"):
    site = Site(version)
    jobs = [asyncio.create_task(site.central.source.run(site.central.emit))]
    await until(lambda: site.central.source.port)
    for name in NAMES:
        charger = site.central.charger(f"CP-{name}", version=version)
        site.chargers[name] = charger
        jobs.append(asyncio.create_task(charger.run()))
    await until(lambda: site.central.of("charging_state").count(0.0) >= 2, timeout_s=20)
    yield site
    for job in reversed(jobs):
        job.cancel()
    await asyncio.gather(*jobs, return_exceptions=True)
    site.central.source.close()


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
async def test_chargers_get_what_the_building_leaves(version: str) -> None:
    async with running(version) as site:
        site.building(20.0)
        await site.step()
        assert site.limits() == {"c1": 15.0, "c2": 15.0}
        site.building(43.0)
        await site.step(10)
        assert sorted(site.limits().values()) == [0.0, 7.0], "one of them pauses"
        assert [event.id for event in site.events] == ["control.share"] * 4


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
async def test_when_the_gateway_dies_every_charger_falls_back_by_itself(version: str) -> None:
    async with running(version) as site:
        site.building(0.0)
        await site.step()
        assert site.limits() == {"c1": 25.0, "c2": 25.0}
        site.clock.now += 29
        assert site.limits() == {"c1": 25.0, "c2": 25.0}
        site.clock.now += 2  # three periods of 10 s have passed, and nobody renewed anything
        assert site.limits() == {"c1": 6.0, "c2": 6.0}


async def test_what_chargers_draw_is_not_taken_for_the_building() -> None:
    async with running() as site:
        site.building(45.0)
        site.draws("c1", 16.0)
        site.draws("c2", 9.0)
        await site.step()
        assert site.limits() == {"c1": 15.0, "c2": 15.0}


async def test_a_main_meter_that_is_silent_means_fallback_for_all() -> None:
    async with running() as site:
        site.building(0.0)
        await site.step()
        await site.step(31)
        assert site.limits() == {"c1": 6.0, "c2": 6.0}
        assert site.loop.status()["building_a"] is None


@pytest.mark.hazard(47)
async def test_a_charger_that_was_away_keeps_its_room_and_gets_its_share_again() -> None:
    """Set-points are told again after a reconnect, and never a default such as 0."""
    async with running() as site:
        site.building(20.0)
        await site.step()
        point = site.central.source._talking.pop("CP-c2")
        site.building(20.0)
        await site.step(10)
        assert site.loop.status()["chargers"][1]["reachable"] is False
        site.building(10.0)
        await site.step(10)
        assert site.limits()["c1"] == 25.0, "50 - 10 of the building - 15 that the lost one may still draw"
        site.central.source._talking["CP-c2"] = point
        site.building(10.0)
        await site.step(10)
        await site.step(1)
        assert site.limits() == {"c1": 20.0, "c2": 20.0}


@pytest.mark.hazard(39)
async def test_a_share_holds_only_from_now_on() -> None:
    """A command kept by somebody and given out later has run out by then."""
    async with running() as site:
        site.building(0.0)
        await site.step()
        profile = site.chargers["c1"].profiles._by_level[1]
        assert profile[2] - profile[1] == 30
        assert profile[1] == pytest.approx(site.clock.now, abs=1)


async def test_a_charger_without_a_car_leaves_its_share() -> None:
    async with running() as site:
        site.building(18.0)
        site.live["o", "c2", "charging_state"] = Live(0, 0.0, 0)
        await site.step()
        assert site.limits() == {"c1": 32.0, "c2": 0.0}
