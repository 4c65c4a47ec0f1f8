"""One simulated day read through the whole chain, hour by hour, with the gateway down for three of its hours."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiomqtt
import numpy as np

from kgce.analytics.figures import LedgerRow, ledger
from kgce.analytics.grid import Grid
from kgce.domain.tree import Institution, Point
from kgce.simulators.site import Site
from kgce.simulators.site_config import parse_site
from kgce.store.duckdb.store import DuckDbStore
from kgce.store.open import open_registry
from tests.path.chain import CountingSink, SteppedClock, running_gateway, until

HOUR_MS = 3_600_000
START_MS = 1_772_467_200_000  # 2026-03-03T00:00+08:00, a Tuesday in Jinan's heating season: date -d ... +%s
HOURS = 12
DOWN = range(7, 10)  # steps to the end of which the gateway does not run
INSTITUTION = "office"
METERS = {"meter": "active_energy_import", "water": "water_volume", "gas": "gas_volume"}

# A small building, so that the float32 counter of the electricity meter resolves 1/16 kWh.
SITE = """
[site]
name = "path"
seed = 7

[[building]]
institution = "office"
building = "main"
region = "370199"
name = "Test office"
use = "office"
area_m2 = 600
heated_area_m2 = 500
people = 30

[[building.device]]
id = "meter"
model = "sdm630"
unit = 1
interval_s = 0.8

[[building.device]]
id = "boiler"
model = "lmv5"
unit = 2
interval_s = 0.8

[[building.device]]
id = "charger"
model = "terra_ac"
unit = 3
interval_s = 0.8

[[building.device]]
id = "water"
model = "water_meter"
interval_s = 0.2

[[building.device]]
id = "gas"
model = "gas_meter"
interval_s = 0.2
"""


@dataclass(frozen=True)
class Day:
    """What was planted and what was found."""

    planted: dict[str, list[float]]  # counter at the start and after each hour, by meter, in the store's unit
    hours: dict[str, list[LedgerRow]]
    whole: dict[str, list[LedgerRow]]
    points: dict[str, Point]
    counters: list[dict[str, int]]  # at the end of each run of the gateway
    replaced: int
    rows: int  # readings in the store at the end


async def planted_day(folder: Path, broker_port: int) -> Day:
    """Run the day; every condition is awaited, nothing is timed."""
    clock = SteppedClock(START_MS)
    site = Site(parse_site(SITE, "test"), clock=clock, broker_port=broker_port)
    with DuckDbStore(folder / "readings.duckdb") as store, contextlib.closing(open_registry(folder)) as registry:
        sink = CountingSink(store)
        async with site:
            async with running_gateway(site, broker_port, folder / "gateway", sink, clock) as first:
                points = {point.id: point for point in first.points}
                await _live_through(range(DOWN.start), site, store, clock)
            async with _listening(broker_port) as heard:
                for hour in DOWN:
                    clock.now_ms = START_MS + hour * HOUR_MS
                    await heard(clock.now_ms)
            async with running_gateway(site, broker_port, folder / "gateway", sink, clock) as second:
                await _live_through(range(DOWN.stop, HOURS + 1), site, store, clock)
        registry.save_institutions([Institution(INSTITUTION, "Test office", "370199")])
        registry.save_points(points.values())

        def found(meter: str, grid: Grid) -> list[LedgerRow]:
            return ledger(
                store, registry, institution=INSTITUTION, point=meter, start_ms=START_MS,
                end_ms=START_MS + HOURS * HOUR_MS, grid=grid,
            )  # fmt: skip

        return Day(
            planted={meter: _planted(site, meter) for meter in METERS},
            hours={meter: found(meter, Grid.HOUR) for meter in METERS},
            whole={meter: found(meter, Grid.DAY) for meter in METERS},
            points=points,
            counters=[first.counters, second.counters],
            replaced=sink.total.replaced,
            rows=len(store.read([series.key for series in store.series()], start_ms=0, end_ms=2**53)),
        )


def _planted(site: Site, meter: str) -> list[float]:
    times_ms = [START_MS + hour * HOUR_MS for hour in range(HOURS + 1)]
    return [site.truth(INSTITUTION, meter, METERS[meter], time_ms) for time_ms in times_ms]


async def _live_through(hours: range, site: Site, store: DuckDbStore, clock: SteppedClock) -> None:
    """Step from hour to hour, each time until every meter's reading of that hour is stored and right."""
    for hour in hours:
        clock.now_ms = START_MS + hour * HOUR_MS
        await until(lambda: _all_stored(site, store, clock.now_ms), f"readings of hour {hour}")


def _all_stored(site: Site, store: DuckDbStore, time_ms: int) -> bool:
    """A poll under way while the clock moved may give the old value with the new time; the next poll corrects it."""
    keys = {(INSTITUTION, meter, quantity): meter for meter, quantity in METERS.items()}
    batch = store.read(list(keys), start_ms=time_ms, end_ms=time_ms + 1)
    truth = {key: site.truth(*key, time_ms) for key in keys}
    return len(batch) == len(keys) and all(
        abs(float(value) - truth[batch.series[position].key])
        <= resolution(keys[batch.series[position].key], float(value))
        for position, value in zip(batch.index, batch.value, strict=True)
    )


def resolution(meter: str, value: float) -> float:
    """Smallest step the meter can show: a float32 for electricity, a pulse for water (1 L) and gas (10 L)."""
    steps = {"meter": float(np.spacing(np.float32(value))), "water": 1 / 1000, "gas": 1 / 100}
    return steps[meter] * (1 + 1e-6)


@contextlib.asynccontextmanager
async def _listening(broker_port: int) -> AsyncIterator:
    """Somebody else on the broker, who knows when both meters have reported an hour."""
    async with aiomqtt.Client("127.0.0.1", broker_port, identifier="listener") as client:
        await client.subscribe("kgce-sim/#")

        async def heard(time_ms: int) -> None:
            hour = np.datetime_as_string(np.datetime64(time_ms, "ms"), unit="s")
            missing = {"water", "gas"}
            async for message in client.messages:
                if hour.encode() in message.payload:
                    missing.discard(message.topic.value.rsplit("/", 1)[1])
                if not missing:
                    return

        yield heard
