"""GapWatch: tells of batches that no worker has taken for a while, in the log, in the counters and as events."""

import logging
import time
from collections.abc import Callable
from typing import Final

from kgce.collectors.ingest.heard import Heard
from kgce.collectors.ingest.numbers import Gap, Numbers
from kgce.collectors.uplink.message import Number
from kgce.domain.errors import StoreUnavailable
from kgce.domain.events import Event, Severity
from kgce.domain.ports import EventSink

GAP_S: Final = 120.0  # how long a hole must stand: gateways send again, and history comes after what is new
_LOOK_S: Final = 5.0

log: Final = logging.getLogger(__name__)


class GapWatch:
    """Of one worker; several tell the same of the same gap, and the store keeps it once."""

    def __init__(self, heard: Heard, store: EventSink, clock: Callable[[], float], *, gap_s: float = GAP_S) -> None:
        """`clock` gives UTC seconds, for events."""
        self._heard = heard
        self._store = store
        self._clock = clock
        self._gap_s = gap_s
        self._numbers = Numbers(time.monotonic)
        self._after_ms: dict[tuple[str, str, int], int] = {}  # when the batch behind a hole was sent
        self._looked_s = time.monotonic()

    def take(self, number: Number, sent_ms: int) -> bool:
        """Note what was taken; whether it had been taken before."""
        is_known = self._numbers.take(number)
        if not is_known:
            self._after_ms[number.gateway, number.boot, number.seq] = sent_ms
            if len(self._after_ms) > 100_000:  # noqa: PLR2004 - the newest are those that matter
                self._after_ms = dict(list(self._after_ms.items())[50_000:])
        return is_known

    def look(self) -> None:
        """Now and then, tell what has changed."""
        if time.monotonic() - self._looked_s < _LOOK_S:
            return
        self._looked_s = time.monotonic()
        before, now = set(self._heard.gaps), self._numbers.gaps(for_s=self._gap_s)
        self._heard.gaps = now
        for gap in sorted(set(now) - before):
            log.warning("gateway %s: batches %d to %d of %s never came", gap.gateway, gap.first, gap.last, gap.boot)
            self._keep(gap, "ingest.gap", Severity.WARNING, "never came; look at the gateway's drops and dead letters")
        for gap in sorted(before - set(now)):
            log.warning("gateway %s: batches %d to %d have come after all", gap.gateway, gap.first, gap.last)
            self._keep(gap, "ingest.gap_closed", Severity.INFO, "have come after all, or in part")

    def _keep(self, gap: Gap, event_id: str, severity: Severity, what: str) -> None:
        at_ms = self._after_ms.get((gap.gateway, gap.boot, gap.last + 1), int(self._clock() * 1000))
        message = f"batches {gap.first} to {gap.last} of start {gap.boot} {what}"
        evidence = {"boot": gap.boot, "first": gap.first, "last": gap.last}
        event = Event(event_id, at_ms, f"gateway {gap.gateway}", severity, message, evidence)
        try:
            self._store.append_events(gap.gateway, [event])
        except StoreUnavailable as error:
            log.warning("the gap is not in the store: %s", error)
