"""`kgce demo`: simulated buildings, gateway, broker, store, API and console in one process.

Site --Modbus TCP, MQTT--> Gateway --buffer--> TeeSink --> store --> analytics --> API, console
(simulators)               (edge)                 |--> LiveHub --------------------^
"""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import typer

from kgce.cli.database import DEFAULT_DB, Database, DbOption, database
from kgce.cli.gateway import build_station, tell_hand_overs
from kgce.cli.imports import default_data_folder, is_loaded, load_dataset
from kgce.cli.serve import HostOption, PortOption
from kgce.cli.terminal import complain, say
from kgce.cli.until_stopped import run, until_stopped
from kgce.domain.batch import Batch
from kgce.domain.errors import KgceError
from kgce.edge.gateway import Gateway

REAL_DATA = ("cambridge", "benchmark-annual")


def demo(
    host: HostOption = "127.0.0.1",
    port: PortOption = 8000,
    db: DbOption = DEFAULT_DB,
    data: Annotated[
        Path | None, typer.Option("--data", envvar="KGCE_DATA", help="Measured data.", show_default="../shared/data")
    ] = None,
    limit_s: Annotated[
        float | None, typer.Option("--for", min=1, help="Stop by itself after this many seconds.")
    ] = None,
) -> None:
    """Simulated buildings, live, beside real ones: gateway, store, API and console, nothing to install.

    Example: kgce demo, then open http://127.0.0.1:8000
    """
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("transitions").setLevel(logging.ERROR)  # the broker's state machine, chatty at a shutdown
    with database(db) as at:
        run(_demo(at, db, host=host, port=port, data=data or default_data_folder(), limit_s=limit_s))


async def _demo(at: Database, folder: Path, *, host: str, port: int, data: Path, limit_s: float | None) -> None:
    from kgce.api.app import Context, create_app
    from kgce.api.live import LiveHub
    from kgce.api.server import require_port, serve_app
    from kgce.cli.county import seed_county

    require_port(host, port)
    await asyncio.to_thread(seed_county, at)
    hub = LiveHub()
    hub.publish(at.store.latest())
    stopping = threading.Event()
    async with _gateway(at, folder, hub.publish) as gateway:
        context = Context(store=at.store, registry=at.registry, shelf=at.shelf, hub=hub, gateway_status=gateway.status)
        app = create_app(context)  # takes a second, in which no device may be waiting for its answer
        jobs = [
            asyncio.create_task(gateway.run(), name="gateway"),
            asyncio.create_task(serve_app(app, host=host, port=port), name="server"),
            asyncio.create_task(asyncio.to_thread(_load_real_data, at, data, stopping), name="real data"),
        ]
        say(f"kgce demo on http://{host}:{port} (Ctrl-C ends it; everything is kept in {folder})")
        try:
            await _first_failure_or_stop(jobs[:2], limit_s)
        finally:
            stopping.set()
            for job in jobs[:2]:
                job.cancel()
            await asyncio.gather(*jobs, return_exceptions=True)
            tell_hand_overs(gateway.counters())


async def _first_failure_or_stop(jobs: list[asyncio.Task[None]], limit_s: float | None) -> None:
    stop = asyncio.create_task(until_stopped(limit_s), name="stop")
    done, _ = await asyncio.wait([stop, *jobs], return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    for job in done - {stop}:
        job.result()


@asynccontextmanager
async def _gateway(at: Database, folder: Path, seen: Callable[[Batch], object]) -> AsyncIterator[Gateway]:
    from kgce.cli.broker import embedded_broker
    from kgce.edge.uplink.tee import TeeSink
    from kgce.simulators.site import Site, load_site

    async with embedded_broker() as broker_port, Site(load_site("county"), broker_port=broker_port) as site:
        tables = {
            "gateway": {"id": "demo", "folder": str(folder / "gateway")},
            "local": {"enabled": False},  # the console shows all of it
            **site.gateway_config(broker_port),
        }
        with build_station(tables, sink=TeeSink(at.store, seen), registry=at.registry) as station:
            yield station.gateway


def _load_real_data(at: Database, folder: Path, stopping: threading.Event) -> None:
    if not folder.is_dir():
        say(f"no measured data at {folder}: the ranking shows the simulated county (set KGCE_DATA to change that)")
        return
    for name in REAL_DATA:
        if stopping.is_set() or is_loaded(at, name):
            continue
        try:
            report = load_dataset(at, name, folder, quiet=True, go_on=lambda: not stopping.is_set())
        except KgceError as error:
            complain(str(error))
        else:
            say(f"{name}: {report.rows:,} readings loaded, {len(report.findings)} findings")
