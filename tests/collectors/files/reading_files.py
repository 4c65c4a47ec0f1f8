"""Readings files as tests write and read them: two institutions, one fixed clock."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from kgce.collectors.files.readings import ReadingsFile, read_readings
from kgce.domain.tree import Institution

HEADER = "time,institution,point,carrier,kind,unit,value"
SCHOOL = Institution("school", "No. 1 School", "370102")
COLLEGE = Institution("college", "College", "GB", "Europe/London")
INSTITUTIONS = {SCHOOL.id: SCHOOL, COLLEGE.id: COLLEGE}
NOW_S = 1_767_225_600.0  # 2026-01-01T00:00Z: `date -u -d 2026-01-01 +%s`

Read = Callable[..., ReadingsFile]


def read_path(path: Path, **options: Any) -> ReadingsFile:
    """Read with the two institutions, at a fixed time."""
    return read_readings(path, institutions=INSTITUTIONS, clock=lambda: NOW_S, **({"known_points": {}} | options))
