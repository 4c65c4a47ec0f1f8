"""Meters: what a row of readings says it measures, resolved once per distinct text; feeds readings."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from kgce.domain.carriers import Carrier, carrier_of
from kgce.domain.errors import InputError
from kgce.domain.ports import SeriesKey
from kgce.domain.quantities import Kind
from kgce.domain.tree import Institution, Point, Series, Step


class Identity(NamedTuple):
    """The texts of a row that say what it measures."""

    institution: str
    point: str
    carrier: str
    kind: str
    unit: str
    step: str


@dataclass(frozen=True, slots=True)
class Meter:
    """A resolved identity: where its readings belong and what turns them into the carrier's unit."""

    identity: Identity
    carrier: Carrier
    kind: Kind
    step: Step | None
    factor: float
    series: Series
    timezone: str

    @property
    def device(self) -> tuple[str, str]:
        """(institution, point): what one row per time is allowed for."""
        return (self.identity.institution, self.identity.point)

    @property
    def claim(self) -> tuple[str, Kind, Step | None]:
        """What all rows of one point must agree on."""
        return (self.carrier.code, self.kind, self.step)


class Meters:
    """Resolves identities against the registry, holding each point to the first carrier and kind it had."""

    def __init__(self, institutions: Mapping[str, Institution], known_points: Mapping[SeriesKey, Point]) -> None:
        self._institutions = institutions
        self._known: dict[tuple[str, str], list[Point]] = {}
        for point in known_points.values():
            self._known.setdefault((point.series.institution, point.series.device), []).append(point)
        self._seen: dict[Identity, Meter | str] = {}
        self._claims: dict[tuple[str, str], tuple[str, Kind, Step | None]] = {}

    def resolve(self, identity: Identity) -> Meter | str:
        """The meter, or why there is none."""
        found = self._seen.get(identity)
        if found is None:
            try:
                found = self._resolve(identity)
            except InputError as error:
                found = str(error)
            self._seen[identity] = found
        return found

    def claim(self, meter: Meter) -> str:
        """Hold the point to this carrier, kind and step; says what is wrong if it was held to others before."""
        held = self._claims.setdefault(meter.device, meter.claim)
        if held == meter.claim:
            return ""
        return f"point {meter.identity.point!r} is {_told(*held)} earlier in this file, here {_told(*meter.claim)}"

    def known(self, meter: Meter) -> Point | None:
        """The registered point of this meter, if there is one."""
        points = self._known.get(meter.device, ())
        return next((point for point in points if (point.carrier, point.kind) == meter.claim[:2]), None)

    def _resolve(self, identity: Identity) -> Meter:
        if not identity.institution:
            raise InputError("no institution")
        if not identity.point:
            raise InputError("no point")
        if not identity.unit:
            raise InputError("no unit")
        institution = self._institutions.get(identity.institution)
        if institution is None:
            raise InputError(f"unknown institution {identity.institution!r}; import it with kgce import registry")
        carrier, kind = carrier_of(identity.carrier), _kind(identity.kind)
        factor = carrier.to_canonical(identity.unit)
        meter = Meter(
            identity,
            carrier,
            kind,
            _step(identity.step, kind),
            factor,
            Series(
                institution.id,
                identity.point,
                carrier.field(kind),
                measurement=carrier.measurement,
                region=institution.region,
            ),
            institution.timezone,
        )
        return self._as_registered(meter)

    def _as_registered(self, meter: Meter) -> Meter:
        others = self._known.get(meter.device)
        if not others:
            return meter
        point = self.known(meter)
        if point is None:
            raise InputError(
                f"point {meter.identity.point!r} is known as {_told(others[0].carrier, others[0].kind, None)}, "
                f"not {_told(meter.carrier.code, meter.kind, None)}"
            )
        if meter.step is not None and point.step is not None and meter.step is not point.step:
            raise InputError(f"point {meter.identity.point!r} is known with step {point.step}, not {meter.step}")
        step = point.step if meter.step is None else meter.step
        return Meter(meter.identity, meter.carrier, meter.kind, step, meter.factor, point.series, meter.timezone)


def _kind(text: str) -> Kind:
    if text not in {Kind.COUNTER, Kind.INTERVAL}:
        raise InputError(f"kind {text!r} is neither counter nor interval")
    return Kind(text)


def _step(text: str, kind: Kind) -> Step | None:
    if not text:
        return None
    if kind is Kind.COUNTER:
        raise InputError(f"a counter has no step (here {text!r}); leave the column empty")
    try:
        return Step(text)
    except ValueError:
        raise InputError(f"unknown step {text!r}; known: {', '.join(Step)}") from None


def _told(carrier: str, kind: Kind, step: Step | None) -> str:
    return f"{carrier} {kind}" + (f" of step {step}" if step else "")
