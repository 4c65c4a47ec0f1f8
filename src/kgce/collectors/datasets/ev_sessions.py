"""Ev-sessions: charging of electric vehicles at 26 sites in the United States, as quarter hours per site.

Source: Asensio et al. 2021, doi:10.1038/s41597-021-00956-1 (25 workplaces, 2014-2015) and ACN-Data, Caltech
(2018-2019). The energy of a session is spread evenly from plug-in to the end of charging (where that is not
published: to plug-out) and summed per site and slot. What is odd is told by ev_sessions_traps.py.
"""

import time
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from kgce.collectors.datasets.dataset import Dataset, require_files
from kgce.collectors.datasets.ev_sessions_traps import DAY_MS, Session, find_traps
from kgce.collectors.files.numbers import number
from kgce.collectors.files.refusal import Refusal, refuse
from kgce.collectors.files.table import Columns, Line, Progress, read_table
from kgce.collectors.files.times import TimeReader, zone
from kgce.domain.batch import Batch
from kgce.domain.carriers import CARRIERS
from kgce.domain.errors import InputError
from kgce.domain.quantities import Kind
from kgce.domain.tree import Institution, Point, Region, Series, Step, YearlyAttributes

NAME: Final = "ev-sessions"
FILE: Final = "ev/ev_sessions.csv.gz"
REGION: Final = Region("US", "United States")
PEER_CLASS: Final = "vehicle_charging"
METER: Final = "charging"
SLOT_MS: Final = 15 * 60_000
FIRST_YEAR: Final = 1990  # nobody logged the charging of vehicles before: an older year is a mistyped one
LONGEST_DAYS: Final = 31  # a longer session is a mistyped date
STATED_UTC: Final = "UTC"
# The zone of a site's days, by the source's name. Caltech is in Pasadena; the workplaces are anonymous.
TIMEZONES: Final = {"acn_caltech": "America/Los_Angeles"}
UNKNOWN_TIMEZONE: Final = "UTC"
_TEXTS: Final = ("dataset", "session_id", "site_id", "plug_in", "plug_out", "charge_end", "energy_kwh", "time_basis")
_COLUMNS: Final = Columns(_TEXTS, others_allowed=True)


@dataclass(slots=True)
class _Sessions:
    """Sessions that were kept, and rows that were not."""

    kept: list[Session] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)


def load(folder: Path, progress: Progress) -> Dataset:
    """One institution per site with its charging, quarter hour by quarter hour, and its traps."""
    (path,) = require_files(NAME, folder, (FILE,))
    sessions = _read(path, progress)
    sites = {session.site: session.source for session in sessions.kept}
    zones = {site: TIMEZONES.get(source, UNKNOWN_TIMEZONE) for site, source in sites.items()}
    return Dataset(
        name=NAME,
        regions=[REGION],
        institutions=[
            Institution(site, f"Charging site {site.removeprefix('ev-')}, {sites[site]}", REGION.code, timezone)
            for site, timezone in zones.items()
        ],
        attributes=[
            YearlyAttributes(site, year, PEER_CLASS)
            for site, timezone in zones.items()
            for year in _years(timezone, (one for one in sessions.kept if one.site == site))
        ],
        buildings=[],
        points=[Point(_series(site), "electricity", Kind.INTERVAL, Step.QUARTER_HOUR) for site in sites],
        batch=_batch(sessions.kept),
        findings=find_traps(sessions.kept),
        refusals=sessions.refusals,
    )


def _read(path: Path, progress: Progress) -> _Sessions:
    sessions = _Sessions()
    times = TimeReader(STATED_UTC, now_s=time.time())
    seen: set[tuple[str, str]] = set()
    for line in read_table(path, _COLUMNS, progress):
        try:
            session = _session(line, times, seen)
        except InputError as error:
            sessions.refusals.append(refuse(path, line.number, str(error), _COLUMNS.all, line.cells))
        else:
            sessions.kept.append(session)
            seen.add((session.source, session.id))
    return sessions


def _session(line: Line, times: TimeReader, seen: Container[tuple[str, str]]) -> Session:
    """The row as a session that has not been seen.

    Raises:
        InputError: a cell is not what its column says, or the session cannot have been.
    """
    if line.fault:
        raise InputError(line.fault)
    row = dict(zip(_COLUMNS.all, line.cells, strict=True))
    if not (row["session_id"] and row["site_id"]):
        raise InputError("no session_id or no site_id")
    if (row["dataset"], row["session_id"]) in seen:
        raise InputError(f"session {row['session_id']} is there twice: the first counts")
    end_column = "charge_end" if row["charge_end"] else "plug_out"
    begin_ms, end_ms = _time_ms(row, "plug_in", times), _time_ms(row, end_column, times)
    if end_ms <= begin_ms:
        what = "ends before it begins" if end_ms < begin_ms else "ends when it begins"
        raise InputError(f"the session {what}: plug_in {row['plug_in']}, {end_column} {row[end_column]}")
    if end_ms - begin_ms > LONGEST_DAYS * DAY_MS:
        raise InputError(f"the session lasts more than {LONGEST_DAYS} days: {row['plug_in']} to {row[end_column]}")
    energy = number(row["energy_kwh"])
    if isinstance(energy, str):
        raise InputError(f"energy_kwh: {energy}")
    if energy < 0.0:
        raise InputError(f"energy_kwh: {energy:g} is negative")
    return Session(
        id=row["session_id"],
        source=row["dataset"],
        site=f"ev-{row['site_id']}",
        begin_ms=begin_ms,
        end_ms=end_ms,
        energy_kwh=energy,
        is_basis_stated=row["time_basis"] == STATED_UTC,
        is_end_of_charge=end_column == "charge_end",
    )


def _time_ms(row: Mapping[str, str], column: str, times: TimeReader) -> int:
    text = row[column]
    if text[:4].isdigit() and int(text[:4]) < FIRST_YEAR:
        raise InputError(f"{column}: the year of {text!r} is before {FIRST_YEAR}")
    instant = times.read(text)
    if isinstance(instant, str):
        raise InputError(f"{column}: {instant}")
    return instant.ms


def spread(session: Session) -> Iterator[tuple[int, float]]:
    """(start of the slot in UTC ms, kWh) of every quarter hour that a session touches."""
    begin, end = session.begin_ms, session.end_ms
    for slot in range(begin - begin % SLOT_MS, end, SLOT_MS):
        inside_ms = min(end, slot + SLOT_MS) - max(begin, slot)
        yield slot, session.energy_kwh * inside_ms / (end - begin)


def _batch(sessions: Iterable[Session]) -> Batch:
    """Slots with charging, per site in order of time; a session of zero fills none."""
    amounts: dict[str, dict[int, float]] = {}
    for session in sessions:
        if session.energy_kwh > 0.0:
            slots = amounts.setdefault(session.site, {})
            for slot, energy in spread(session):
                slots[slot] = slots.get(slot, 0.0) + energy
    return Batch.from_rows(
        (_series(site), slot, slots[slot], 0) for site, slots in amounts.items() for slot in sorted(slots)
    )


def _years(timezone: str, sessions: Iterable[Session]) -> Sequence[int]:
    """Calendar years, in the site's own zone, from its first to its last session."""
    ends = [ms for session in sessions for ms in (session.begin_ms, session.end_ms)]
    first, last = (datetime.fromtimestamp(ms / 1000, zone(timezone)).year for ms in (min(ends), max(ends)))
    return range(first, last + 1)


def _series(site: str) -> Series:
    carrier = CARRIERS["electricity"]
    return Series(site, METER, carrier.field(Kind.INTERVAL), carrier.measurement, region=REGION.code)
