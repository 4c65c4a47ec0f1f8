"""Read planning: as few requests as possible without splitting a value or crossing a wide hole."""

from collections.abc import Sequence
from dataclasses import dataclass

from kgce.collectors.profile import Profile, ProfilePoint


@dataclass(frozen=True, slots=True)
class Read:
    """One request and the points its answer holds."""

    table: str
    address: int
    count: int
    points: tuple[ProfilePoint, ...]

    @property
    def is_bits(self) -> bool:
        """Whether the table holds bits, not registers."""
        return self.table in {"coil", "discrete"}


def plan_reads(profile: Profile, points: Sequence[ProfilePoint] | None = None) -> tuple[Read, ...]:
    """Requests that read every polled point once, by table and address.

    Holes up to the profile's max_gap are read along; a request never exceeds max_registers (the protocol's cap is 125).
    """
    wanted = [point for point in profile.point if point.poll] if points is None else points
    ordered = sorted(wanted, key=lambda point: (point.register_.table, point.register_.address))
    groups: list[list[ProfilePoint]] = []
    for point in ordered:
        if groups and _fits(groups[-1], point, profile):
            groups[-1].append(point)
        else:
            groups.append([point])
    return tuple(_read(group) for group in groups)


def halves(read: Read) -> tuple[Read, ...]:
    """The same points in two requests; a single point cannot be split."""
    middle = len(read.points) // 2
    parts = (read.points[:middle], read.points[middle:])
    return tuple(_read(part) for part in parts) if middle else (read,)


def _fits(group: Sequence[ProfilePoint], point: ProfilePoint, profile: Profile) -> bool:
    first, last = group[0].register_, max(group, key=_end).register_
    gap = point.register_.address - (last.address + last.words)
    span = _end(point) - first.address
    return (
        point.register_.table == first.table and gap <= profile.device.max_gap and span <= profile.device.max_registers
    )


def _end(point: ProfilePoint) -> int:
    return point.register_.address + point.register_.words


def _read(group: Sequence[ProfilePoint]) -> Read:
    first = group[0].register_
    return Read(first.table, first.address, max(map(_end, group)) - first.address, tuple(group))
