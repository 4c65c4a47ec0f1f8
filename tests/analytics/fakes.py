"""An honest store and registry in memory: the ports' words, nothing else."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from kgce.domain.batch import Batch, Quality
from kgce.domain.changes import MeterChange
from kgce.domain.errors import UnknownInstitution
from kgce.domain.findings import Finding
from kgce.domain.metering import DeclaredChange, VirtualMeter
from kgce.domain.ports import AppendResult, SeriesKey
from kgce.domain.targets import Target
from kgce.domain.touched import Touched
from kgce.domain.tree import Building, Institution, Point, Region, Series, YearlyAttributes


class MemoryStore:
    """Readings in a dict per series."""

    def __init__(self) -> None:
        self.rows: dict[Series, dict[int, tuple[float, int]]] = {}

    def append(self, batch: Batch) -> AppendResult:
        stored = duplicate = refused = replaced = 0
        for place, time_ms, value, quality in zip(
            batch.index.tolist(), batch.time_ms.tolist(), batch.value.tolist(), batch.quality.tolist(), strict=True
        ):
            rows = self.rows.setdefault(batch.series[place], {})
            if math.isnan(value) and not quality & Quality.BAD:
                refused += 1
            elif rows.get(time_ms) == (value, quality):
                duplicate += 1
            else:
                replaced += time_ms in rows
                stored += 1
                rows[time_ms] = (value, quality)
        return AppendResult(stored, duplicate, refused, replaced)

    def read(self, keys: Sequence[SeriesKey], *, start_ms: int, end_ms: int) -> Batch:
        wanted = set(keys)
        return Batch.from_rows(
            (series, time_ms, *self.rows[series][time_ms])
            for series in sorted(self.rows)
            if series.key in wanted
            for time_ms in sorted(self.rows[series])
            if start_ms <= time_ms < end_ms
        )

    def latest(self, institution: str | None = None) -> Batch:
        return Batch.from_rows(
            (series, max(rows), *rows[max(rows)])
            for series, rows in sorted(self.rows.items())
            if rows and institution in {None, series.institution}
        )

    def series(self, institution: str | None = None) -> list[Series]:
        return sorted(series for series in self.rows if institution in {None, series.institution})

    def touched(self, after: int = 0) -> Touched:
        return Touched.of((), np.zeros(0, np.int32), np.zeros(0, np.int64), cursor=after)

    def close(self) -> None:
        self.rows.clear()


class MemoryRegistry:
    """Who exists, in dicts."""

    def __init__(self) -> None:
        self._regions: dict[str, Region] = {}
        self._institutions: dict[str, Institution] = {}
        self._attributes: dict[tuple[str, int], YearlyAttributes] = {}
        self._buildings: dict[tuple[str, str], Building] = {}
        self._points: dict[SeriesKey, Point] = {}
        self._findings: dict[str, list[Finding]] = {}
        self._changes: list[MeterChange] = []
        self._virtual: dict[tuple[str, str], VirtualMeter] = {}
        self._targets: dict[tuple[str, str], Target] = {}

    def factor_sets(self) -> dict:
        return {}

    def save_targets(self, targets: Iterable[Target]) -> None:
        self._targets.update({(one.subject, one.indicator): one for one in targets})

    def targets(self) -> list[Target]:
        return sorted(self._targets.values())

    def save_regions(self, regions: Iterable[Region]) -> None:
        self._regions.update({region.code: region for region in regions})

    def regions(self) -> list[Region]:
        return sorted(self._regions.values())

    def save_institutions(self, institutions: Iterable[Institution]) -> None:
        self._institutions.update({institution.id: institution for institution in institutions})

    def institutions(self) -> list[Institution]:
        return sorted(self._institutions.values())

    def institution(self, institution_id: str) -> Institution:
        if institution_id not in self._institutions:
            raise UnknownInstitution(f"unknown institution {institution_id!r}")
        return self._institutions[institution_id]

    def save_attributes(self, attributes: Iterable[YearlyAttributes]) -> None:
        self._attributes.update({(row.institution, row.year): row for row in attributes})

    def attributes(self, year: int | None = None) -> list[YearlyAttributes]:
        return [row for key, row in sorted(self._attributes.items()) if year in {None, key[1]}]

    def save_buildings(self, buildings: Iterable[Building]) -> None:
        self._buildings.update({(building.institution, building.id): building for building in buildings})

    def buildings(self, institution: str | None = None) -> list[Building]:
        return [row for key, row in sorted(self._buildings.items()) if institution in {None, key[0]}]

    def save_points(self, points: Iterable[Point]) -> None:
        self._points.update({point.series.key: point for point in points})

    def save_roles(self, roles) -> None:
        for key, role in roles.items():
            counts = self._points[key].counts if role.counts is None else role.counts
            self._points[key] = replace(self._points[key], role=role, counts=counts)

    def save_change(self, change: MeterChange) -> int:
        self._changes.append(change)
        return len(self._changes)

    def changes(self, institution: str | None = None) -> list[DeclaredChange]:
        return [
            DeclaredChange(place + 1, change)
            for place, change in enumerate(self._changes)
            if institution in {None, change.institution}
        ]

    def save_virtual_meters(self, meters: Iterable[VirtualMeter]) -> None:
        self._virtual.update({(meter.institution, meter.name): meter for meter in meters})

    def virtual_meters(self, institution: str | None = None) -> list[VirtualMeter]:
        return [meter for key, meter in sorted(self._virtual.items()) if institution in {None, key[0]}]

    def points(self, institution: str | None = None) -> list[Point]:
        return [point for key, point in sorted(self._points.items()) if institution in {None, key[0]}]

    def save_findings(self, origin: str, findings: Iterable[Finding]) -> None:
        self._findings[origin] = list(findings)

    def findings(self, subject: str | None = None) -> list[Finding]:
        return [row for rows in self._findings.values() for row in rows if subject in {None, row.subject}]

    def close(self) -> None:
        self._points.clear()
