"""Dataset: what an adapter hands to the registry and the store."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from kgce.collectors.files.refusal import Refusal
from kgce.collectors.files.table import Columns, read_table
from kgce.domain.batch import Batch
from kgce.domain.carriers import CARRIERS
from kgce.domain.errors import ConfigError
from kgce.domain.findings import Finding
from kgce.domain.quantities import Kind
from kgce.domain.tree import Building, Institution, Point, Region, Series, YearlyAttributes


@dataclass(frozen=True, slots=True)
class Dataset:
    """One data set in the words of the domain; batch holds its energy, water and weather."""

    name: str
    regions: list[Region]
    institutions: list[Institution]
    attributes: list[YearlyAttributes]
    buildings: list[Building]
    points: list[Point]
    batch: Batch
    findings: list[Finding] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)


def require_files(name: str, folder: Path, files: Sequence[str]) -> list[Path]:
    """Paths of a data set's files.

    Raises:
        ConfigError: one of them is not there.
    """
    paths = [folder / file for file in files]
    for path in paths:
        if not path.is_file():
            raise ConfigError(f"data set {name}: {path} not found; set KGCE_DATA to the folder of the measured data")
    return paths


def hour_text(time_ms: int) -> str:
    """An hour as the published files write it: 2018-03-31T01:00Z."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%MZ")


def cells_of(path: Path, columns: Columns) -> Iterator[Sequence[str]]:
    """Cells of every row of a small describing table; rows of a wrong shape are passed over."""
    return (line.cells for line in read_table(path, columns) if not line.fault)


def carrier_series(  # noqa: PLR0917 - the tree from the top down
    institution: str, device: str, carrier: str, kind: Kind, building: str = "", region: str = ""
) -> Series:
    """The series of a meter that measures a carrier."""
    known = CARRIERS[carrier]
    return Series(institution, device, known.field(kind), known.measurement, building, region)
