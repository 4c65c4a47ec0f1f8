"""Searches on a simulated bus: everybody is found, collisions are told apart digit by digit or said."""

import pytest

from kgce.collectors.mbus.config import MbusLinkConfig
from kgce.collectors.mbus.search import Found, search_primary, search_secondary
from kgce.domain.errors import ConfigError
from kgce.simulators.mbus.models import GAS, HEAT, WATER
from kgce.simulators.mbus.server import MbusServer
from tests.collectors.mbus.bus import bus, meter

EXTRA_S = 0.1  # for a machine that is busy with other things


def line(port: int) -> MbusLinkConfig:
    device = {"institution": "school", "device": "x", "address": 1, "medium": "other"}
    return MbusLinkConfig.model_validate({"host": "127.0.0.1", "port": port, "baudrate": 38_400, "devices": [device]})


def numbers(found: list[Found]) -> list[str]:
    return sorted(one.header.identification for one in found if one.header is not None)


async def test_a_primary_search_finds_who_answers_and_says_where_two_do() -> None:
    meters = [
        meter(2, HEAT, number="10000001", heat_energy=1.0),
        meter(4, WATER, number="10000002", water_volume=1.0),
        meter(5, WATER, number="10000003", water_volume=1.0),
        meter(5, WATER, number="10000006", water_volume=2.0),
    ]
    seen: list[float] = []
    async with MbusServer(bus(*meters)) as server:
        found = await search_primary(
            line(server.port), extra_s=EXTRA_S, addresses=range(1, 7), progress=lambda share, _: seen.append(share)
        )
    assert [(one.target.address, one.header.manufacturer if one.header else None) for one in found] == [
        (2, "KAM"), (4, "HYD"), (5, None),
    ]  # fmt: skip
    assert found[2].note
    assert found[0].secondary == "100000012d2c0804"  # KAM is 2C2D, low byte first
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


async def test_a_secondary_search_tells_meters_apart_by_their_digits() -> None:
    """Three at the factory's address 0; two of them share their first digit."""
    meters = [
        meter(0, WATER, number="17000001", water_volume=1.0),
        meter(0, WATER, number="24000002", water_volume=1.0),
        meter(0, GAS, number="25000003", gas_volume=1.0),
    ]
    seen: list[float] = []
    async with MbusServer(bus(*meters)) as server:
        found = await search_secondary(line(server.port), extra_s=EXTRA_S, progress=lambda share, _: seen.append(share))
    assert numbers(found) == ["17000001", "24000002", "25000003"]
    assert {one.target.mask for one in found} == {"1700000124232907", "2400000224232907", "2500000393153303"}
    assert seen == sorted(seen)


async def test_a_single_meter_is_found_by_the_first_question() -> None:
    asked: list[str] = []
    async with MbusServer(bus(meter(0, WATER, water_volume=1.0))) as server:
        found = await search_secondary(line(server.port), extra_s=EXTRA_S, progress=lambda _, text: asked.append(text))
    assert numbers(found) == ["12345678"]
    assert len(asked) == 2


async def test_two_meters_with_one_number_are_said_not_guessed() -> None:
    meters = [meter(0, WATER, water_volume=1.0), meter(0, GAS, gas_volume=2.0)]
    async with MbusServer(bus(*meters)) as server:
        found = await search_secondary(line(server.port), extra_s=EXTRA_S, mask="12345678")
    assert [(one.target.mask, one.header) for one in found] == [("12345678ffffffff", None)]


async def test_an_empty_bus_has_nobody() -> None:
    async with MbusServer(bus()) as server:
        assert await search_secondary(line(server.port), extra_s=EXTRA_S) == []
        assert await search_primary(line(server.port), extra_s=EXTRA_S, addresses=[1, 2]) == []


async def test_a_mask_that_is_none_is_refused_before_anybody_is_asked() -> None:
    with pytest.raises(ConfigError, match="no secondary address"):
        await search_secondary(line(1), mask="12x4")
