"""Branches: the tree cut into counties, each with everything the registry knows about its meters.

registry --> here --Branch--> book.py
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from kgce.domain.changes import MeterChange
from kgce.domain.metering import VirtualMeter
from kgce.domain.ports import Registry
from kgce.domain.quantities import Kind
from kgce.domain.tree import Institution, Point

SILENT: Final = "none"  # branch of institutions without a region


@dataclass(frozen=True, slots=True, order=True)
class BranchName:
    """A county's code, or `none`, and the time zone of its institutions."""

    region: str
    timezone: str

    @classmethod
    def of(cls, institution: Institution) -> "BranchName":
        """The branch an institution belongs to."""
        return cls(institution.region or SILENT, institution.timezone)

    def at(self, year: int) -> str:
        """Name on the shelf."""
        return f"ledger/{year}/{self.region}@{self.timezone.replace('/', '~')}"


@dataclass(frozen=True, slots=True, eq=False)
class Branch:
    """What the registry says about one branch."""

    name: BranchName
    institutions: list[Institution]
    points: list[Point] = field(default_factory=list)
    changes: list[MeterChange] = field(default_factory=list)
    virtual: list[VirtualMeter] = field(default_factory=list)


def members(registry: Registry, name: BranchName) -> list[Institution]:
    """Institutions of one branch."""
    return [institution for institution in registry.institutions() if BranchName.of(institution) == name]


def branches_of(registry: Registry, institutions: Sequence[Institution], *, named: bool = False) -> list[Branch]:
    """These institutions' branches, in order; named: they are a few of all, so that each is asked for by its name."""
    branches: dict[BranchName, Branch] = {}
    for institution in institutions:
        name = BranchName.of(institution)
        branches.setdefault(name, Branch(name, [])).institutions.append(institution)
    home = {institution.id: branch for branch in branches.values() for institution in branch.institutions}
    asked: list[str | None] = [institution.id for institution in institutions] if named else [None]
    points = (point for one in asked for point in registry.points(one))
    for point in points:
        if point.series.institution in home and point.kind in {Kind.COUNTER, Kind.INTERVAL}:
            home[point.series.institution].points.append(point)
    for declared in registry.changes():
        if declared.change.institution in home:
            home[declared.change.institution].changes.append(declared.change)
    for meter in registry.virtual_meters():
        if meter.institution in home:
            home[meter.institution].virtual.append(meter)
    return [branches[name] for name in sorted(branches)]
