"""Meters read over real sockets and a pseudo terminal: right values, the right meter, the right time."""

import math

import pytest

from kgce.domain.batch import Quality
from kgce.domain.errors import ConfigError, DeviceUnreachable
from kgce.simulators.faults import Silent
from kgce.simulators.mbus.models import ELECTRICITY, GAS, HEAT, WATER
from kgce.simulators.mbus.server import MbusPort, MbusServer
from tests.collectors.mbus.bus import NOON, NOON_MS, PATIENT, bus, closing, collected, meter, source_for, values

HEATING = {
    "heat_energy": 37351.0,
    "water_volume": 561.08,
    "supply_temperature": 101.69,
    "return_temperature": 46.16,
    "heat_power": 34.7,
    "water_flow": 0.543,
}
WATER_AT = {"address": 1, "medium": "water"}


async def test_a_heat_meter_is_read_over_a_tcp_converter() -> None:
    async with (
        MbusServer(bus(meter(3, HEAT, **HEATING))) as server,
        closing(source_for(server.port, {"address": 3, "medium": "heat"}, **PATIENT)) as source,
    ):
        batch = await source.poll("m1")
    assert values(batch) == pytest.approx(HEATING | {"error_code_status": 0})
    assert set(batch.time_ms.tolist()) == {NOON_MS + 7000}
    assert not batch.quality.any()
    assert {series.measurement for series in batch.series} == {"heat"}


async def test_a_heat_meter_is_read_over_a_serial_port() -> None:
    """A pseudo terminal knows no parity."""
    async with (
        MbusPort(bus(meter(3, HEAT, **HEATING))) as port,
        closing(source_for(port.path, {"address": 3, "medium": "heat"}, parity="N", **PATIENT)) as source,
    ):
        assert values(await source.poll("m1")) == pytest.approx(HEATING | {"error_code_status": 0})


async def test_all_telegrams_of_a_meter_are_one_reading() -> None:
    """The simulated electricity meter sends energy in its first telegram and the rest in a second one (DIF 1F)."""
    shown = {
        "active_energy_import": 409.3,
        "active_power_total": 1.234,
        "voltage": 230.1,
        "current": 5.4,
        "frequency": 50.0,
    }
    async with (
        MbusServer(bus(meter(9, ELECTRICITY, **shown))) as server,
        closing(source_for(server.port, {"address": 9, "medium": "electricity"}, **PATIENT)) as source,
    ):
        for _ in range(3):
            assert values(await source.poll("m1")) == pytest.approx(shown | {"error_code_status": 0})


async def test_a_meter_is_found_by_its_number_wherever_it_sits() -> None:
    """All three have the address 0 they left the factory with."""
    meters = [meter(0, WATER, number=f"1234567{n}", water_volume=float(n)) for n in (1, 2, 3)]
    async with MbusServer(bus(*meters)) as server:
        devices = [{"secondary": f"1234567{n}", "medium": "water"} for n in (1, 2, 3)]
        devices.append({"secondary": "99999999", "medium": "water"})
        async with closing(source_for(server.port, *devices, extra_timeout_s=0.3)) as source:
            for n in (3, 1, 2, 1):
                assert values(await source.poll(f"m{n}"))["water_volume"] == n
            with pytest.raises(DeviceUnreachable, match="99999999"):
                await source.poll("m4")


async def test_two_meters_at_one_address_give_no_reading() -> None:
    """Their answers lie on top of each other; so do those of two meters one mask fits."""
    meters = [meter(1, WATER, number=f"1234567{n}", water_volume=float(n)) for n in (1, 2)]
    async with (
        MbusServer(bus(*meters)) as server,
        closing(source_for(server.port, WATER_AT, {"secondary": "1234567F", "medium": "water"})) as source,
    ):
        for name in ("m1", "m2"):
            with pytest.raises(DeviceUnreachable):
                await source.poll(name)


