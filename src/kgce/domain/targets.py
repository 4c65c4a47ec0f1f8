"""Targets: by how much an indicator is to drop between two years, set for a region or an institution.

What a county sets holds for its institutions unless one has a target of its own; what the county does not set, the city
does, and then the province.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from kgce.domain.errors import InputError

EVERYWHERE: Final = "everywhere"  # who has no other target
REGION: Final = "region"
INSTITUTION: Final = "institution"
_EARLIEST, _LATEST = 1980, 2200


class ReductionPath(StrEnum):
    """How an indicator comes down: by the same amount or by the same share each year."""

    STRAIGHT = "straight"
    COMPOUND = "compound"


@dataclass(frozen=True, slots=True, order=True)
class Target:
    """A drop from the value of the baseline year to that of the target year.

    subject: `region:3701`, `institution:ID` or `everywhere`; drop: share of the baseline; source: who set it.
    """

    subject: str
    indicator: str
    baseline_year: int
    target_year: int
    drop: float
    path: ReductionPath = ReductionPath.STRAIGHT
    source: str = ""

    def __post_init__(self) -> None:
        """Refuse what is no target.

        Raises:
            InputError: with the part that is wrong.
        """
        kind, _, name = self.subject.partition(":")
        if self.subject != EVERYWHERE and (kind not in {REGION, INSTITUTION} or not name):
            raise InputError(f"{self.subject!r} is no subject: write region:CODE, institution:ID or {EVERYWHERE}")
        if not _EARLIEST <= self.baseline_year < self.target_year <= _LATEST:
            raise InputError(
                f"the target year {self.target_year} must come after the baseline year {self.baseline_year}"
            )
        if not 0.0 < self.drop < 1.0:
            raise InputError(f"a drop must lie between 0 and 1 (11 % is 0.11), is {self.drop}")

    def share(self, year: int) -> float:
        """Share of the baseline value that is due in a year: 1 until the baseline year, the target's after its year."""
        done = (min(max(year, self.baseline_year), self.target_year) - self.baseline_year) / (
            self.target_year - self.baseline_year
        )
        if self.path is ReductionPath.COMPOUND:
            return float((1.0 - self.drop) ** done)
        return 1.0 - self.drop * done


# Source: energy_domain.md section 0: the province's plan 2015-2020, derived from its published progress of 2018.
PROVINCE_PLAN: Final = tuple(
    Target(EVERYWHERE, indicator, 2015, 2020, drop, source="Shandong's plan for 2015-2020 (energy_domain.md section 0)")
    for indicator, drop in (("energy_per_capita", 0.11), ("energy_per_area", 0.10), ("water_per_capita", 0.15))
)


class TargetBook:
    """Targets, looked up by what an institution is and where it lies."""

    def __init__(self, targets: Iterable[Target]) -> None:
        """Raises InputError when two targets of one indicator are set for one subject."""
        self._held: dict[tuple[str, str], Target] = {}
        for target in targets:
            key = (target.subject, target.indicator)
            if key in self._held:
                raise InputError(f"two targets of {target.indicator} are set for {target.subject}")
            self._held[key] = target

    def __len__(self) -> int:
        return len(self._held)

    def all(self) -> list[Target]:
        """Every target, by subject then indicator."""
        return sorted(self._held.values())

    def of(self, indicator: str, *, institution: str = "", region: str = "") -> Target | None:
        """The target that holds: the institution's own, that of the smallest region it lies in, or everybody's."""
        subjects = [f"{INSTITUTION}:{institution}"]
        subjects += [f"{REGION}:{region[:digits]}" for digits in range(len(region), 0, -1)]
        subjects.append(EVERYWHERE)
        found = (self._held.get((subject, indicator)) for subject in subjects)
        return next((target for target in found if target is not None), None)


def cascade(drop: float, weights: Sequence[float], efforts: Sequence[float]) -> list[float]:
    """Drops of the parts whose weighted mean is the drop of the whole.

    Args:
        drop: of the whole, 0..1.
        weights: what each part used in the baseline year; positive.
        efforts: how hard each is to try beside the others, 1 = as hard as all; positive.

    Raises:
        InputError: nothing to share out, a number that is not positive, or a part that would have to drop to nothing.
    """
    if not weights or min(weights) <= 0 or min(efforts) <= 0:
        raise InputError("a drop is shared out over parts with a use in the baseline year and efforts above 0")
    scale = drop * sum(weights) / sum(weight * effort for weight, effort in zip(weights, efforts, strict=True))
    drops = [scale * effort for effort in efforts]
    if max(drops) >= 1.0:
        raise InputError("with these efforts one part would have to use nothing at all: lower its effort")
    return drops


class TargetRegistry(Protocol):
    """Home of targets."""

    def save_targets(self, targets: Iterable[Target]) -> None:
        """Insert or replace by subject and indicator."""
        ...

    def targets(self) -> list[Target]:
        """Every target, by subject then indicator."""
        ...

    def remove_target(self, subject: str, indicator: str) -> None:
        """Take one away.

        Raises:
            InputError: there is none; the message lists what there is.
        """
        ...


def book_of(targets: Sequence[Target]) -> TargetBook:
    """The registry's targets, or the province's plan where it has none."""
    return TargetBook(targets or PROVINCE_PLAN)
