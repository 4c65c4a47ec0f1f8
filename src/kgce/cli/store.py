"""`kgce store`: set up, look at, compact, back up and move the home of readings."""

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kgce.cli.database import DEFAULT_DB, JsonOption
from kgce.cli.terminal import print_json, print_table, progress, say

if TYPE_CHECKING:
    from kgce.domain.ports import ReadingStore
    from kgce.store.copying import Copied

app = typer.Typer(help="Set up, look at, compact, back up and move the home of readings.", no_args_is_help=True)

_WHERE = "Folder, or http://HOST:PORT/DATABASE of an InfluxDB or VictoriaMetrics."
StoreOption = Annotated[str, typer.Option("--store", envvar="KGCE_STORE", help=_WHERE)]
_INCOMPLETE = 1


@app.command()
def init(
    store: StoreOption = str(DEFAULT_DB),
    keep: Annotated[
        str | None,
        typer.Option("--keep", help="How long readings stay: 400d, 5y, forever.", show_default="as it is"),
    ] = None,
    hourly: Annotated[
        str | None, typer.Option("--hourly", help="Make hourly figures and keep them so long.", show_default="none")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Make the store ready: file or database, retention, hourly figures. Twice changes nothing.

    Example: kgce store init --store http://127.0.0.1:8086/kgce --keep 3y --hourly 20y
    """
    from kgce.store.open import READINGS_FILE
    from kgce.store.set_up import set_up

    file = Path(store) / READINGS_FILE
    is_new = "://" not in store and not file.exists()
    at = _opened(store)
    try:
        done = [*([f"made {file}"] if is_new else []), *set_up(at, keep=keep, hourly=hourly)]
        at.status()
    finally:
        at.close()
    if json:
        print_json({"store": store, "changed": done})
        return
    for line in done:
        say(line)
    say("ready" if done else "ready; nothing had to be changed")


@app.command()
def status(store: StoreOption = str(DEFAULT_DB), json: JsonOption = False) -> None:
    """What the store is, what it holds, how it is set up.

    Example: kgce store status --store ./kgce-data
    """
    at = _opened(store, read_only=True)
    try:
        found = at.status()
    finally:
        at.close()
    if json:
        print_json(asdict(found))
        return
    rows = [("store", found.kind), ("at", found.target), ("series", f"{found.series:,}")]
    rows += [("readings", f"{_time(found.first_ms)} to {_time(found.last_ms)}")] if found.first_ms is not None else []
    print_table("store", ("what", "is"), [*rows, *found.details.items()], wrap=("is",))


@app.command()
def compact(
    db: Annotated[Path, typer.Option("--db", help="Folder of the embedded store.")] = DEFAULT_DB,
    json: JsonOption = False,
) -> None:
    """Write the embedded store anew: sorted, so that a year of one point reads fast, and without deleted rows.

    Example: kgce store compact --db ./kgce-data
    """
    from kgce.domain.errors import ConfigError
    from kgce.store.duckdb.store import DuckDbStore
    from kgce.store.open import READINGS_FILE

    path = db / READINGS_FILE
    if not path.exists():
        raise ConfigError(f"{path} does not exist: only the embedded store can be compacted, give its folder with --db")
    before = path.stat().st_size
    with DuckDbStore(path) as at:
        at.compact()
    after = path.stat().st_size
    if json:
        print_json({"file": str(path), "bytes_before": before, "bytes_after": after})
    else:
        say(f"{path}: {before / 1e6:,.1f} MB before, {after / 1e6:,.1f} MB now")


@app.command()
def backup(
    folder: Annotated[Path, typer.Argument(help="New folder for the backup.", show_default=False)],
    store: StoreOption = str(DEFAULT_DB),
    json: JsonOption = False,
) -> None:
    """Readings and events into a folder of Parquet files with counts and checksums.

    Example: kgce store backup ./backup-2026-11 --store http://127.0.0.1:8086/kgce
    """
    from kgce.store.archive import ArchiveWriter
    from kgce.store.copying import back_up

    at = _opened(store, read_only=True)
    try:
        with ArchiveWriter(folder, store) as writer, progress("days of data", quiet=json) as tell:
            manifest = back_up(at, writer, tell)
    finally:
        at.close()
    document = {"folder": str(folder), "rows": manifest.rows, "events": manifest.events}
    document["checksum"] = f"{manifest.checksum:016x}"
    if json:
        print_json(document)
    else:
        say(f"{folder}: {manifest.rows:,} readings, {manifest.events:,} events, checksum {document['checksum']}")


@app.command()
def restore(
    folder: Annotated[Path, typer.Argument(help="The backup.", show_default=False)],
    store: StoreOption = str(DEFAULT_DB),
    json: JsonOption = False,
) -> None:
    """A backup into a store; the files are checked before, the readings afterwards. Twice changes nothing.

    Example: kgce store restore ./backup-2026-11 --store ./kgce-data
    """
    from kgce.store.archive import Archive
    from kgce.store.copying import restore as restore_archive

    archive = Archive(folder)
    at = _opened(store)
    try:
        with progress("readings", quiet=json) as tell:
            copied = restore_archive(archive, at, tell)
    finally:
        at.close()
    _finish(copied, json=json)


@app.command()
def migrate(
    source: Annotated[str, typer.Option("--from", help=_WHERE, show_default=False)],
    target: Annotated[str, typer.Option("--to", help=_WHERE, show_default=False)],
    state: Annotated[Path, typer.Option("--state", help="File that remembers how far it came.")] = Path(
        "kgce-migrate.json"
    ),
    json: JsonOption = False,
) -> None:
    """Every reading and event from one store into another; interrupted, the same command goes on.

    Example: kgce store migrate --from ./kgce-data --to http://127.0.0.1:8086/kgce
    """
    from kgce.domain.errors import ConfigError
    from kgce.store.copying import copy

    if source == target:
        raise ConfigError("--from and --to are the same store: name two")
    old = _opened(source, read_only=True)
    try:
        new = _opened(target)
        try:
            new.status()  # who cannot be written to is told before anything is read
            with progress("days of data", quiet=json) as tell:
                copied = copy(old, new, state=state, what=f"{source} -> {target}", tell=tell)
        finally:
            new.close()
    finally:
        old.close()
    _finish(copied, json=json)


def _finish(copied: "Copied", *, json: bool) -> None:
    result = copied.result
    if json:
        counts = {name: value for name, value in asdict(copied).items() if name != "done"}
        print_json({**counts, "checksum": f"{copied.checksum:016x}", "is_whole": copied.is_whole})
    else:
        say(
            f"{copied.rows:,} readings = {result.stored:,} stored + {result.duplicate:,} there already + "
            f"{result.refused:,} refused; {copied.events:,} events; checksum {copied.checksum:016x}"
        )
        if result.expired:
            say(f"{result.expired:,} of the refused are older than the target keeps: kgce store init --keep forever")
        if copied.differing:
            say(
                f"{copied.differing:,} readings do not stand at the target as at the source: is somebody writing there?"
            )
    if not copied.is_whole:
        raise typer.Exit(_INCOMPLETE)


def _opened(store: str, *, read_only: bool = False) -> "ReadingStore":
    from kgce.store.open import open_store

    return open_store(store if "://" in store else Path(store), read_only=read_only)


def _time(time_ms: int | None) -> Any:
    return "" if time_ms is None else datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="seconds")
