"""One benchmark row, and the table that shows all of them."""

import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from rich.console import Console
from rich.table import Table

PACKAGES = ("numpy", "pandas", "duckdb", "pymodbus")


@dataclass(frozen=True, slots=True)
class Row:
    """Our speed beside a peer's doing the same work in the same run; higher is better for both."""

    name: str
    ours: float
    peer: float
    unit: str
    peer_name: str
    note: str = ""

    @property
    def ratio(self) -> float:
        """Ours divided by the peer's."""
        return self.ours / self.peer


def machine() -> str:
    """Processor, cores, Python and library versions in one line."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = names[0] if names else model
    versions = " ".join(f"{name} {metadata.version(name)}" for name in PACKAGES)
    return f"{model}, {os.cpu_count()} cores, Python {platform.python_version()}, {versions}"


def show(rows: Sequence[Row], *, console: Console | None = None) -> None:
    """Print the machine and a row each."""
    screen = console or (Console() if sys.stdout.isatty() else Console(width=170))  # a pipe has no width of its own
    table = Table(
        "work", "kgce", "peer", "unit", "ratio", "peer is", "note", title="kgce benchmarks", title_justify="left"
    )
    for row in rows:
        figures = (f"{row.ours:,.0f}", f"{row.peer:,.0f}", row.unit, f"{row.ratio:.2f}")
        table.add_row(row.name, *figures, row.peer_name, row.note)
    screen.print(machine(), soft_wrap=True)
    screen.print(table)
