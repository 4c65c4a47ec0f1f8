"""Which shipped profile fits a unit: by its identification registers, else by how its values look."""

from collections.abc import Iterator
from functools import cache

from kgce.collectors.decode_text import Decoded, decode_with_profile
from kgce.collectors.modbus.identify import identification_reads, mismatch
from kgce.collectors.modbus.plan import Read, halves, plan_reads
from kgce.collectors.modbus.plausibility import bounds, is_plausible
from kgce.collectors.modbus.probe import Prober
from kgce.collectors.profile import Profile, load_profile, profile_names
from kgce.collectors.scan.found import Guess
from kgce.domain.errors import DeviceUnreachable, InputError
from kgce.domain.quantities import Kind, quantity_of

BEST = 3
_LEAST_SCORE = 0.3
_NARROW = 3.0  # a value in a narrow range says more: any number can be an energy
_SHOWN = 4


class Registers:
    """A unit's registers, asked for once each; None where it refuses."""

    def __init__(self, prober: Prober, unit: int) -> None:
        self._prober, self._unit = prober, unit
        self._known: dict[tuple[str, int], int] = {}
        self._refused: set[tuple[str, int, int]] = set()

    async def get(self, read: Read) -> list[int] | None:
        """The registers of one read, from what is known where that is enough; None where the unit refuses."""
        places = [(read.table, read.address + at) for at in range(read.count)]
        asked = (read.table, read.address, read.count)
        if asked in self._refused:
            return None
        if not all(place in self._known for place in places):
            answer = await self._prober.ask(self._unit, read)
            if not answer.is_there:
                raise DeviceUnreachable(answer.reason)
            if answer.registers is None:
                self._refused.add(asked)
                return None
            self._known |= dict(zip(places, answer.registers, strict=True))
        return [self._known[place] for place in places]

    async def fetch(self, profile: Profile, read: Read) -> None:
        """Everything of a planned read that is there; where its first point is not, the rest is not asked for."""
        if await self.get(read) is not None or len(read.points) < 2:  # noqa: PLR2004 - one value cannot be split
            return
        (first,) = plan_reads(profile, read.points[:1])
        if await self.get(first) is not None:
            for half in halves(read):
                await self._split(half)

    async def _split(self, read: Read) -> None:
        if await self.get(read) is None and len(read.points) > 1:
            for half in halves(read):
                await self._split(half)

    def of_table(self, table: str) -> dict[int, int]:
        """Everything known of one table."""
        return {address: value for (name, address), value in self._known.items() if name == table}


@cache
def _profiles() -> dict[str, Profile]:
    return {name: load_profile(name) for name in profile_names()}


async def guesses(prober: Prober, unit: int) -> tuple[tuple[Guess, ...], str]:
    """The best few profiles, and some values by the best one."""
    registers = Registers(prober, unit)
    found: list[tuple[Guess, list[Decoded]]] = []
    for name, profile in _profiles().items():
        if profile.device.enron or any(read.is_bits for read in plan_reads(profile)):
            continue  # asked for as if they were registers, they would give other people's values
        judged = await _judged(name, profile, registers)
        if judged is not None:
            found.append(judged)
    found.sort(key=lambda one: -one[0].score)
    best = found[:BEST]
    return tuple(guess for guess, _ in best), _sample(best[0][1]) if best else ""


async def _judged(name: str, profile: Profile, registers: Registers) -> tuple[Guess, list[Decoded]] | None:
    try:
        identity = [await registers.get(read) for read in identification_reads(profile)]
        if identity and mismatch(profile, identity) is not None:
            return None
        for read in plan_reads(profile):
            await registers.fetch(profile, read)
    except DeviceUnreachable:
        return None
    values = list(_values(profile, registers))
    score, why = _score(profile, values)
    if identity:
        return Guess(name, 1.0, f"its identification fits; {why}"), values
    return (Guess(name, score, why), values) if score >= _LEAST_SCORE else None


def _values(profile: Profile, registers: Registers) -> Iterator[Decoded]:
    for table in ("input", "holding"):
        known = registers.of_table(table)
        try:
            yield from decode_with_profile(profile, known, table)
        except InputError:
            continue  # nothing of the profile lies in this table


def _score(profile: Profile, values: list[Decoded]) -> tuple[float, str]:
    """Share of the profile's weight that answered with something it can be, less for profiles of few points."""
    by_name = {one.name: one.value for one in values}
    wanted = [one for one in profile.point if one.poll and not one.register_.is_text]
    total = right = fits = 0.0
    for point in wanted:
        if quantity_of(point.name).kind is Kind.STATE:
            continue  # any number can be a code
        value = by_name.get(point.name)
        if isinstance(value, int | float) and value == 0:
            continue  # nothing flows: no evidence
        limits = bounds(point.name)
        weight = _NARROW if limits is not None and limits[1] - limits[0] < 1000 else 1.0  # noqa: PLR2004 - a narrow range
        total += weight
        if isinstance(value, int | float) and is_plausible(point.name, value):
            right += weight
            fits += 1
    if not fits:
        return 0.0, "no value that says anything"
    return right / total * (1 - 1 / (2 + fits)), f"{fits:.0f} of {len(wanted)} values are plausible and not 0"


def _sample(values: list[Decoded]) -> str:
    shown = [one for one in values if isinstance(one.value, int | float) and one.value != 0][:_SHOWN]
    return ", ".join(f"{one.name} {one.value:.6g} {one.unit}".strip() for one in shown)
