"""`kgce edge buffer`: what waits on a gateway's disk, what it gave up and why, what the store refused."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from kgce.cli.edge_status import ask_gateway
from kgce.cli.terminal import OUT, print_json, print_table, progress, say
from kgce.edge.local.words import at, size

app = typer.Typer(
    help="The gateway's buffer: what waits, what was given up, what the store refused.", no_args_is_help=True
)

GatewayFile = Annotated[Path, typer.Argument(help="Gateway file (TOML).", show_default=False)]
JsonOption = Annotated[bool, typer.Option("--json", help="Machine-readable output on standard output.")]
Numbers = Annotated[list[int] | None, typer.Argument(help="Numbers of dead letters.", show_default=False)]
AllOption = Annotated[bool, typer.Option("--all", help="All of them.")]

_SHOWN_ROWS: Final = 20


@app.command()
def show(file: GatewayFile, json: JsonOption = False) -> None:
    """Show what waits, since when, what was given up and repaired; of a running gateway or of its folder.

    Example: kgce edge buffer show gateway.toml
    """
    from kgce.edge.buffer.inspection import Inspection

    folder = _folder(file)
    running = ask_gateway(folder)
    if running is None:
        with Inspection(folder) as found:
            status: Mapping[str, Any] = found.status()
    else:
        parts = ("counters", "equation_holds", "reasons", "buffer", "events")
        status = {name: running[name] for name in parts}
    if json:
        print_json({"running": running is not None, "folder": str(folder), **status})
    else:
        _tell(status, folder, is_running=running is not None)


@app.command()
def drops(file: GatewayFile, json: JsonOption = False) -> None:
    """List every span of time that was given up: from, to, how many readings, why. The gateway must not run.

    Example: kgce edge buffer drops gateway.toml
    """
    from kgce.edge.buffer.inspection import Inspection

    with Inspection(_folder(file)) as found:
        records = [asdict(drop) for drop in found.drops()]
    print_json(records) if json else _tell_drops(records, title="Given up")


@app.command()
def events(file: GatewayFile, json: JsonOption = False) -> None:
    """List the events that have not gone up yet, with their evidence. The gateway must not run.

    Example: kgce edge buffer events gateway.toml --json
    """
    from kgce.edge.buffer.inspection import Inspection

    with Inspection(_folder(file)) as found:
        waiting = found.events()
    if json:
        print_json([asdict(event) for event in waiting])
        return
    rows = [(at(event.time_ms), event.severity.value, event.id, event.subject, event.message) for event in waiting]
    print_table(f"{len(rows)} events wait", ("time", "severity", "event", "subject", "what"), rows, wrap=("what",))


@app.command()
def letters(file: GatewayFile, json: JsonOption = False) -> None:
    """List dead letters: readings that the store refused for good. The gateway must not run.

    Example: kgce edge buffer letters gateway.toml
    """
    from kgce.edge.buffer.inspection import Inspection

    with Inspection(_folder(file)) as found:
        dead = found.letters()
    if json:
        print_json([asdict(letter) for letter in dead])
        return
    rows = [(str(one.seq), at(one.at_ms), f"{one.rows:,}", one.reason) for one in dead]
    columns = ("number", "refused", "readings", "reason")
    print_table(f"{len(rows)} dead letters", columns, rows, right=("number", "readings"), wrap=("reason",))


@app.command()
def letter(
    file: GatewayFile,
    number: Annotated[int, typer.Argument(help="Number of the dead letter.", show_default=False)],
    json: JsonOption = False,
) -> None:
    """Show the readings of one dead letter. The gateway must not run.

    Example: kgce edge buffer letter gateway.toml 17
    """
    from kgce.edge.buffer.inspection import Inspection

    with Inspection(_folder(file)) as found:
        head, batch = found.letter(number)
    columns = (batch.index.tolist(), batch.time_ms.tolist(), batch.value.tolist(), batch.quality.tolist())
    rows = [
        {"series": "/".join(batch.series[index].key), "time_ms": time_ms, "value": value, "quality": quality}
        for index, time_ms, value, quality in zip(*columns, strict=True)
    ]
    if json:
        print_json({**asdict(head), "readings": rows})
        return
    say(f"dead letter {number}: {head.reason}")
    texts = [(row["series"], at(row["time_ms"]), f"{row['value']:g}", str(row["quality"])) for row in rows]
    print_table(
        f"{len(rows):,} readings", ("series", "time", "value", "quality"), texts[:_SHOWN_ROWS], right=("value",)
    )
    if len(rows) > _SHOWN_ROWS:
        say(f"... and {len(rows) - _SHOWN_ROWS:,} more; --json gives all")


@app.command()
def retry(file: GatewayFile, numbers: Numbers = None, every: AllOption = False) -> None:
    """Let dead letters wait again: for when the store takes by now what it refused. The gateway must not run.

    Example: kgce edge buffer retry gateway.toml --all
    """
    chosen = _chosen(file, numbers, every=every)
    with _open(file) as buffer:
        rows = sum(buffer.retry_letter(number) for number in chosen)
    say(f"{len(chosen)} dead letters with {rows:,} readings wait again; kgce edge run {file} sends them")


@app.command()
def discard(
    file: GatewayFile,
    numbers: Numbers = None,
    every: AllOption = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete dead letters; their readings stay counted as refused. The gateway must not run.

    Example: kgce edge buffer discard gateway.toml 17 18
    """
    chosen = _chosen(file, numbers, every=every)
    if not yes:
        typer.confirm(f"delete {len(chosen)} dead letters for good?", abort=True, err=True)
    with _open(file) as buffer:
        for number in chosen:
            buffer.discard_letter(number)
    say(f"{len(chosen)} dead letters are deleted")


