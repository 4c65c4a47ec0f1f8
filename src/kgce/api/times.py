"""Times in and out of the API: ISO 8601 with an offset outside, UTC milliseconds inside."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from fastapi import Depends, Query
from pydantic import AwareDatetime, BeforeValidator

from kgce.domain.errors import InputError

EARLIEST: Final = datetime(1980, 1, 1, tzinfo=UTC)  # the stores' own bounds
LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)
_PLUS_LOST: Final = re.compile(r"(T[\d:.]+) (\d\d:?\d\d)$")
_BARE_NUMBER: Final = re.compile(r"\s*[-+]?[\d.]+\s*")


def iso_utc(time_ms: int) -> str:
    """`2026-01-02T03:04:05.678Z`; milliseconds only where there are any."""
    moment = datetime.fromtimestamp(time_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    millis = time_ms % 1000
    return f"{moment}.{millis:03d}Z" if millis else f"{moment}Z"


def iso_local(time_ms: int, zone: ZoneInfo) -> str:
    """`2026-01-02T11:04:05+08:00`: the institution's clock with its offset."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).astimezone(zone).isoformat()


def _written_out(text: object) -> object:
    """An unescaped + in a query arrives as a space; between time and offset it can mean nothing else.

    Raises:
        ValueError: a bare number, which could count seconds or milliseconds.
    """
    if not isinstance(text, str):
        return text
    if _BARE_NUMBER.fullmatch(text):
        raise ValueError("write the time as ISO 8601 with an offset, such as 2026-01-02T03:04:05Z")
    return _PLUS_LOST.sub(r"\1+\2", text)


InTime = Annotated[AwareDatetime, BeforeValidator(_written_out)]


@dataclass(frozen=True, slots=True)
class Span:
    """[start, end) in UTC. [ms]."""

    start_ms: int
    end_ms: int

    def bounded(self, longest: timedelta) -> "Span":
        """This span.

        Raises:
            InputError: it is longer than the route allows.
        """
        if self.end_ms - self.start_ms > longest / timedelta(milliseconds=1):
            raise InputError(f"the span is longer than {longest.days} days: ask in parts, or on a coarser grid")
        return self


def in_span(
    start: Annotated[InTime, Query(description="ISO 8601 with offset")],
    end: Annotated[InTime, Query(description="ISO 8601 with offset, not included")],
) -> Span:
    """The asked span.

    Raises:
        InputError: the end is not after the start, or a time no store can hold.
    """
    if not EARLIEST <= start <= LATEST or not EARLIEST <= end <= LATEST:
        raise InputError("start and end must lie between 1980 and 2200")
    if end <= start:
        raise InputError(f"end {end.isoformat()} is not after start {start.isoformat()}")
    return Span(round(start.timestamp() * 1000), round(end.timestamp() * 1000))


SpanDep = Annotated[Span, Depends(in_span)]
