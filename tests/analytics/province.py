"""A store and registry in memory with short words to fill them."""

from datetime import datetime
from zoneinfo import ZoneInfo

from kgce.analytics.figures import LedgerRow, RankRow, ledger, rank
from kgce.analytics.grid import Grid
from kgce.analytics.indicators import Indicator
from kgce.domain.batch import Batch
from kgce.domain.carriers import CARRIERS
from kgce.domain.factors import factor_set
from kgce.domain.quantities import Kind
from kgce.domain.tree import DEFAULT_TIMEZONE, Institution, Point, Series, Step, YearlyAttributes
from tests.analytics.fakes import MemoryRegistry, MemoryStore

HOUR = 3_600_000
NATIONAL = factor_set("cn-national")


def ms(*date: int, zone: str = DEFAULT_TIMEZONE) -> int:
    """UTC milliseconds of a local date."""
    return round(datetime(*date, tzinfo=ZoneInfo(zone)).timestamp() * 1000)


class Province:
    """Institutions, their meters and bills."""

    def __init__(self) -> None:
        self.store, self.registry = MemoryStore(), MemoryRegistry()

    def institution(
        self,
        name: str,
        year: int = 2019,
        peer_class: str = "office",
        zone: str = DEFAULT_TIMEZONE,
        **attributes: object,
    ) -> None:
        self.registry.save_institutions([Institution(name, name.upper(), timezone=zone)])
        self.registry.save_attributes([YearlyAttributes(name, year, peer_class, **attributes)])

    def yearly(self, institution: str, carrier: str, amount: float, year: int = 2019, *, counts: bool = True) -> None:
        self.interval(institution, carrier, carrier, Step.YEAR, {ms(year, 1, 1): amount}, counts=counts)

    def interval(
        self, institution: str, device: str, carrier: str, step: Step, amounts: dict[int, float], *, counts: bool = True
    ) -> None:
        series = Series(institution, device, CARRIERS[carrier].field(Kind.INTERVAL), CARRIERS[carrier].measurement)
        self.registry.save_points([Point(series, carrier, Kind.INTERVAL, step, counts)])
        self.store.append(Batch.from_rows([(series, time_ms, value, 0) for time_ms, value in amounts.items()]))

    def counter(
        self, institution: str, device: str, readings: dict[int, float], carrier: str = "electricity"
    ) -> Series:
        series = Series(institution, device, CARRIERS[carrier].field(Kind.COUNTER), CARRIERS[carrier].measurement)
        self.registry.save_points([Point(series, carrier, Kind.COUNTER)])
        self.store.append(Batch.from_rows([(series, time_ms, value, 0) for time_ms, value in readings.items()]))
        return series

    def rank(
        self, indicator: Indicator = Indicator.ENERGY_PER_AREA, year: int = 2019, **options: object
    ) -> list[RankRow]:
        return rank(self.store, self.registry, year=year, indicator=indicator, **{"factor_set": NATIONAL} | options)

    def ledger(
        self, start_ms: int, end_ms: int, grid: Grid, institution: str = "a", point: str = "main"
    ) -> list[LedgerRow]:
        return ledger(
            self.store, self.registry, institution=institution, point=point,
            start_ms=start_ms, end_ms=end_ms, grid=grid,
        )  # fmt: skip
