"""Field hazards of values (shared/facts/devices.md, section 4.4), judged by what leaves the gateway for the sink."""

import asyncio
import math

import pytest

from kgce.domain.batch import Batch, Quality
from kgce.domain.tree import Series
from kgce.edge.buffer.buffer import Buffer
from kgce.edge.checks.checks import Checks
from kgce.edge.checks.rates import RATES, max_per_hour
from kgce.edge.gateway import Gateway
from kgce.edge.uplink.config import UplinkTable
from tests.edge.fakes import ENERGY, NOW_MS, POWER, FakeSource, MemorySink, clock, until

STEP_MS = 10_000
GATEWAY_CACHE_MS = 900_000


async def leaves(tmp_path, values: list[float], *, rates=None, series: Series = ENERGY) -> list[tuple[float, Quality]]:
    """(value, quality) of one counter's readings, 10 s apart, as the sink gets them."""
    batches = [Batch.from_rows([(series, NOW_MS - 10**8 + at * STEP_MS, v, 0)]) for at, v in enumerate(values)]
    return await run(tmp_path, batches, Checks(clock=clock, rates=rates or {}))


async def leaves_from(tmp_path, rows: list[tuple[Series, int, float]], checks: Checks) -> list[tuple[float, Quality]]:
    """(value, quality) of these rows, one batch each, as the sink gets them, by time."""
    return await run(tmp_path, [Batch.from_rows([(*row, 0)]) for row in rows], checks)


async def run(tmp_path, batches: list[Batch], checks: Checks) -> list[tuple[float, Quality]]:
    sink = MemorySink()
    with Buffer(tmp_path, clock=clock) as buffer:
        gateway = Gateway(
            "gw",
            [FakeSource("s", batches)],
            sink,
            buffer,
            clock=clock,
            checks=checks,
            uplink=UplinkTable(flush_interval_s=0.01),
        )
        running = asyncio.create_task(gateway.run())
        await until(lambda: len(sink.rows) == sum(map(len, batches)) and not buffer.waiting_rows())
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    return [(value, Quality(bits)) for _, (value, bits) in sorted(sink.rows.items(), key=lambda row: row[0][1])]


@pytest.mark.hazard(33)
async def test_a_counter_that_reads_0_for_one_poll_leaves_suspect_and_the_baseline_stays(tmp_path) -> None:
    assert await leaves(tmp_path, [5000.0, 0.0, 5000.1, 5000.2]) == [
        (5000.0, Quality.GOOD), (0.0, Quality.SUSPECT), (5000.1, Quality.GOOD), (5000.2, Quality.GOOD),
    ]  # fmt: skip


@pytest.mark.hazard(34)
async def test_a_true_reset_is_suspect_until_three_further_readings_confirm_it(tmp_path) -> None:
    found = await leaves(tmp_path, [5000.0, 0.0, 0.1, 0.2, 0.3, 0.4])
    assert [quality for _, quality in found] == [0, Quality.SUSPECT, Quality.SUSPECT, Quality.SUSPECT, 0, 0]


@pytest.mark.hazard(34)
@pytest.mark.parametrize("last", [838_860.7, 999_999.99, 42_949_672.95], ids=["23 bit", "six digits", "32 bit"])
async def test_a_roll_over_is_never_guessed_from_the_number_alone(tmp_path, last) -> None:
    """Every value leaves as it was read; the ledger asks for a declared modulus before it adds one."""
    found = await leaves(tmp_path, [last - 0.1, last, 0.05, 0.1, 0.15, 0.2])
    assert [value for value, _ in found] == [last - 0.1, last, 0.05, 0.1, 0.15, 0.2]
    assert [quality for _, quality in found] == [0, 0, Quality.SUSPECT, Quality.SUSPECT, Quality.SUSPECT, 0]


@pytest.mark.hazard(35)
async def test_a_spike_leaves_the_gateway_marked_not_only_logged(tmp_path, caplog) -> None:
    found = await leaves(tmp_path, [100.0, 9_000_000.0, 100.1, 100.2])
    assert found[1] == (9_000_000.0, Quality.SUSPECT)
    assert found[2:] == [(100.1, Quality.GOOD), (100.2, Quality.GOOD)]


