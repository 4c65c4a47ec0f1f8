"""Heard: what a worker has counted since its start; rows = stored + duplicate + refused."""

from collections import Counter
from dataclasses import dataclass, field

from kgce.collectors.ingest.numbers import Gap
from kgce.domain.ports import AppendResult


@dataclass(slots=True)
class Heard:
    """Counters of one worker; read from any thread."""

    messages: int = 0
    repeated: int = 0  # messages whose numbers had been taken before, by any worker
    malformed: int = 0
    letters_lost: int = 0  # dead letters the disk did not take
    rows: int = 0
    stored: int = 0
    duplicate: int = 0
    refused: int = 0
    replaced: int = 0  # part of stored
    expired: int = 0  # part of refused
    events: int = 0
    groups: int = 0  # appends to the store
    store_failures: int = 0
    waiting_messages: int = 0  # taken from the broker, not yet in the store
    waiting_rows: int = 0
    gateways: dict[str, str] = field(default_factory=dict)  # id -> state it, or its last will, told
    reasons: Counter[str] = field(default_factory=Counter)
    gaps: list[Gap] = field(default_factory=list)  # that have stood for a while

    def add(self, result: AppendResult) -> None:
        """Count the store's answer."""
        self.rows += result.stored + result.duplicate + result.refused
        self.stored += result.stored
        self.duplicate += result.duplicate
        self.refused += result.refused
        self.replaced += result.replaced
        self.expired += result.expired
