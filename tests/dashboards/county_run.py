"""The simulated county, read for some seconds through the whole chain into InfluxDB, and its last days before that.

Then the ledgers are worked out, and written beside the readings as `kgce analyze` does it.
"""

import asyncio
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from kgce.analytics.book import Book
from kgce.cli.database import Database
from kgce.cli.publishing import publish
from kgce.domain.batch import Batch
from kgce.domain.events import Event, Severity
from kgce.domain.metering import VirtualMeter
from kgce.domain.tree import Point, Series
from kgce.simulators.county import county, registry_rows
from kgce.simulators.site import Site, load_site
from kgce.simulators.site_config import SiteConfig
from kgce.store.influx.store import InfluxStore
from kgce.store.open import open_registry
from kgce.store.shelf import FolderShelf
from tests.path.chain import running_gateway, until
from tests.servers import Influx

POLLS = 10  # of every device at one poll a second
PAST_MS = 50 * 3_600_000  # two whole local days are inside, wherever the run falls
STEP_MS = 30 * 60_000
SHANGHAI = ZoneInfo("Asia/Shanghai")


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
        store.append_events("test", [Event("clock.jumped", began_ms, "gateway", Severity.WARNING, "it leapt", {})])
        await asyncio.to_thread(_analyze, store, folder, running.points)
    finally:
        store.close()
    return CountyRun(server, db, site, start_ms, began_ms, running.counters)


def _analyze(store: InfluxStore, folder: Path, points: list[Point]) -> None:
    """Ledgers, indicators and their derived series; a third of each main meter stands for each end-use item."""
    with closing(open_registry(folder)) as registry:
        rows = registry_rows(county(), last_year=datetime.now(SHANGHAI).year)
        registry.save_regions(rows.regions)
        registry.save_institutions(rows.institutions)
        registry.save_attributes(rows.attributes)
        registry.save_buildings(rows.buildings)
        registry.save_points(points)
        registry.save_virtual_meters(
            VirtualMeter(name, f"item-{item}", "electricity", "0.25 * 'main-meter'", item=item, building="main")
            for name in ("sim-office-1", "sim-school-1", "sim-hospital-1")
            for item in ("A1", "B1", "C1", "D1")
        )
        at = Database(store, registry, FolderShelf(folder / "shelf"))
        book = Book(store, registry, at.shelf)
        for year in {datetime.fromtimestamp(ms / 1000, SHANGHAI).year for ms in store.extent()}:
            book.bring_up(year)
            publish(at, store, book, year)


def _every_second(config: SiteConfig) -> SiteConfig:
    tables = config.model_dump(by_alias=True, exclude_unset=True)
    for building in tables["building"]:
        for device in building["device"]:
            device["interval_s"] = 1.0
    return SiteConfig.model_validate(tables)


def _polled(store: InfluxStore, keys: list[tuple[str, str, str]], began_ms: int) -> bool:
    batch = store.read(keys, start_ms=began_ms, end_ms=2**53)
    return len(batch.series) == len(keys) and all((batch.index == row).sum() >= POLLS for row in range(len(keys)))


def _value(values: Mapping[str, float], quantity: str) -> float | None:
    """The truth behind a field; a profile may say more in its name (`operating_hours_burner`) than the device."""
    while quantity and quantity not in values:
        quantity = quantity.rpartition("_")[0]
    return values.get(quantity)


def _past(site: Site, series: list[Series], start_ms: int, end_ms: int) -> Batch:
    by_device: dict[tuple[str, str], list[Series]] = {}
    for one in series:
        by_device.setdefault((one.institution, one.device), []).append(one)
    rows = []
    for (institution, device), quantities in by_device.items():
        for time_ms in range(start_ms, end_ms, STEP_MS):
            values = site.device(institution, device).values(time_ms)
            known = [(one, _value(values, one.quantity)) for one in quantities]
            rows += [(one, time_ms, value, 0) for one, value in known if value is not None]
    return Batch.from_rows(rows)
