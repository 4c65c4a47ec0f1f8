"""Problems: what is broken, since when, and what to do; the one list behind the page, the command and the metrics."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from kgce.domain.events import Severity
from kgce.edge.local.advice import for_device, for_uplink
from kgce.edge.local.words import at, hours, lasting, size

Status = Mapping[str, Any]

_LOW_H: Final = 24.0  # what a technician needs to come
_ORDER: Final = {Severity.ALARM: 0, Severity.WARNING: 1, Severity.INFO: 2}
_PATIENCE_MS: Final = 30_000  # one answer that fails is no news yet
_RECENT_MS: Final = 7 * 86_400_000  # a loss stays in sight for a week


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is not as it should be."""

    severity: Severity
    subject: str
    what: str
    todo: str
    since_ms: int | None = None


def problems(status: Status, now_ms: int) -> list[Problem]:
    """The worst first, then the oldest; empty when all is well."""
    found = [problem for look in _LOOKS for problem in look(status, now_ms)]
    return sorted(found, key=lambda one: (_ORDER[one.severity], one.since_ms or now_ms, one.subject))


def _books(status: Status, _now_ms: int) -> Iterator[Problem]:
    if not status.get("equation_holds", True):
        what = "the counts do not add up: readings polled are not the sum of what became of them"
        yield Problem(Severity.ALARM, "gateway", what, "send the status (--json) to the makers of kgce")


def _disk(status: Status, _now_ms: int) -> Iterator[Problem]:
    if not status.get("keeps_readings", True):
        what = "readings are being lost: the gateway's disk takes nothing"
        yield Problem(
            Severity.ALARM, "disk", what, "free some space on it; if there is some, check it (smartctl, dmesg)"
        )


def _buffer(status: Status, now_ms: int) -> Iterator[Problem]:
    buffer = status.get("buffer", {})
    left = buffer.get("hours_left")
    if left is not None and left < _LOW_H:
        what = f"the buffer is full in {hours(left)} at this rate"
        yield Problem(
            Severity.ALARM, "buffer", what, "bring the uplink back, or raise [buffer] max_mb if the disk allows"
        )
    if buffer.get("below_floor"):
        what = f"the disk has {size(buffer['free_bytes'])} left, less than its floor {size(buffer['floor_bytes'])}"
        yield Problem(
            Severity.ALARM, "disk", what, "free some space on the gateway's disk; the buffer grows no further"
        )
    for drop in buffer.get("drops", ()):
        if now_ms - drop["to_ms"] <= _RECENT_MS:
            what = (
                f"{drop['rows']} readings from {at(drop['from_ms'])} to {at(drop['to_ms'])} are lost: {drop['reason']}"
            )
            yield Problem(Severity.WARNING, "buffer", what, _LOST.get(drop["reason"], _MORE_SPACE), drop["from_ms"])
    for repair in buffer.get("repairs", ()):
        if now_ms - repair["at_ms"] <= _RECENT_MS:
            what = f"the buffer's file was damaged and repaired: {repair['what']}"
            todo = "check the disk (smartctl) and the power supply; the damaged file was kept beside the buffer"
            yield Problem(Severity.WARNING, "buffer", what, todo, repair["at_ms"])
    if buffer.get("dead_letters"):
        what = f"{buffer['dead_letters']} batches were refused for good by the store"
        yield Problem(Severity.WARNING, "buffer", what, "look at them: kgce edge buffer dead-letters FILE")
    if buffer.get("quarantined_batches"):
        what = f"{buffer['quarantined_batches']} batches are damaged on disk and wait for a person"
        yield Problem(Severity.WARNING, "buffer", what, "check the disk (smartctl); the rest went on")


def _uplink(status: Status, now_ms: int) -> Iterator[Problem]:
    uplink = status.get("uplink", {})
    if uplink.get("taken_over"):
        what = f"another gateway is connected under the same id {status.get('gateway', '')!r}"
        yield Problem(Severity.ALARM, "uplink", what, "give each gateway its own [gateway] id; look for a copied disk")
    if uplink.get("state") != "down":
        return
    lasts_ms = now_ms - uplink["since_ms"]
    waiting = status.get("counters", {}).get("waiting", 0)
    what = f"the uplink is down for {lasting(lasts_ms / 1000)}, {waiting} readings wait: {uplink['last_error']}"
    yield Problem(Severity.WARNING, "uplink", what, for_uplink(uplink["last_error"]), uplink["since_ms"])


def _clock(status: Status, now_ms: int) -> Iterator[Problem]:
    clock = status.get("clock", {})
    if clock.get("state") == "unsure":
        what = f"the machine's clock is not trusted ({clock['reason']}); readings wait for the right time"
        todo = "connect NTP, or set the clock and say: kgce edge trust-clock FILE"
        yield Problem(Severity.ALARM, "clock", what, todo, clock["since_ms"])
    elif clock and not clock.get("follows_machine", True):
        what = f"the machine's clock is {clock['machine_off_s']:+.0f} s off; the gateway goes by the {clock['witness']}"
        yield Problem(Severity.WARNING, "clock", what, "set the machine's clock, connect NTP", clock["since_ms"])
    del now_ms


def _devices(status: Status, now_ms: int) -> Iterator[Problem]:
    for one in status.get("devices", ()):
        is_new = now_ms - one["since_ms"] < _PATIENCE_MS and one["failures"] <= 1
        if one["online"] or is_new or not (one["failures"] or one["last_error"]):
            continue
        lasts = lasting((now_ms - one["since_ms"]) / 1000) if one["since_ms"] else "the start"
        what = f"silent for {lasts}: {one['last_error'] or 'no answer'}"
        subject = f"{one['institution']}/{one['device']}"
        yield Problem(Severity.WARNING, subject, what, for_device(one["last_error"]), one["since_ms"] or None)


def _jobs(status: Status, _now_ms: int) -> Iterator[Problem]:
    for one in status.get("sources", ()):
        if one["failing"]:
            what = f"the source fails and is started again ({one['restarts']} times so far): {one['last_error']}"
            yield Problem(Severity.WARNING, one["name"], what, for_device(one["last_error"]))
    for one in status.get("companions", ()):
        if one["last_error"]:
            what = f"the job died {one['restarts']} times: {one['last_error']}"
            yield Problem(Severity.WARNING, one["name"], what, "see the log; readings are not touched by it")


def _config(status: Status, _now_ms: int) -> Iterator[Problem]:
    refused = (status.get("config") or {}).get("refused")
    if refused:
        what = f"a new configuration was refused: {refused['reason']}"
        yield Problem(
            Severity.WARNING,
            "configuration",
            what,
            "correct it and send it again; the old one goes on",
            refused["at_ms"],
        )


def _alarms(status: Status, _now_ms: int) -> Iterator[Problem]:
    for one in (status.get("control") or {}).get("alarms", ()):
        yield Problem(Severity(one["severity"]), one["subject"], one["message"], one["todo"], one["since_ms"])


_MORE_SPACE: Final = "give the buffer more space ([buffer] max_mb), bring the uplink back sooner"
_LOST: Final = {
    "buffer.thinned": "only power and other gauges were thinned, counters are whole; bring the uplink back",
    "buffer.gauges": "only power and other gauges are missing, counters are whole; bring the uplink back",
    "buffer.age": "they were older than [buffer] max_days",
    "buffer.corrupt": "check the disk (smartctl) and the power supply",
}
_LOOKS: Final[tuple[Callable[[Status, int], Iterator[Problem]], ...]] = (
    _books, _disk, _buffer, _uplink, _clock, _devices, _jobs, _config, _alarms,
)  # fmt: skip
