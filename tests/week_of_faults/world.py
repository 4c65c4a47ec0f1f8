"""The week in a real store and registry: filled at once, or as the rows came."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from kgce.analytics.figures import LedgerRow, ledger
from kgce.analytics.grid import Grid
from kgce.analytics.ledger.amounts import Amounts
from kgce.analytics.ledger.points import point_amounts
from kgce.analytics.ledger.readings import read_neighbourly
from kgce.domain.ports import AppendResult
from kgce.domain.tree import Institution
from kgce.store.open import open_registry, open_store
from tests.week_of_faults.load import END, START, ZONE
from tests.week_of_faults.meter import Delivery, Meter


class World:
    """Some meters of the week, their institutions, a DuckDB store and a registry in a folder."""

    def __init__(self, folder: Path, meters: Iterable[Meter]) -> None:
        self.meters = tuple(meters)
        self.store, self.registry = open_store(folder), open_registry(folder)
        names = sorted({meter.institution for meter in self.meters})
        self.registry.save_institutions([Institution(name, name, "370102", ZONE) for name in names])
        self.registry.save_points([meter.point for meter in self.meters])
        self.registry.save_roles({meter.series.key: meter.point.role for meter in self.meters})
        for meter in self.meters:
            for change in meter.changes():
                self.registry.save_change(change)

    def close(self) -> None:
        """Release the files."""
        self.store.close()
        self.registry.close()

    def fill(self) -> list[AppendResult]:
        """Everything, delivery by delivery."""
        return self.store.append_all(
            [meter.batch(delivery) for meter in self.meters for delivery in meter.deliveries()]
        )

    def fill_between(self, start_ms: int, end_ms: int) -> None:
        """What came in [start, end): live rows at their own time, the others all at once."""
        for meter in self.meters:
            live, *later = meter.deliveries()
            chosen = (live.time_ms >= start_ms) & (live.time_ms < end_ms)
            today = [Delivery(end_ms, live.time_ms[chosen], live.value_kwh[chosen])]
            today += [delivery for delivery in later if start_ms <= delivery.came_ms < end_ms]
            self.store.append_all([meter.batch(delivery) for delivery in today])

    def rows(self, meter: Meter, grid: Grid, start_ms: int = START, end_ms: int = END) -> list[LedgerRow]:
        """A meter's ledger."""
        return ledger(
            self.store, self.registry, institution=meter.institution, point=meter.device,
            start_ms=start_ms, end_ms=end_ms, grid=grid,
        )  # fmt: skip

    def week(self, meter: Meter) -> Amounts:
        """(1,) a meter's week as one interval."""
        point = next(point for point in self.registry.points(meter.institution) if point.id == meter.device)
        readings = read_neighbourly(self.store, [point], start_ms=START, end_ms=END).batch
        changes = [declared.change for declared in self.registry.changes(meter.institution)]
        return point_amounts([point], readings, np.array([START, END]), ZONE, changes).row(0)
