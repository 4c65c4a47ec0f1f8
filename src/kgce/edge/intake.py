"""Intake: one batch from a source through the checks into the buffer, durable when it returns.

source --emit--> Checks --> Buffer
"""

import threading

from kgce.domain.batch import Batch
from kgce.edge.buffer import Buffer
from kgce.edge.checks import Checks


class Intake:
    """Takes batches one at a time; safe to call from several threads."""

    def __init__(self, checks: Checks, buffer: Buffer) -> None:
        self._checks = checks
        self._buffer = buffer
        self._lock = threading.Lock()

    def take(self, batch: Batch) -> None:
        """Check, commit, then remember: a batch that could not be kept is not a repeat when it comes again.

        Raises:
            StoreUnavailable: nothing of it was kept or counted.
        """
        if not len(batch):
            return
        with self._lock:
            checked = self._checks.check(batch)
            self._buffer.put(checked.batch, checked.otherwise)
            self._checks.remember(checked)

    def marks(self) -> dict[str, int]:
        """Rows marked since the start, by rule."""
        with self._lock:
            return {rule: rows for rule, rows in sorted(self._checks.marks.items()) if rows}
