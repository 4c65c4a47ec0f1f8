"""`kgce edge check`: everything wrong with a gateway file, offline; with --connect every point read once."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from kgce.cli.terminal import Advance, figure, print_json, print_table, progress, say
from kgce.domain.batch import Batch, Quality
from kgce.domain.errors import KgceError
from kgce.domain.ports import Pollable, Source
from kgce.domain.quantities import quantity_of

Row = dict[str, Any]


def edge_check(
    file: Annotated[Path, typer.Argument(help="Gateway file (TOML).", show_default=False)],
    connect: Annotated[bool, typer.Option("--connect", help="Read each point of each device once.")] = False,
    wait_s: Annotated[
        float, typer.Option("--wait", min=0.1, max=3600, help="Seconds to listen to devices that speak by themselves.")
    ] = 15.0,
    json: Annotated[bool, typer.Option("--json", help="Machine-readable output on standard output.")] = False,
) -> None:
    """Check a gateway file wholly, without a socket; with --connect also read every point once.

    Exit code 0: all is well; 1: a device did not answer or a value is not sound; 2: the file is wrong.

    Example: kgce edge check gateway.toml --connect
    """
    from kgce.edge.config import load_config, problems_of

    problems = problems_of(file)
    if problems:
        if json:
            print_json({"file": str(file), "problems": [{"where": one.where, "what": one.what} for one in problems]})
        else:
            rows = [(one.where, one.what) for one in problems]
            print_table(f"{file}: {len(rows)} to change", ("where", "what"), rows, wrap=("what",))
        raise typer.Exit(2)
    config = load_config(file)
    sources = _sources(config)
    summary = [_summary(source) for source in sources]
    read = asyncio.run(_connect_all(config, sources, wait_s, quiet=json)) if connect else []
    if json:
        print_json({"file": str(file), "problems": [], "links": summary, "readings": read})
    else:
        _tell(file, summary, read, connected=connect)
    if any(row["error"] or row["note"] not in _SOUND for row in read):
        raise typer.Exit(1)


_SOUND = frozenset({"", "unverified", "not available"})  # what a device lacks is no fault of the file


async def _connect_all(config: Any, sources: Sequence[Source], wait_s: float, *, quiet: bool) -> list[Row]:
    """Every reading with what commissioning must know: unverified points, and word orders that make no sense."""
    from kgce.collectors.modbus.slips import hints
    from kgce.collectors.unverified import unverified_points

    rows = await _connect(sources, wait_s, quiet=quiet)
    unverified = unverified_points(config.collectors)
    answered = {(row["institution"], row["device"]) for row in rows if not row["error"]}
    odd: dict[tuple[str, str, str], str] = {}
    for link in config.collectors.modbus:
        for device in link.devices:
            place = (device.institution, device.device)
            if place in answered:
                odd |= {(*place, name): hint for name, hint in (await hints(link, device)).items()}
    for row in rows:
        point = (row["institution"], row["device"], row["quantity"])
        notes = (row["note"], odd.get(point, ""), "unverified" if point in unverified else "")
        row["note"] = ", ".join(filter(None, notes))
    return rows


def _sources(config: Any) -> list[Source]:
    from kgce.collectors.drivers import build_sources

    return build_sources(config.collectors)


def _summary(source: Source) -> Row:
    devices = [status.device for status in source.status()]
    return {"link": source.name, "devices": devices, "metering_points": len(source.points())}


async def _connect(sources: Sequence[Source], wait_s: float, *, quiet: bool) -> list[Row]:
    """Readings of every device, links side by side, one request at a time on each."""
    polled = sum(len(source.status()) for source in sources if isinstance(source, Pollable))
    with progress("reading", quiet=quiet) as advance:
        done = _Done(advance, polled)
        jobs = [
            _poll_all(source, done) if isinstance(source, Pollable) else _listen(source, wait_s) for source in sources
        ]
        return [row for rows in await asyncio.gather(*jobs) for row in rows]


class _Done:
    """Counts devices for the progress bar."""

    def __init__(self, advance: Advance, total: int) -> None:
        self._advance, self._total, self._done = advance, total, 0

    def one(self) -> None:
        self._done += 1
        self._advance(self._done, self._total)


async def _poll_all(source: Any, done: _Done) -> list[Row]:
    rows: list[Row] = []
    try:
        for status in source.status():
            try:
                rows += _rows(source.name, await source.poll(status.device))
            except KgceError as error:
                rows.append(_row(source.name, status.institution, status.device, error=str(error)))
            done.one()
    finally:
        source.close()
    return rows


async def _listen(source: Source, wait_s: float) -> list[Row]:
    """The newest reading of everything that spoke within the time; who did not speak is named."""
    newest: dict[tuple[str, str, str], Row] = {}

    async def emit(batch: Batch) -> None:
        for row in _rows(source.name, batch):
            newest[row["institution"], row["device"], row["quantity"]] = row

    job = asyncio.create_task(source.run(emit))
    await asyncio.wait({job}, timeout=wait_s)
    ended = job.done() and job.exception()
    if not job.done():
        job.cancel()
        await asyncio.gather(job, return_exceptions=True)
    heard = {(row["institution"], row["device"]) for row in newest.values()}
    silent = [
        _row(
            source.name,
            status.institution,
            status.device,
            error=str(ended or status.last_error or f"nothing heard in {wait_s:g} s"),
        )
        for status in source.status()
        if (status.institution, status.device) not in heard
    ]
    return [*newest.values(), *silent]


def _rows(link: str, batch: Batch) -> list[Row]:
    from kgce.edge.checks.checks import Checks

    marked = Checks(clock=time.time).check(batch).batch
    rows = []
    for place, value, quality in zip(
        marked.index.tolist(), marked.value.tolist(), marked.quality.tolist(), strict=True
    ):
        series = marked.series[place]
        rows.append(
            _row(link, series.institution, series.device, series.quantity, None if value != value else value, quality)  # noqa: PLR0124 - NaN
        )
    return rows


def _row(
    link: str,
    institution: str,
    device: str,
    quantity: str = "",
    value: float | None = None,
    quality: int = 0,
    *,
    error: str = "",
) -> Row:
    return {
        "link": link,
        "institution": institution,
        "device": device,
        "quantity": quantity,
        "value": value,
        "unit": quantity_of(quantity).unit if quantity else "",
        "note": _note(Quality(quality)),
        "error": error,
    }


def _note(quality: Quality) -> str:
    if quality & Quality.BAD:
        return "not available"
    if quality & Quality.OUT_OF_RANGE:
        return "out of range"
    if quality & Quality.SUSPECT:
        return "suspect"
    return "time unsure" if quality & Quality.TIME_UNSURE else ""


def _tell(file: Path, summary: Sequence[Row], read: Sequence[Row], *, connected: bool) -> None:
    devices = sum(len(link["devices"]) for link in summary)
    points = sum(link["metering_points"] for link in summary)
    say(f"{file}: nothing wrong; {len(summary)} links, {devices} devices, {points} metering points")
    if not connected:
        rows = [(link["link"], str(len(link["devices"])), ", ".join(link["devices"])) for link in summary]
        print_table("", ("link", "count", "devices"), rows, right=("count",), wrap=("devices",))
        return
    columns = ("link", "institution", "device", "quantity", "value", "unit", "note", "error")
    shown = [
        tuple(
            figure(row[name], 3) if name == "value" and not row["error"] else str(row[name] or "") for name in columns
        )
        for row in read
    ]
    print_table("", columns, shown, right=("value",), wrap=("note", "error"))
