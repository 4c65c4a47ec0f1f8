"""`kgce edge run`: a gateway from a file, until it is stopped."""

import asyncio
import contextlib
import signal
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from kgce.cli.logs import LogStyle, set_up
from kgce.cli.terminal import say
from kgce.cli.until_stopped import leave_hanging_threads, run, until_stopped
from kgce.domain.ports import Registry, Sink, Source
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
    log: Annotated[LogStyle, typer.Option("--log", help="Log lines: text, or a JSON object each.")] = LogStyle.AUTO,
    json: Annotated[bool, typer.Option("--json", help="Final status as JSON on standard output.")] = False,
) -> None:
    """Run a gateway until Ctrl-C: poll and subscribe, check, buffer on disk, hand over to the store.

    Example: kgce edge run gateway.toml
    """
    from kgce.cli.terminal import print_json
    from kgce.edge.config import load_config
    from kgce.edge.station import Station
    from kgce.edge.uplink.config import DuckDbSink
    from kgce.store.open import open_registry

    set_up(log)
    config = load_config(file)
    if config.remote is not None:
        from kgce.edge.remote.versions import start_version

        config = start_version(file, config).config
    folder = db or (config.sink.path if isinstance(config.sink, DuckDbSink) else None)
    with contextlib.ExitStack() as closing:
        registry = closing.enter_context(contextlib.closing(open_registry(folder))) if folder is not None else None
        station = closing.enter_context(Station(config, file=file))
        _declare_always(station, registry)
        run(_run(station, limit_s))
        print_json(station.gateway.status()) if json else tell_hand_overs(station.gateway.counters())
    leave_hanging_threads()


async def _run(station: Any, limit_s: float | None) -> None:
    loop = asyncio.get_running_loop()
    reloads: set[asyncio.Task[None]] = set()

    def reload() -> None:
        task = asyncio.create_task(station.reload(), name="reload")
        reloads.add(task)
        task.add_done_callback(reloads.discard)

    job = asyncio.create_task(station.gateway.run(), name="gateway")
    stop = asyncio.create_task(until_stopped(limit_s), name="stop")
    loop.add_signal_handler(signal.SIGHUP, reload)
    done, _ = await asyncio.wait({job, stop}, return_when=asyncio.FIRST_COMPLETED)
    loop.remove_signal_handler(signal.SIGHUP)
    stop.cancel()
    job.cancel()
    ended = await asyncio.gather(job, return_exceptions=True)
    if job in done and isinstance(ended[0], BaseException):
        raise ended[0]


def build_station(tables: Mapping[str, Any], *, sink: Sink, registry: Registry) -> Any:
    """A gateway from configuration tables, its metering points made known to the registry."""
    from kgce.edge.config import parse_config
    from kgce.edge.station import Station

    station = Station(parse_config(tables), sink=sink)
    _declare_always(station, registry)
    return station


def _declare_always(station: Any, registry: Registry | None) -> None:
    """Now, and whenever a new configuration brings new points."""
    if registry is None:
        return

    def tell(sources: Iterable[Source]) -> None:
        declare(registry, [point for source in sources for point in source.points()])

    tell(station.sources())
    station.on_sources(tell)


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