@pytest.mark.hazard(32)
@pytest.mark.parametrize("raw", [0xFFFFFFFE, 0x7FFFFFFE, 0x80000001], ids=hex)
async def test_one_off_the_marker_is_more_than_any_supply_delivers_and_never_confirmed(tmp_path, raw) -> None:
    """A register of 0.01 kWh one off its marker for "not available", repeated for ever."""
    found = await leaves(tmp_path, [1234.5, *[raw * 0.01] * 6, 1234.6])
    assert [quality for _, quality in found] == [Quality.GOOD, *[Quality.SUSPECT] * 6, Quality.GOOD]


@pytest.mark.hazard(32)
async def test_a_site_narrows_the_bound_to_its_rated_power(tmp_path) -> None:
    rated = {"main.active_energy_import": 250.0}  # a 250 kW supply: 4.17 kWh in the shortest span of a minute
    good = await leaves(tmp_path / "a", [100.0, 104.0], rates=rated)
    over = await leaves(tmp_path / "b", [100.0, 104.2], rates=rated)
    assert [good[1][1], over[1][1]] == [Quality.GOOD, Quality.SUSPECT]


async def test_what_flowed_in_an_outage_is_no_leap(tmp_path) -> None:
    rows = [(ENERGY, NOW_MS - 10**8, 0.0, 0), (ENERGY, NOW_MS - 10**8 + 10 * 3_600_000, 2400.0, 0)]
    found = await run(
        tmp_path, [Batch.from_rows([row]) for row in rows], Checks(clock=clock, rates={"active_energy_import": 250.0})
    )
    assert [quality for _, quality in found] == [0, 0]


def test_the_bound_of_a_device_is_nearer_than_that_of_its_field_and_its_quantity() -> None:
    rates = {"m1.active_energy_import_l1": 1.0, "active_energy_import_l1": 2.0, "active_energy_import": 3.0}
    names = [("m1", "active_energy_import_l1"), ("m2", "active_energy_import_l1"), ("m2", "active_energy_import_l2")]
    assert [max_per_hour(*name, rates) for name in names] == [1.0, 2.0, 3.0]
    assert max_per_hour("m", "water_volume", {}) == RATES["m3"]
    assert max_per_hour("m", "startups", {}) == max_per_hour("m", "voltage", {}) == math.inf


def polls(counter: list[float], power_kw: list[float]) -> list[Batch]:
    """Polls a quarter of an hour apart: a counter and the power of the same device."""
    times = [NOW_MS - 10**8 + at * GATEWAY_CACHE_MS for at in range(len(counter))]
    return [
        Batch.from_rows([(POWER, time_ms, kw, 0), (ENERGY, time_ms, kwh, 0)])
        for time_ms, kwh, kw in zip(times, counter, power_kw, strict=True)
    ]


async def counter_qualities(tmp_path, counter: list[float], power_kw: list[float]) -> str:
    found = await run(tmp_path, polls(counter, power_kw), Checks(clock=clock))
    return "".join("x" if quality & Quality.SUSPECT else "." for value, quality in found if value >= 100)


@pytest.mark.hazard(37)
async def test_a_counter_that_stands_still_under_power_is_somebodys_cache(tmp_path) -> None:
    """20 kW for a quarter of an hour are 5 kWh, and this counter was seen to move by 5; three such steps are too many."""
    counter = [1000.0, 1005.0, 1010.0, *[1010.0] * 5, 1045.0]
    assert await counter_qualities(tmp_path, counter, [20.0] * 9) == "......xx."


@pytest.mark.hazard(37)
async def test_a_counter_that_stands_still_without_power_is_a_building_at_rest(tmp_path) -> None:
    assert await counter_qualities(tmp_path, [1000.0, 1005.0, *[1005.0] * 8], [20.0] + [0.0] * 9) == "." * 10


@pytest.mark.hazard(37)
async def test_export_does_not_make_the_import_counter_suspect(tmp_path) -> None:
    assert await counter_qualities(tmp_path, [1000.0, 1005.0, *[1005.0] * 8], [20.0] + [-50.0] * 9) == "." * 10


async def test_coarse_counters_are_given_their_steps(tmp_path) -> None:
    """40 kWh a step (0.01 kWh times ratios of 4000): eight quarter-hours of 20 kW hide inside one."""
    counter = [1000.0, 1040.0, *[1040.0] * 7, 1080.0]
    assert await counter_qualities(tmp_path, counter, [20.0] * 10) == "." * 10