@app.command()
def export(
    file: GatewayFile,
    target: Annotated[Path, typer.Argument(help="CSV file to write.", show_default=False)],
    raw: Annotated[bool, typer.Option("--raw", help="Every reading with its quality bits.")] = False,
) -> None:
    """Copy what waits to a CSV file that `kgce import readings` takes; nothing leaves the buffer.

    Billed counters only, without bad and suspect readings; --raw writes everything. The gateway must not run.

    Example: kgce edge buffer export gateway.toml waiting.csv
    """
    from kgce.domain.errors import InputError
    from kgce.edge.buffer.export import export as write
    from kgce.edge.buffer.inspection import Inspection

    with Inspection(_folder(file)) as found, progress("writing") as advance:
        total, done = found.status()["buffer"]["batches"], 0

        def counted() -> Any:
            nonlocal done
            for batch in found.waiting():
                done += 1
                advance(done, total)
                yield batch

        try:
            with target.open("x", encoding="utf-8", newline="") as out:
                result = write(counted(), out, raw=raw)
        except FileExistsError:
            raise InputError(f"{target} is there already; name another file") from None
        except OSError as error:
            raise InputError(f"{target} cannot be written: {error.strerror}") from None
    left_out = [(result.other, "no billed counters"), (result.unusable, "bad or suspect")]
    parts = [f"{rows:,} left out as {why}" for rows, why in left_out if rows]
    if result.damaged_batches:
        parts.append(f"{result.damaged_batches} damaged batches left out")
    say("; ".join([f"{target}: {result.rows:,} readings", *parts]))


def _folder(file: Path) -> Path:
    from kgce.edge.config import load_config

    return load_config(file).gateway.folder


def _open(file: Path) -> Any:
    import time

    from kgce.edge.config import load_config

    return load_config(file).make_buffer(time.time)


def _chosen(file: Path, numbers: Sequence[int] | None, *, every: bool) -> list[int]:
    from kgce.domain.errors import InputError
    from kgce.edge.buffer.inspection import Inspection

    if bool(numbers) == every:
        raise InputError("name dead letters by their numbers, or --all; kgce edge buffer letters lists them")
    with Inspection(_folder(file)) as found:
        known = [one.seq for one in found.letters()]
    unknown = sorted(set(numbers or ()) - set(known))
    if unknown:
        raise InputError(f"no dead letter {', '.join(map(str, unknown))}; kgce edge buffer letters lists them")
    return known if every else sorted(set(numbers or ()))


def _tell(status: Mapping[str, Any], folder: Path, *, is_running: bool) -> None:
    counts, buffer, sent = status["counters"], status["buffer"], status["events"]
    parts = " + ".join(f"{counts[one]:,} {one}" for one in ("stored", "duplicate", "refused", "dropped", "waiting"))
    since = f", the oldest of {at(buffer['oldest_ms'])}" if buffer["oldest_ms"] is not None else ""
    lines = [
        ("folder", str(folder)),
        ("readings", f"{counts['polled']:,} polled = {parts}"),
        ("waiting", f"{buffer['rows']:,} readings in {buffer['batches']:,} batches, {size(buffer['bytes'])}{since}"),
        ("held", f"{buffer['held_rows']:,} readings until the clock is trusted" if buffer["held_rows"] else ""),
        ("dead letters", _count(buffer["dead_letters"], "kgce edge buffer letters lists them")),
        ("damaged", _count(buffer["quarantined_batches"], "damaged batches, kept in the file")),
        ("events", f"{sent['waiting']:,} wait, {sent['sent']:,} sent, {sent['dropped']:,} dropped"),
    ]
    title = "Buffer, the gateway runs" if is_running else "Buffer, no gateway runs"
    print_table(title, ("", "now"), [line for line in lines if line[1]], wrap=("now",))
    reasons = [
        (count, why, f"{rows:,}") for count, whys in status["reasons"].items() for why, rows in whys.items() if rows
    ]
    if reasons:
        print_table("Why", ("", "reason", "readings"), reasons, right=("readings",))
    if buffer["drops"]:
        _tell_drops(buffer["drops"], title="Given up last")
    for one in buffer["repairs"]:
        OUT.print(f"repaired {at(one['at_ms'])}: {one['what']}; old file: {one['moved_to']}", highlight=False)


def _tell_drops(records: Sequence[Mapping[str, Any]], *, title: str) -> None:
    rows = [(at(one["from_ms"]), at(one["to_ms"]), f"{one['rows']:,}", one["reason"]) for one in records]
    print_table(title, ("from", "to", "readings", "reason"), rows, right=("readings",))


def _count(number: int, what: str) -> str:
    return f"{number:,}; {what}" if number else ""
