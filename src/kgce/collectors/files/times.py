"""Times: ISO 8601 text into UTC milliseconds, never guessing; feeds readings and weather."""

from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from kgce.domain.errors import ConfigError

OLDEST_YEAR: Final = 1980  # before digital metering; older stamps are unset device clocks
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_OLDEST: Final = datetime(OLDEST_YEAR, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_CACHED_TEXTS: Final = 500_000  # a year of minutes; beyond it the cache starts anew


class Instant(NamedTuple):
    """A time as UTC milliseconds; second_ms is its other meaning when the local clock shows it twice."""

    ms: int
    second_ms: int | None = None


def zone(name: str) -> ZoneInfo:
    """The IANA zone of this name.

    Raises:
        ConfigError: no such zone.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigError(f"unknown time zone {name!r}; give an IANA name such as Asia/Shanghai") from None


class TimeReader:
    """Reads one file's times; remembers those it has seen, because every meter repeats them."""

    def __init__(self, tz: str | None, *, now_s: float) -> None:
        self._zone = None if tz is None else zone(tz)
        self._newest = _EPOCH + timedelta(seconds=now_s) + timedelta(days=1)
        self._seen: dict[str, Instant | str] = {}

    def read(self, text: str) -> Instant | str:
        """The instant, or why the text is none."""
        found = self._seen.get(text)
        if found is None:
            if len(self._seen) >= _CACHED_TEXTS:
                self._seen.clear()
            found = self._seen[text] = self._parse(text)
        return found

    def _parse(self, text: str) -> Instant | str:
        if not text:
            return "no time"
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            return f"time {text!r} is not ISO 8601, such as 2024-01-31T08:00:00+08:00"
        if at.tzinfo is not None:
            return self._checked(at, text)
        if self._zone is None:
            return f"time {text!r} has no offset; add one or say --tz ZONE"
        return self._local(at, text)

    def _local(self, naive: datetime, text: str) -> Instant | str:
        """Place a local time; fold 0 and 1 differ exactly where the clock jumps (PEP 495)."""
        first, second = (naive.replace(tzinfo=self._zone, fold=fold) for fold in (0, 1))
        before, after = first.utcoffset(), second.utcoffset()
        if before == after or before is None or after is None:
            return self._checked(first, text)
        if before < after:
            return f"local time {text!r} does not exist in {self._zone}: the clock jumped over it"
        instant = self._checked(first, text)
        return instant if isinstance(instant, str) else Instant(instant.ms, _utc_ms(second))

    def _checked(self, at: datetime, text: str) -> Instant | str:
        if at < _OLDEST:
            return f"time {text!r} is before {OLDEST_YEAR}"
        if at > self._newest:
            return f"time {text!r} is more than a day in the future"
        return Instant(_utc_ms(at))


def _utc_ms(at: datetime) -> int:
    return (at - _EPOCH) // _MILLISECOND
