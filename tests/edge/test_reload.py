"""A running gateway follows a new configuration: whole or not at all, and whoever is not concerned notices nothing."""

import asyncio
from contextlib import asynccontextmanager
from typing import ClassVar

import pytest

from kgce.domain.errors import ConfigError
from kgce.edge.config import parse_config
from kgce.edge.fleet import Fleet
from kgce.edge.station import Station
from tests import servers
from tests.edge.fakes import FakeSource, MemorySink, power_batch, until
from tests.faults.meter import Meter

pytestmark = pytest.mark.timeout(60)


def tables(folder, *ports: int, **more) -> dict:
    """A gateway that reads a meter at each port."""
    return {
        "gateway": {"id": "gw-1", "folder": str(folder / "gw")},
        "local": {"enabled": False},
        "modbus": [
            {
                "host": "127.0.0.1", "port": port, "timeout_s": 0.2,
                "devices": [{"device": f"m{port}", "unit": 1, "profile": "eastron-sdm630", "interval_s": 0.25, "institution": "o"}],
            }
            for port in ports
        ],
        **more,
    }  # fmt: skip


@asynccontextmanager
async def meters(folder, count: int):
    """Real Modbus TCP servers, each with the list of what it served."""
    found = []
    for number in range(count):
        port, meter = servers.free_port(), Meter(folder / f"{number}.txt")
        found.append((port, meter, await asyncio.start_server(meter.serve, "127.0.0.1", port)))
    yield [(port, meter) for port, meter, _ in found]
    for _, meter, server in found:
        server.close()
        meter.list.close()


@asynccontextmanager
async def running(tables_: dict):
    """A station at work."""
    with Station(parse_config(tables_), sink=MemorySink()) as station:
        job = asyncio.create_task(station.gateway.run())
        yield station
        job.cancel()
        await asyncio.gather(job, return_exceptions=True)


async def test_an_unchanged_link_misses_no_tick_while_another_is_replaced(tmp_path) -> None:
    async with meters(tmp_path, 3) as ((a, kept), (b, _), (c, fresh)), running(tables(tmp_path, a, b)) as station:
        await until(lambda: kept.value >= 1003)
        source = station.sources()[0]
        change = await station.reloader.change_to(parse_config(tables(tmp_path, a, c)))
        assert (change.kind, station.sources()[0] is source) == ("reload", True)
        await until(lambda: fresh.value >= 1003)
        devices = {one["device"]: one for one in station.gateway.status()["devices"]}
        assert set(devices) == {f"m{a}", f"m{c}"}
        assert devices[f"m{a}"]["missed_ticks"] == devices[f"m{a}"]["failures"] == 0


async def test_new_limits_and_rates_are_followed_without_touching_a_source(tmp_path) -> None:
    async with meters(tmp_path, 1) as ((port, meter),), running(tables(tmp_path, port)) as station:
        await until(lambda: meter.value >= 1002)
        source = station.sources()[0]
        new = tables(tmp_path, port, checks={"limits": {"voltage": [100.0, 200.0]}}, uplink={"rows_per_message": 7})
        await station.reloader.change_to(parse_config(new))
        await until(lambda: station.gateway.status()["marks"].get("value.out_of_range", 0) > 0)
        assert station.sources()[0] is source
        assert not station.gateway.status()["marks"].get("counter.fell"), "what the old checks knew, the new ones know"


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"gateway": {"id": "gw-2", "folder": "x"}}, "gateway.id"),
        ({"buffer": {"max_mb": 5}}, "buffer.max_mb"),
        ({"local": {"enabled": True}}, "local.enabled"),
    ],
)
async def test_what_needs_a_restart_is_refused_whole_and_told(tmp_path, changed, named: str) -> None:
    async with meters(tmp_path, 2) as ((a, kept), (b, _)), running(tables(tmp_path, a)) as station:
        await until(lambda: kept.value >= 1002)
        with pytest.raises(ConfigError, match=named):
            await station.reloader.change_to(parse_config({**tables(tmp_path, a, b), **changed}))
        assert len(station.sources()) == 1
        status = station.gateway.status()
        assert named in status["config"]["refused"]["reason"]
        assert [event["id"] for event in status["events"]["latest"]] == ["config.refused"]


async def test_a_file_that_is_wrong_anywhere_changes_nothing(tmp_path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text("[gateway]\nid = 'gw-1'\nfolder = 'gw'\n[checks]\nlimits.nonsense = [1, 2]\n")
    async with meters(tmp_path, 1) as ((port, meter),):
        with Station(parse_config(tables(tmp_path, port)), file=file, sink=MemorySink()) as station:
            job = asyncio.create_task(station.gateway.run())
            await until(lambda: meter.value >= 1002)
            await station.reload()
            assert "nonsense" in station.gateway.status()["config"]["refused"]["reason"]
            before = meter.value
            await until(lambda: meter.value >= before + 3)
            job.cancel()
            await asyncio.gather(job, return_exceptions=True)


class Clingy(FakeSource):
    """Needs a moment to let go of its line."""

    lines: ClassVar[set[str]] = set()

    async def run(self, emit) -> None:
        assert self.name not in self.lines, "two sources on one line"
        self.lines.add(self.name)
        try:
            await super().run(emit)
        finally:
            await asyncio.sleep(0.1)
            self.lines.discard(self.name)


async def test_a_replaced_source_has_let_go_of_its_line_before_its_successor_starts() -> None:
    first, second = Clingy("line-1", [power_batch(0)]), Clingy("line-1", [power_batch(1)])
    taken = []

    def emitter(_source):
        async def emit(batch) -> None:
            taken.append(batch)

        return emit

    fleet = Fleet([first], emitter)
    job = asyncio.create_task(fleet.run())
    await until(lambda: len(taken) == 1)
    await fleet.run_only([second])
    await until(lambda: len(taken) == 2)
    assert [one["restarts"] for one in fleet.status()] == [0]
    job.cancel()
    await asyncio.gather(job, return_exceptions=True)
    assert not Clingy.lines
