"""Vigil: turns changes of the gateway's state into events, so that the centre can explain every gap.

status (every few seconds) --compare with the one before--> Event, once per change
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from kgce.domain.events import Event, RecordEvent, Severity

_LOOK_S: Final = 5.0
_LOW_H: Final = 24.0  # hours of buffer left: a day is what a technician needs to come
_ENOUGH_H: Final = 30.0

Status = Mapping[str, Any]


class Vigil:
    """Looks at the status, records what changed; what was so at the start is no change."""

    def __init__(self, status: Callable[[], Status], record: RecordEvent, clock: Callable[[], float]) -> None:
        self._status = status
        self._record = record
        self._clock = clock
        self._before: Status | None = None
        self._is_low = False

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            self.look(await asyncio.to_thread(self._status))
            await asyncio.sleep(_LOOK_S)

    def look(self, status: Status) -> None:
        """Compare with the status before and record what changed."""
        now_ms = int(self._clock() * 1000)
        if self._before is not None:
            for event in changes(self._before, status, now_ms):
                self._record(event)
        self._hours(status.get("buffer", {}), now_ms)
        self._before = status

    def _hours(self, buffer: Status, now_ms: int) -> None:
        hours = buffer.get("hours_left")
        if hours is None:
            return
        evidence = {"hours_left": hours, "bytes": buffer["bytes"], "bound_by": buffer.get("bound_by", "")}
        if hours < _LOW_H and not self._is_low:
            self._is_low = True
            text = f"the buffer is full in {hours:.0f} h at this rate; restore the uplink or give it more space"
            self._record(Event("buffer.low", now_ms, "gateway", Severity.ALARM, text, evidence))
        elif hours > _ENOUGH_H and self._is_low:
            self._is_low = False
            text = f"the buffer lasts {hours:.0f} h again"
            self._record(Event("buffer.enough", now_ms, "gateway", Severity.INFO, text, evidence))


def changes(before: Status, after: Status, now_ms: int) -> Iterator[Event]:
    """What is otherwise than it was."""
    yield from _uplink(before.get("uplink", {}), after.get("uplink", {}), now_ms)
    yield from _devices(before.get("devices", ()), after.get("devices", ()), now_ms)
    yield from _drops(before.get("buffer", {}), after.get("buffer", {}), now_ms)


def _uplink(before: Status, after: Status, now_ms: int) -> Iterator[Event]:
    if before.get("state") == after.get("state") or before.get("state") == "idle":
        return
    if after.get("state") == "down":
        text = f"uplink is down: {after['last_error']}"
        yield Event("uplink.down", after["since_ms"], "gateway", Severity.WARNING, text, {"error": after["last_error"]})
    elif before.get("state") == "down":
        evidence = {"down_s": (now_ms - before["since_ms"]) / 1000, "failures": before["failures"]}
        yield Event("uplink.up", after["since_ms"], "gateway", Severity.INFO, "uplink is up again", evidence)


def _devices(before: Any, after: Any, now_ms: int) -> Iterator[Event]:
    known = {(one["institution"], one["device"]): one for one in before}
    for one in after:
        was = known.get((one["institution"], one["device"]))
        if was is None or was["online"] == one["online"] or not (was["online"] or was["failures"] or was["last_error"]):
            continue  # the same, or not heard before: no change
        subject = f"{one['institution']}/{one['device']}"
        at_ms = one["since_ms"] or now_ms
        if one["online"]:
            evidence = {"silent_s": (at_ms - was["since_ms"]) / 1000, "failures": one["failures"] - was["failures"]}
            yield Event("device.back", at_ms, subject, Severity.INFO, f"{subject} answers again", evidence)
        else:
            text = f"{subject} is silent: {one['last_error']}"
            yield Event("device.silent", at_ms, subject, Severity.WARNING, text, {"error": one["last_error"]})


def _drops(before: Status, after: Status, now_ms: int) -> Iterator[Event]:
    """A span given up is told when it begins and whenever it has grown."""
    known = {(one["from_ms"], one["reason"]): one for one in before.get("drops", ())}
    for one in after.get("drops", ()):
        was = known.get((one["from_ms"], one["reason"]))
        if was is not None and was["rows"] == one["rows"]:
            continue
        text = f"{one['rows']} readings were given up for want of space ({one['reason']})"
        yield Event("buffer.dropped", now_ms, "gateway", Severity.ALARM, text, dict(one))
