"""What people see: tables, progress bars, one-line complaints; and JSON for machines."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import orjson
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

OUT = Console() if sys.stdout.isatty() else Console(width=160)  # a pipe has no width of its own
ERR = Console(stderr=True)

Advance = Callable[[int, int], None]  # (done, total)


def complain(message: str) -> None:
    """One line on standard error."""
    sys.stderr.write(f"kgce: {' '.join(message.split())}\n")


def say(message: str) -> None:
    """A remark for people on standard error, so that standard output stays clean."""
    ERR.print(message, highlight=False, markup=False, soft_wrap=True)


def print_json(document: Any) -> None:
    """JSON on standard output; NaN becomes null."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE
    sys.stdout.buffer.write(orjson.dumps(document, option=options))
    sys.stdout.flush()


def print_table(
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    right: Sequence[str] = (),
    wrap: Sequence[str] = (),
) -> None:
    """A table on standard output; `right` names columns of numbers, `wrap` those of prose; empty ones are left out."""
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
    shown = [place for place, _ in enumerate(columns) if not rows or any(row[place] for row in rows)]
    for place in shown:
        name = columns[place]
        table.add_column(name, justify="right" if name in right else "left", no_wrap=name not in wrap)
    for row in rows:
        table.add_row(*(escape(row[place]) for place in shown))
    OUT.print(table)


@contextmanager
def progress(label: str, *, quiet: bool = False) -> Iterator[Advance]:
    """A progress bar on standard error; silent where nobody watches."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    bar = Progress(*columns, console=ERR, transient=True, disable=quiet or not ERR.is_terminal)
    with bar:
        task = bar.add_task(label, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def figure(value: float | None, digits: int = 2) -> str:
    """A number for people, or a dash where there is none."""
    return "–" if value is None else f"{value:,.{digits}f}"
