"""A group of messages on their way into the store, and what became of each."""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, Protocol

from kgce.collectors.ingest.packets import Arrived
from kgce.collectors.uplink.message import Message
from kgce.domain.batch import Batch
from kgce.domain.errors import ConfigError, NeverWorks, StoreUnavailable
from kgce.domain.events import Event
from kgce.domain.ports import AppendResult, EventSink

_RETRY_FIRST_S: Final = 0.5
_RETRY_LIMIT_S: Final = 30.0

# An operator mends these; until then the broker and the gateways keep what they have.
_NOT_THE_MESSAGES_FAULT: Final = (StoreUnavailable, ConfigError, OSError, MemoryError)

log: Final = logging.getLogger(__name__)


class Keeper(EventSink, Protocol):
    """Where groups go."""

    def append_all(self, batches: Sequence[Batch]) -> list[AppendResult]:
        """Keep several batches at once; the counts of each."""
        ...


@dataclass(slots=True)
class Job:
    """One message; what it holds is either a batch or events."""

    arrived: Arrived
    connection: int  # number of the connection it came over: only there can it be acknowledged
    gateway: str
    message: Message | None = None
    events: Sequence[Event] = ()
    result: AppendResult = field(default_factory=AppendResult)
    reason: str = ""  # why it can never be taken
    is_kept: bool = False  # its fate is known; when the rest of its group is tried again, it is not

    @property
    def rows(self) -> int:
        """Readings in it."""
        return 0 if self.message is None else len(self.message.batch)


def keep(jobs: Sequence[Job], store: Keeper, *, stopping: threading.Event, failed: Callable[[str], None]) -> bool:
    """Write the group, waiting for a store that is away; `failed` hears why. False = told to stop before that."""
    wait_s = _RETRY_FIRST_S
    while True:
        try:
            _write(jobs, store)
        except StoreUnavailable as error:
            failed(str(error))
            if stopping.wait(wait_s):
                return False
            wait_s = min(2 * wait_s, _RETRY_LIMIT_S)
        else:
            failed("")
            return True


def _write(jobs: Sequence[Job], store: Keeper) -> None:
    batches = [job for job in jobs if job.message is not None and not job.is_kept]
    for job, result in zip(batches, _together(batches, store), strict=True):
        job.result, job.is_kept = result, True
    for job in jobs:
        if job.events and not job.is_kept:
            with _reason_for(job):
                store.append_events(job.gateway, job.events)
            job.result, job.is_kept = AppendResult(stored=len(job.events)), True


def _together(batches: Sequence[Job], store: Keeper) -> list[AppendResult]:
    """What became of each; where the store breaks over the group, each message is tried alone."""
    if len(batches) > 1:
        try:
            return store.append_all([job.message.batch for job in batches if job.message is not None])
        except _NOT_THE_MESSAGES_FAULT as error:
            raise StoreUnavailable(str(error)) from error
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not hold up all others for ever
            log.warning("a group of %d messages cannot be kept together (%r): each goes alone", len(batches), error)
    return [_alone(job, store) for job in batches]


def _alone(job: Job, store: Keeper) -> AppendResult:
    """One message by itself; one that breaks the store's code becomes a dead letter."""
    assert job.message is not None
    result = AppendResult()
    with _reason_for(job):
        [result] = store.append_all([job.message.batch])
    return result


@contextmanager
def _reason_for(job: Job) -> Iterator[None]:
    """What goes wrong with this message alone becomes its reason; a store that is away or set up wrong is no reason."""
    try:
        yield
    except _NOT_THE_MESSAGES_FAULT as error:
        raise StoreUnavailable(str(error)) from error
    except NeverWorks as error:
        job.reason = str(error)
    except Exception as error:
        log.exception("a message of gateway %s breaks the store; it becomes a dead letter", job.gateway)
        job.reason = f"the store cannot take it: {error!r}"
