"""Who is on a bus: every primary address asked, or secondary addresses narrowed down digit by digit."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from kgce.collectors.line.config import LineConfig
from kgce.collectors.line.line import Line
from kgce.collectors.mbus.conversation import Readout, Target, read_out
from kgce.collectors.mbus.link import SND_NKE, short_frame
from kgce.collectors.mbus.secondary import ANY, NUMBER_DIGITS, WILDCARD, address_of, full_mask, selection
from kgce.collectors.mbus.telegram import Header
from kgce.collectors.mbus.timing import Timing
from kgce.collectors.turns import LineDown
from kgce.domain.errors import DeviceUnreachable

PRIMARY_ADDRESSES: Final = range(1, 251)
_DIGITS: Final = "0123456789"
_OTHER_DIGITS: Final = "abcde"  # numbers should be BCD; a few meters' are not

Progress = Callable[[float, str], None]  # share done from 0 to 1, what is being asked


@dataclass(frozen=True, slots=True)
class Found:
    """A place on the bus where somebody answers; header None where it could not be read, `note` says why."""

    target: Target
    header: Header | None
    note: str = ""

    @property
    def secondary(self) -> str | None:
        """Its full secondary address."""
        return None if self.header is None or not self.header.manufacturer else address_of(self.header)


def _no_progress(_share: float, _text: str) -> None:
    """Nobody watches."""


async def probe(line: Line, target: Target, timing: Timing) -> Found | None:
    """Who answers at one address; None when nobody does.

    Raises:
        LineDown: no connection.
    """
    greeting = short_frame(SND_NKE, target.address) if target.mask is None else selection(target.mask)
    if not await line.listen(greeting, for_s=timing.acknowledge_s):
        return None
    try:
        readout = await read_out(line, target, timing, tries=1)
    except LineDown:
        raise
    except DeviceUnreachable as error:
        return Found(target, None, str(error))
    return Found(target, readout.telegrams[0].header, _note(readout))


async def search_primary(
    config: LineConfig,
    *,
    addresses: Iterable[int] = PRIMARY_ADDRESSES,
    extra_s: float = 0.0,
    progress: Progress = _no_progress,
) -> list[Found]:
    """Everybody who answers at these bus addresses; an entry without header is often two meters at one address.

    Args:
        config: the line; of a bus behind a TCP converter the baud rate counts too.
        addresses: which to ask.
        extra_s: waited for each answer beyond what the bit rate needs.
        progress: told before each question.

    Raises:
        LineDown: no connection.
    """
    wanted = list(addresses)
    found: list[Found] = []
    line, timing = _open(config, extra_s)
    try:
        for place, address in enumerate(wanted):
            progress(place / len(wanted), f"address {address}")
            somebody = await probe(line, Target(address), timing)
            if somebody is not None:
                found.append(somebody)
        progress(1.0, f"{len(found)} found")
    finally:
        line.close()
    return found


async def search_secondary(
    config: LineConfig, *, mask: str = ANY, extra_s: float = 0.0, progress: Progress = _no_progress
) -> list[Found]:
    """Everybody the mask fits: where several answer at once, the next digit of the number tells them apart.

    An entry without header is two meters with the same number, or one that acknowledges and cannot be read.

    Raises:
        ConfigError: the mask is none.
        LineDown: no connection.
    """
    line, timing = _open(config, extra_s)
    search = _Search(line, timing, progress)
    try:
        await search.below(full_mask(mask), 0.0, 1.0)
        progress(1.0, f"{len(search.found)} found")
    finally:
        line.close()
    return search.found


class _Search:
    """A walk over masks; each step asks one mask, and its ten refinements where several answer."""

    def __init__(self, line: Line, timing: Timing, progress: Progress) -> None:
        self._line, self._timing, self._progress = line, timing, progress
        self.found: list[Found] = []

    async def below(self, mask: str, start: float, share: float) -> bool:
        """Find everybody this mask fits; whether anybody answered."""
        self._progress(start, f"meter {mask}")
        somebody = await probe(self._line, Target.of_secondary(mask), self._timing)
        if somebody is None:
            return False
        digit = mask.find(WILDCARD, 0, NUMBER_DIGITS)
        if somebody.header is not None or digit < 0:
            self.found.append(_exact(somebody))
            return True
        before = len(self.found)
        for digits in (_DIGITS, _OTHER_DIGITS):
            for place, one in enumerate(digits):
                narrower = mask[:digit] + one + mask[digit + 1 :]
                await self.below(narrower, start + share * place / len(digits), share / len(digits))
            if len(self.found) > before:
                break
        if len(self.found) == before:
            self.found.append(somebody)
        return True


def _exact(somebody: Found) -> Found:
    """Its own full address instead of the mask that found it."""
    if somebody.secondary is None:
        return somebody
    return Found(Target.of_secondary(somebody.secondary), somebody.header, somebody.note)


def _open(config: LineConfig, extra_s: float) -> tuple[Line, Timing]:
    timing = Timing.at(config.baudrate, extra_s)
    return Line(config, timeout_s=timing.answer_s, pause_s=timing.pause_s), timing


def _note(readout: Readout) -> str:
    return "; ".join(readout.told)
