"""Refusal: one row of a file that was not kept, and why; made by every file reader, shown by the command."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that was not kept: its file, line (the header is line 1), reason and text."""

    file: str
    line: int
    reason: str
    row: Mapping[str, str] = field(default_factory=dict)


def refuse(path: Path, line: int, reason: str, columns: Sequence[str], cells: Sequence[str]) -> Refusal:
    """The refusal of a row; cells beyond the last column are told together as `(more)`."""
    row = dict(zip(columns, cells, strict=False))
    if len(cells) > len(columns):
        row["(more)"] = ",".join(cells[len(columns) :])
    return Refusal(str(path), line, reason, row)
