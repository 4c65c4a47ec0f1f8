"""Today's amounts by carrier: of one institution, of several, of all that are registered."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Final
from zoneinfo import ZoneInfo

from kgce.analytics.figures import CarrierAmount, carrier_amounts
from kgce.analytics.years import heard_table
from kgce.domain.factors import FactorSet
from kgce.domain.ports import ReadingStore, Registry
from kgce.domain.tree import DEFAULT_TIMEZONE

# Figures end a minute ago: by then every meter read each minute has reported, so no gap opens at the end merely
# because the next reading is still to come.
_SETTLED_AFTER_S: Final = 60

_DaySpan = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Today:
    """Amounts since local midnight; start and end with the institution's offset (of the first, where several)."""

    start: datetime
    end: datetime
    institutions: int | None  # how many were asked for; None = every one that is registered
    carriers: tuple[CarrierAmount, ...]

    @property
    def kgce(self) -> float | None:
        """Sum over the carriers that can be weighed; None when there is none. [kgce]."""
        return _sum(one.kgce for one in self.carriers)


def day_so_far(now_s: float, timezone: str) -> tuple[datetime, datetime]:
    """[local midnight, the last whole minute that has settled); never empty."""
    zone = ZoneInfo(timezone)
    now = datetime.fromtimestamp(now_s, UTC).astimezone(zone)
    start = datetime.combine(now.date(), time(), zone)
    settled_s = max((now_s - _SETTLED_AFTER_S) // 60 * 60, start.timestamp() + 60)
    return start, datetime.fromtimestamp(settled_s, UTC).astimezone(zone)


def today(
    store: ReadingStore, registry: Registry, institutions: Sequence[str] | None, *, now_s: float, factor_set: FactorSet
) -> Today:
    """Each institution's own local day, added up; None = all that are registered, by the default zone's day.

    Raises:
        UnknownInstitution: one of them is not registered.
    """
    if institutions is None:
        start, end = day_so_far(now_s, DEFAULT_TIMEZONE)
        return Today(start, end, None, tuple(_amounts(store, registry, None, (start, end), factor_set)))
    spans = [day_so_far(now_s, registry.institution(one).timezone) for one in institutions]
    parts = [
        part
        for one, span in zip(institutions, spans, strict=True)
        for part in _weighted(store, registry, one, span, factor_set)
    ]
    start, end = spans[0] if spans else day_so_far(now_s, DEFAULT_TIMEZONE)
    return Today(start, end, len(institutions), tuple(_added(parts)))


def _amounts(
    store: ReadingStore, registry: Registry, institution: str | None, span: _DaySpan, factor_set: FactorSet
) -> list[CarrierAmount]:
    start_ms, end_ms = _ms(span)
    return carrier_amounts(
        store, registry, institution=institution, start_ms=start_ms, end_ms=end_ms, factor_set=factor_set
    )


def _weighted(
    store: ReadingStore, registry: Registry, institution: str, span: _DaySpan, factor_set: FactorSet
) -> list[tuple[float, CarrierAmount]]:
    """Amounts with the number of heard points behind each: the weight of its coverage in a sum.

    The amounts do not tell that number, so it is read anew, after them: a point once heard stays heard.
    """
    amounts = _amounts(store, registry, institution, span, factor_set)
    start_ms, end_ms = _ms(span)
    table = heard_table(store, registry, institution=institution, start_ms=start_ms, end_ms=end_ms)
    points = dict(zip(table.carriers, table.points[0].tolist(), strict=True))
    return [(points[amount.carrier], amount) for amount in amounts]


def _ms(span: _DaySpan) -> tuple[int, int]:
    start, end = span
    return round(start.timestamp() * 1000), round(end.timestamp() * 1000)


def _added(parts: Iterable[tuple[float, CarrierAmount]]) -> list[CarrierAmount]:
    """Totals by carrier; coverage is the mean over the heard points, as in the parts."""
    groups: dict[str, list[tuple[float, CarrierAmount]]] = {}
    for part in parts:
        groups.setdefault(part[1].carrier, []).append(part)
    return [
        CarrierAmount(
            carrier,
            _sum(amount.amount for _, amount in group),
            group[0][1].unit,
            _sum(amount.kgce for _, amount in group),
            sum(points * amount.coverage_ratio for points, amount in group) / sum(points for points, _ in group),
        )
        for carrier, group in groups.items()
    ]


def _sum(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None
