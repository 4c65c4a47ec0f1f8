"""Traps of the charging sessions, found in the sessions themselves; feeds ev_sessions.py with findings."""

from collections.abc import Iterator, Sequence
from statistics import median
from typing import Final, NamedTuple

from kgce.domain.findings import Finding

DAY_MS: Final = 86_400_000
HOUR_MS: Final = 3_600_000
LONG_HOURS: Final = 24.0  # of charging: spread over more than a day, the energy says little about its quarter hours


class Session(NamedTuple):
    """One charging session; end_ms is the end of charging where it is published, else the plug-out."""

    id: str
    source: str
    site: str
    begin_ms: int
    end_ms: int
    energy_kwh: float
    is_basis_stated: bool
    is_end_of_charge: bool


def find_traps(sessions: Sequence[Session]) -> list[Finding]:
    """Every trap, site by site."""
    findings: list[Finding] = []
    for site in dict.fromkeys(session.site for session in sessions):
        here = [session for session in sessions if session.site == site]
        findings += [*_basis(site, here), *_ends(site, here), *_zeros(site, here), *_long(site, here)]
    return findings


def _basis(site: str, sessions: Sequence[Session]) -> Iterator[Finding]:
    unstated = [session for session in sessions if not session.is_basis_stated]
    if unstated:
        hour = median(session.begin_ms % DAY_MS for session in unstated) / HOUR_MS
        yield Finding(
            "time.basis_unstated",
            site,
            f"{site}: the times of {len(unstated)} sessions state no zone; read as UTC, "
            f"their median plug-in is at {hour:.1f} h",
            {"sessions": len(unstated), "read_as": "UTC", "median_plug_in_hour": round(hour, 2)},
        )


def _ends(site: str, sessions: Sequence[Session]) -> Iterator[Finding]:
    count = sum(not session.is_end_of_charge for session in sessions)
    if count:
        yield Finding(
            "session.charge_end_unstated",
            site,
            f"{site}: {count} of {len(sessions)} sessions state no end of charging; spread until the plug-out",
            {"sessions": count, "of": len(sessions)},
        )


def _zeros(site: str, sessions: Sequence[Session]) -> Iterator[Finding]:
    zero = [session.id for session in sessions if session.energy_kwh == 0.0]
    if zero:
        yield Finding(
            "session.zero",
            site,
            f"{site}: {len(zero)} of {len(sessions)} sessions took 0 kWh; they fill no quarter hour",
            {"sessions": zero, "count": len(zero), "of": len(sessions)},
        )


def _long(site: str, sessions: Sequence[Session]) -> Iterator[Finding]:
    for session in sessions:
        hours = (session.end_ms - session.begin_ms) / HOUR_MS
        if hours > LONG_HOURS:
            yield Finding(
                "session.long",
                site,
                f"{site}: session {session.id} lasts {hours:.1f} h for {session.energy_kwh:g} kWh; spread all the same",
                {"session": session.id, "hours": round(hours, 2), "energy_kwh": session.energy_kwh},
            )
