"""The simulated county, read for some seconds through the whole chain into InfluxDB, and its last days before that."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kgce.domain.batch import Batch
from kgce.domain.tree import Series
from kgce.simulators.site import Site, load_site
from kgce.simulators.site_config import SiteConfig
from kgce.store.influx.store import InfluxStore
from tests.path.chain import running_gateway, until
from tests.servers import Influx

POLLS = 10  # of every device at one poll a second
PAST_MS = 50 * 3_600_000  # two whole local days are inside, wherever the run falls
STEP_MS = 30 * 60_000


@dataclass(frozen=True)
class CountyRun:
    """Where the readings are, and the county that knows the truth."""

    server: Influx
    db: str
    site: Site
    start_ms: int  # of the past
    end_ms: int  # of the past, where the live run begins
    counters: Mapping[str, int]


async def county_run(server: Influx, db: str, folder: Path, broker_port: int) -> CountyRun:
    """Live readings come through the chain; the past is the same truth, stored for every series the chain made."""
    site = Site(_every_second(load_site("county")), broker_port=broker_port)
    store = InfluxStore(server.url, db)
    start_ms = int(time.time() * 1000) - PAST_MS
    try:
        async with site:
            began_ms = int(time.time() * 1000)
            async with running_gateway(site, broker_port, folder, store, time.time) as running:
                keys = [point.series.key for point in running.points]
                await until(lambda: _polled(store, keys, began_ms), f"{POLLS} polls of {len(keys)} meters")
        await asyncio.to_thread(store.append, _past(site, store.series(), start_ms, began_ms))
    finally:
        store.close()
    return CountyRun(server, db, site, start_ms, began_ms, running.counters)


def _every_second(config: SiteConfig) -> SiteConfig:
    tables = config.model_dump(by_alias=True, exclude_unset=True)
    for building in tables["building"]:
        for device in building["device"]:
            device["interval_s"] = 1.0
    return SiteConfig.model_validate(tables)


def _polled(store: InfluxStore, keys: list[tuple[str, str, str]], began_ms: int) -> bool:
    batch = store.read(keys, start_ms=began_ms, end_ms=2**53)
    return len(batch.series) == len(keys) and all((batch.index == row).sum() >= POLLS for row in range(len(keys)))


def _past(site: Site, series: list[Series], start_ms: int, end_ms: int) -> Batch:
    by_device: dict[tuple[str, str], list[Series]] = {}
    for one in series:
        by_device.setdefault((one.institution, one.device), []).append(one)
    rows = []
    for (institution, device), quantities in by_device.items():
        for time_ms in range(start_ms, end_ms, STEP_MS):
            values = site.device(institution, device).values(time_ms)
            rows += [(one, time_ms, values[one.quantity], 0) for one in quantities]
    return Batch.from_rows(rows)
