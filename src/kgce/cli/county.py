"""Seeds the simulated county: who its institutions are, and what their meters counted before the demo began.

Nine institutions have a history of daily readings until the end of last year. The three live ones have it until today,
with a reading a minute since midnight. What happens while the demo is not running is not made up: it is a gap.
"""

import time
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from kgce.cli.database import Database
from kgce.cli.terminal import progress
from kgce.domain.batch import Batch
from kgce.domain.tree import DEFAULT_TIMEZONE

MINUTE_MS: Final = 60_000


def seed_county(at: Database, *, now_s: float | None = None) -> int:
    """Registry and history of every institution that has no reading yet; gives the rows stored."""
    from kgce.simulators.county import county, registry_rows
    from kgce.simulators.site_config import load_site

    now_s = time.time() if now_s is None else now_s
    today = datetime.fromtimestamp(now_s, ZoneInfo(DEFAULT_TIMEZONE)).replace(hour=0, minute=0, second=0, microsecond=0)
    buildings = county()
    rows = registry_rows(buildings, last_year=today.year)
    at.registry.save_regions(rows.regions)
    at.registry.save_institutions(rows.institutions)
    at.registry.save_attributes(rows.attributes)
    at.registry.save_buildings(rows.buildings)
    live = {building.institution for building in load_site("county").buildings}
    known = {series.institution for series in at.store.series()}
    stored = 0
    with progress("simulated history") as advance:
        for done, building in enumerate(buildings):
            name = building.config.institution
            if name not in known:
                stored += _seed(at, building, today, int(now_s * 1000), is_live=name in live)
            advance(done + 1, len(buildings))
    return stored


def _seed(at: Database, building: object, today: datetime, now_ms: int, *, is_live: bool) -> int:
    from kgce.simulators.building import SimulatedBuilding
    from kgce.simulators.county import counters_at, history
    from kgce.simulators.timeline import EPOCH_MS

    assert isinstance(building, SimulatedBuilding)
    midnight_ms = int(today.timestamp() * 1000)
    year_ms = int(today.replace(month=1, day=1).timestamp() * 1000)
    points, batch = history(building, start_ms=EPOCH_MS, end_ms=midnight_ms if is_live else year_ms + 1)
    if is_live:
        minutes = np.arange(midnight_ms, now_ms - 1, MINUTE_MS, dtype=np.int64)
        batch = Batch.concat([batch, counters_at(building, minutes)[1]])
    at.registry.save_points(points)
    return at.store.append(batch).stored
