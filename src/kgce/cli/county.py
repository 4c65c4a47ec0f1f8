"""Seeds the simulated county: who its institutions are and what their meters counted until today."""

import time
from datetime import UTC, datetime

import numpy as np

from kgce.cli.database import Database
from kgce.cli.terminal import progress
from kgce.domain.batch import Batch


def seed_county(at: Database, *, now_s: float | None = None) -> int:
    """Registry and daily counters since 2015, as far as they are not there yet; gives the rows stored."""
    from kgce.simulators.county import county, history, registry_rows
    from kgce.simulators.timeline import EPOCH_MS

    now_s = time.time() if now_s is None else now_s
    now_ms = int(now_s * 1000)
    buildings = county()
    rows = registry_rows(buildings, last_year=datetime.fromtimestamp(now_s, UTC).year)
    at.registry.save_regions(rows.regions)
    at.registry.save_institutions(rows.institutions)
    at.registry.save_attributes(rows.attributes)
    at.registry.save_buildings(rows.buildings)
    latest = at.store.latest()
    newest = {latest.series[place].key: int(at_ms) for place, at_ms in zip(latest.index, latest.time_ms, strict=True)}
    stored = 0
    with progress("simulated history") as advance:
        for done, building in enumerate(buildings):
            points, batch = history(building, start_ms=EPOCH_MS, end_ms=now_ms)
            at.registry.save_points(points)
            stored += at.store.append(_newer(batch, newest)).stored
            advance(done + 1, len(buildings))
    return stored


def _newer(batch: Batch, newest: dict[tuple[str, str, str], int]) -> Batch:
    """Rows after the newest the store has: the live gateway has seen what lies between."""
    limits = np.array([newest.get(series.key, -1) for series in batch.series], np.int64)
    return batch.select(batch.time_ms > limits[batch.index])