@pytest.mark.hazard(17)
async def test_a_dead_meter_does_not_silence_the_others() -> None:
    """Ten meters, one of them dead: the others are read again and again, the dead one shows in the status."""
    meters = [meter(n, WATER, number=f"{n:08d}", water_volume=float(n)) for n in range(1, 11)]
    async with MbusServer(bus(*meters)) as server:
        server.set_fault(4, Silent())
        source = source_for(server.port, *[{"address": n, "medium": "water", "interval_s": 2} for n in range(1, 11)])
        batches = await collected(source, lambda got: sum(b.series[0].device == "m10" for b in got) >= 2)
    seen = [batch.series[0].device for batch in batches]
    assert "m4" not in seen
    assert all(seen.count(f"m{n}") >= 1 for n in range(1, 11) if n != 4)
    online = {status.device: status.online for status in source.status()}
    assert online == {f"m{n}": n != 4 for n in range(1, 11)}


@pytest.mark.hazard(30)
@pytest.mark.hazard(31)
async def test_what_the_meter_lacks_is_bad_and_never_zero() -> None:
    shown = HEATING | {"supply_temperature": math.nan, "heat_power": math.nan}
    async with (
        MbusServer(bus(meter(3, HEAT, **shown))) as server,
        closing(source_for(server.port, {"address": 3, "medium": "heat"}, **PATIENT)) as source,
    ):
        batch = await source.poll("m1")
    bad = {
        batch.series[place].quantity
        for place, bits in zip(batch.index, batch.quality, strict=True)
        if bits == Quality.BAD
    }
    assert bad == {"supply_temperature", "heat_power"}
    assert all(math.isnan(values(batch)[name]) for name in bad)


@pytest.mark.hazard(52)
async def test_no_new_sample_while_the_meters_own_time_stands_still() -> None:
    """The meter's clock moves once per two polls; its samples carry that time, in UTC."""
    asked = 0

    def clock() -> float:
        nonlocal asked
        asked += 1
        return NOON + 3600 * ((asked - 1) // 2)

    async with MbusServer(bus(meter(1, GAS, clock=clock, gas_volume=12.0))) as server:
        device = {"address": 1, "medium": "gas", "time": "meter", "interval_s": 0.5, "timezone": "Asia/Shanghai"}
        source = source_for(server.port, device)
        batches = await collected(source, lambda got: len(got) >= 3)
    assert [int(batch.time_ms[0]) for batch in batches[:3]] == [NOON_MS, NOON_MS + 3_600_000, NOON_MS + 7_200_000]
    assert asked >= 5


async def test_a_meter_without_a_clock_gives_nothing_where_its_time_is_wanted() -> None:
    one = meter(1, GAS, gas_volume=12.0)
    one.has_clock = False
    async with (
        MbusServer(bus(one)) as server,
        closing(source_for(server.port, {"address": 1, "medium": "gas", "time": "meter"}, **PATIENT)) as source,
    ):
        with pytest.raises(DeviceUnreachable, match='time = "gateway"'):
            await source.poll("m1")


@pytest.mark.parametrize(
    ("device", "reason"),
    [
        pytest.param({"address": 1, "medium": "water", "number": "87654321"}, "12345678 answers", id="exchanged meter"),
        pytest.param({"address": 1, "medium": "gas"}, "answers as water", id="another medium"),
    ],
)
async def test_another_meter_than_the_configured_one_gives_no_reading(device: dict[str, object], reason: str) -> None:
    async with (
        MbusServer(bus(meter(1, WATER, water_volume=1.0))) as server,
        closing(source_for(server.port, device, **PATIENT)) as source,
    ):
        with pytest.raises(DeviceUnreachable, match=reason):
            await source.poll("m1")


async def test_an_unknown_device_is_a_mistake_of_the_asker() -> None:
    source = source_for(1, WATER_AT)
    with pytest.raises(ConfigError, match="no device 'm7'"):
        await source.poll("m7")
