"""`kgce edge run`: a gateway from a file, until it is stopped."""

import asyncio
import logging
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from kgce.cli.terminal import say
from kgce.cli.until_stopped import run, until_stopped
from kgce.domain.errors import ConfigError
from kgce.domain.ports import Registry, Sink
from kgce.domain.tree import Institution, Point

edge = typer.Typer(help="The gateway: reads devices, keeps every reading until the store has it.", no_args_is_help=True)

LimitOption = Annotated[float | None, typer.Option("--for", min=0.1, help="Stop by itself after this many seconds.")]


@edge.callback()
def group() -> None:
    """The gateway: reads devices, keeps every reading until the store has it."""


@edge.command("run")
def edge_run(
    file: Annotated[Path, typer.Argument(help="Gateway file (TOML).", show_default=False)],
    db: Annotated[
        Path | None,
        typer.Option("--db", help="Registry folder to make its points known to.", show_default="that of a duckdb sink"),
    ] = None,
    limit_s: LimitOption = None,
    json: Annotated[bool, typer.Option("--json", help="Final status as JSON on standard output.")] = False,
) -> None:
    """Run a gateway until Ctrl-C: poll and subscribe, check, buffer on disk, hand over to the store.

    Example: kgce edge run gateway.toml
    """
    from kgce.cli.terminal import print_json
    from kgce.edge.config import load_config
    from kgce.edge.uplink.config import DuckDbSink
    from kgce.edge.uplink.open import open_sink
    from kgce.store.open import open_registry

    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)  # a line for every request is no news
    config = load_config(file)
    if config.sink is None:
        raise ConfigError(
            f'{file}: no [sink]; add kind = "duckdb" with path, or kind = "influxdb" with url and database'
        )
    folder = db or (config.sink.path if isinstance(config.sink, DuckDbSink) else None)
    registry = open_registry(folder) if folder is not None else None
    sink = open_sink(config.sink, config.gateway.id)
    try:
        gateway = _gateway(config, sink, registry)
        try:
            run(_run(gateway, limit_s))
            print_json(gateway.status()) if json else tell_hand_overs(gateway.counters())
        finally:
            gateway.close()
    finally:
        sink.close()
        if registry is not None:
            registry.close()


async def _run(gateway: Any, limit_s: float | None) -> None:
    job = asyncio.create_task(gateway.run(), name="gateway")
    stop = asyncio.create_task(until_stopped(limit_s), name="stop")
    done, _ = await asyncio.wait({job, stop}, return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    job.cancel()
    ended = await asyncio.gather(job, return_exceptions=True)
    if job in done and isinstance(ended[0], BaseException):
        raise ended[0]


def build_gateway(tables: Mapping[str, Any], *, sink: Sink, registry: Registry) -> Any:
    """A gateway from configuration tables, its metering points made known to the registry."""
    from kgce.edge.config import parse_config

    return _gateway(parse_config(tables), sink, registry)


def _gateway(config: Any, sink: Any, registry: Registry | None) -> Any:
    from kgce.collectors.drivers import build_sources
    from kgce.edge.gateway import Gateway

    sources = build_sources(config.collectors)
    if registry is not None:
        declare(registry, [point for source in sources for point in source.points()])
    return Gateway(
        config.gateway.id,
        sources,
        sink,
        config.make_buffer(time.time),
        checks=config.make_checks(time.time),
        uplink=config.uplink,
    )


def declare(registry: Registry, points: Iterable[Point]) -> None:
    """Make metering points known, and institutions nobody has registered yet under their id."""
    points = list(points)
    known = {institution.id for institution in registry.institutions()}
    new = {point.series.institution: point.series.region for point in points if point.series.institution not in known}
    registry.save_institutions(Institution(name, name, region) for name, region in new.items())
    registry.save_points(points)


def tell_hand_overs(counts: Mapping[str, int]) -> None:
    """One line: every polled reading is somewhere."""
    parts = " + ".join(f"{counts[name]:,} {name}" for name in ("stored", "duplicate", "refused", "dropped", "waiting"))
    say(f"{counts['polled']:,} polled = {parts}")
