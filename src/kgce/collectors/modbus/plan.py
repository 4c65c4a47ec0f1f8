"""Read planning: as few requests as possible without splitting a value or crossing a hole.

A clump is what one request must hold whole: a value, or values that belong together. Clumps are joined into requests
up to the device's limits.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from kgce.collectors.profile import Profile
from kgce.collectors.profile_point import ProfilePoint

BITS: Final = frozenset({"coil", "discrete"})
Holes = AbstractSet[int] | AbstractSet[tuple[str, int]]  # wire addresses, of any table or of one


@dataclass(frozen=True, slots=True)
class Read:
    """One request and the points its answer holds."""

    table: str
    address: int
    count: int
    points: tuple[ProfilePoint, ...]
    is_wide: bool = False  # Enron: one register number answers with 4 bytes

    @property
    def words(self) -> int:
        """Registers of 16 bits the answer holds."""
        return self.count * _width(wide=self.is_wide)

    @property
    def is_bits(self) -> bool:
        """Whether the table holds bits, not registers."""
        return self.table in BITS

    def first_word(self, point: ProfilePoint) -> int:
        """Where a point's value begins in the answer, in words."""
        return (point.register_.address - self.address) * _width(wide=self.is_wide)


def plan_reads(
    profile: Profile, points: Sequence[ProfilePoint] | None = None, holes: Holes = frozenset()
) -> tuple[Read, ...]:
    """Requests that read every polled point once, by table and address.

    Registers nobody asked for are read along up to the profile's max_gap, but never a hole: those given here, the
    profile's own, and registers that change when they are read. A point that lies in a hole itself is asked for alone.
    """
    wanted = [point for point in profile.point if point.poll] if points is None else list(points)
    forbidden = _Forbidden(profile, wanted, holes)
    groups: list[list[ProfilePoint]] = []
    for clump in sorted(_clumps(wanted), key=lambda clump: (clump[0].register_.table, clump[0].register_.address)):
        if groups and _fits(groups[-1], clump, profile, forbidden):
            groups[-1] += clump
        else:
            groups.append(clump)
    return tuple(_read(group, wide=is_wide(profile, group[0])) for group in groups)


def halves(read: Read) -> tuple[Read, ...]:
    """The same points in two requests; itself for a single point, none where values mean something only together."""
    clumps = _clumps(read.points)
    if len(clumps) == 1:
        return (read,) if len(read.points) == 1 else ()
    middle = len(clumps) // 2
    parts = ([point for clump in part for point in clump] for part in (clumps[:middle], clumps[middle:]))
    return tuple(_read(part, wide=read.is_wide) for part in parts)


def first_too_long(profile: Profile) -> str | None:
    """The first point whose value, or whose clump, is longer than a request may be."""
    for clump in _clumps([point for point in profile.point if point.poll]):
        read = _read(clump, wide=is_wide(profile, clump[0]))
        if not read.is_bits and read.words > profile.device.max_registers:
            return clump[0].name
    for point in profile.point:
        if point.register_.words > profile.device.max_registers:
            return point.name
    return None


class _Forbidden:
    """Addresses that may not be read along."""

    def __init__(self, profile: Profile, wanted: Sequence[ProfilePoint], holes: Holes) -> None:
        asked_for = {point.name for point in wanted}
        self._single: set[int | tuple[str, int]] = set(holes)
        self._single |= {
            (point.register_.table, address)
            for point in profile.point
            if point.read_to_clear and point.name not in asked_for
            for address in range(point.register_.address, _end(point, wide=is_wide(profile, point)))
        }
        self._spans = [(hole.table, hole.first, hole.last) for hole in profile.hole]

    def between(self, table: str, start: int, end: int) -> bool:
        """Whether one lies in [start, end)."""
        if any(of == table and first < end and start <= last for of, first, last in self._spans):
            return True
        return any(address in self._single or (table, address) in self._single for address in range(start, end))


def _clumps(points: Sequence[ProfilePoint]) -> list[list[ProfilePoint]]:
    """Points by what must be read in one request, each clump in order of address."""
    owner = {point.plus: point.name for point in points if point.plus}
    clumps: dict[tuple[str, str], list[ProfilePoint]] = {}
    for point in points:
        whole = point.together or owner.get(point.name, point.name)
        clumps.setdefault((point.register_.table, whole), []).append(point)
    found = [sorted(clump, key=lambda point: point.register_.address) for clump in clumps.values()]
    return sorted(found, key=lambda clump: clump[0].register_.address)


def _fits(
    group: Sequence[ProfilePoint], clump: Sequence[ProfilePoint], profile: Profile, forbidden: _Forbidden
) -> bool:
    device, wide = profile.device, is_wide(profile, group[0])
    first, start = group[0].register_, clump[0].register_.address
    if clump[0].register_.table != first.table or is_wide(profile, clump[0]) is not wide:
        return False
    end = max(_end(point, wide=wide) for point in group)
    span = max(end, *(_end(point, wide=wide) for point in clump)) - first.address
    same_place = start < end and device.one_value_per_request  # two points cut out of one value
    if device.one_value_per_request and not same_place:
        return False
    if first.table in BITS:
        return (
            start - end <= device.max_gap and span <= device.max_bits and not forbidden.between(first.table, end, start)
        )
    fits = start - end <= device.max_gap and span * _width(wide=wide) <= device.max_registers
    return fits and not forbidden.between(first.table, end, start)


def is_wide(profile: Profile, point: ProfilePoint) -> bool:
    """Whether one register number of the device holds 4 bytes of this point."""
    return profile.device.enron and point.register_.words > 1 and not point.register_.is_text


def _width(*, wide: bool) -> int:
    return 2 if wide else 1


def _end(point: ProfilePoint, *, wide: bool) -> int:
    """The address behind the point's value."""
    return point.register_.address + -(-point.register_.words // _width(wide=wide))


def _read(group: Sequence[ProfilePoint], *, wide: bool) -> Read:
    first = group[0].register_
    count = max(_end(point, wide=wide) for point in group) - first.address
    in_order = sorted(group, key=lambda point: point.register_.address)
    return Read(first.table, first.address, count, tuple(in_order), wide)
