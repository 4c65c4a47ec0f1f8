"""One polled meter: its edition, its requests, what it does not have."""

import logging
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from kgce.collectors.dlt645.config import Dlt645DeviceConfig
from kgce.collectors.dlt645.identifiers import Edition, Identifier, blocks, identifier_of, split
from kgce.collectors.turns import Turn
from kgce.domain.batch import Quality
from kgce.domain.quantities import quantity_of
from kgce.domain.tree import Series
from kgce.domain.units import unit_of

LOG = logging.getLogger(__name__)

FORGET_HOLES_S: Final = 3600.0  # a meter may have been asked while it was starting
MOST_SILENCES: Final = 3  # rounds in which a meter that answers everything else stays silent to one identifier
POWERS: Final = frozenset({"power", "energy", "reactive_power", "reactive_energy", "apparent_power"})

Row = tuple[Series, int, float, int]


@dataclass(frozen=True, slots=True)
class Request:
    """One identifier to ask for, and which of its values are wanted."""

    di: str
    wanted: tuple[Identifier, ...]


class PolledMeter(Turn):
    """What the source knows about one meter."""

    def __init__(self, config: Dlt645DeviceConfig) -> None:
        """Nothing was asked yet."""
        super().__init__(config.institution, config.device, config.interval_s)
        self.config = config
        self.edition: Edition | None = None
        self.requests: list[Request] = []
        self._planned = -math.inf
        self._silences: dict[str, int] = {}
        if config.known_edition is not None:
            self.speaks(config.known_edition)

    def speaks(self, edition: Edition) -> None:
        """From now on it is asked in this edition."""
        self.edition = edition
        self.plan_anew()
        for one in (found for request in self.requests for found in request.wanted):
            if one.confidence == "unverified":
                LOG.warning("%s: %s (DL/T 645-%s) is unverified", self.config.device, one.name, edition)

    def refresh(self, now: float) -> None:
        """Ask for everything again once in a while, holes included."""
        if now - self._planned >= FORGET_HOLES_S:
            self.plan_anew()
            self._planned = now

    def plan_anew(self) -> None:
        """Forget what it refused."""
        if self.edition is not None:
            self.requests = plan(self.edition, self.config.wanted(self.edition))
            self._silences.clear()

    def refused(self, request: Request) -> None:
        """It does not have this: ask for a block's values one by one, for a single one no more."""
        at = self.requests.index(request)
        self.requests[at : at + 1] = [] if len(request.wanted) == 1 else _singles(request.wanted)

    def put_last(self, request: Request) -> None:
        """No answer to this one: it comes last in the next round, so that it cannot hide the others."""
        self.requests.remove(request)
        self.requests.append(request)

    def gave_others(self, silent: Iterable[Request]) -> None:
        """It answered, but not to these; some meters say nothing instead of no."""
        for request in silent:
            self._silences[request.di] = self._silences.get(request.di, 0) + 1
            if self._silences[request.di] >= MOST_SILENCES:
                del self._silences[request.di]
                self.refused(request)

    def rows(self, request: Request, payload: bytes, time_ms: int) -> list[Row]:
        """Readings of one answer, in canonical units.

        Raises:
            InputError: the answer has another length than the identifier.
        """
        assert self.edition is not None
        found = {identifier.di: raw for identifier, raw in split(self.edition, request.di, payload)}
        self._silences.pop(request.di, None)
        return [self._row(one, found[one.di], time_ms) for one in request.wanted if one.di in found]

    def _row(self, identifier: Identifier, raw: bytes, time_ms: int) -> Row:
        value = identifier.canonical(raw) * self._ratio(identifier)
        quality = Quality.BAD if math.isnan(value) else Quality.GOOD
        return (self.config.series(identifier.name, self.config.measurement), time_ms, value, quality)

    def _ratio(self, identifier: Identifier) -> float:
        dimension = unit_of(quantity_of(identifier.name).unit).dimension
        if dimension in POWERS:
            return self.config.voltage_ratio * self.config.current_ratio
        return {"voltage": self.config.voltage_ratio, "current": self.config.current_ratio}.get(dimension, 1.0)


def plan(edition: Edition, wanted: Sequence[str]) -> list[Request]:
    """The fewest requests that read these points: blocks where two or more of a block are wanted."""
    left = {one.di: one for name in wanted if (one := identifier_of(edition, name)) is not None}
    requests: list[Request] = []
    for block in blocks(edition):
        inside = tuple(left[member.di] for member in block.members if member.di in left)
        if len(inside) > 1:
            requests.append(Request(block.di, inside))
            for one in inside:
                del left[one.di]
    return _singles(left.values()) + requests


def _singles(wanted: Iterable[Identifier]) -> list[Request]:
    return [Request(one.di, (one,)) for one in wanted]
