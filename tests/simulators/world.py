"""A frozen simulated world for tests: the shipped live site on a winter workday morning."""

from datetime import datetime

import numpy as np

from kgce.simulators.site import Site, load_site
from kgce.simulators.site_config import parse_site


def ms(text: str) -> int:
    """UTC milliseconds of an ISO time with offset."""
    return int(datetime.fromisoformat(text).timestamp() * 1000)


WINTER_MS = ms("2026-01-14T10:30:17.250+08:00")  # a Wednesday, heating season, school and offices open
OFFICE, SCHOOL, HOSPITAL = "sim-office-1", "sim-school-1", "sim-hospital-1"

ONE_BUILDING = """
[site]
name = "one"
seed = 7
[[building]]
institution = "i"
building = "b"
region = "370199"
name = "one office"
use = "office"
area_m2 = 1000
people = 50
"""


def instant(time_ms: int):
    """One time as an array."""
    return np.array([time_ms], np.int64)


def frozen_site(time_ms: int = WINTER_MS, **options) -> Site:
    """The shipped live site with its clock stopped, so that a read value has one exact truth."""
    return Site(load_site("county"), clock=lambda: time_ms / 1000, **options)


def one_building_site(devices: str, *, time_ms: int = WINTER_MS, **options) -> Site:
    """A site of one office with the given `[[building.device]]` tables."""
    return Site(parse_site(ONE_BUILDING + devices, "test"), clock=lambda: time_ms / 1000, **options)
