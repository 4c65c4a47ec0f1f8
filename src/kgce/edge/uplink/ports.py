"""What the uplink asks of a sink, and the shape in which any store of readings is one."""

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

from kgce.domain.events import Event
from kgce.domain.ports import AppendResult, EventSink, Sink
from kgce.edge.buffer.parcel import Parcel


@runtime_checkable
class ParcelSink(Protocol):
    """Takes numbered parcels; called from one thread at a time, never from the event loop."""

    def deliver(self, parcel: Parcel) -> AppendResult:
        """Return once the parcel is safe; taking it twice changes nothing.

        Raises:
            StoreUnavailable: not known to be safe; the caller still owns the parcel.
            InputError: it can never be taken.
        """
        ...

    def tell(self, gateway: str, events: Sequence[Event]) -> None:
        """Return once the events are safe.

        Raises:
            StoreUnavailable: not known to be safe.
        """
        ...

    def status(self) -> dict[str, Any]:
        """Kind, target, whether another gateway uses this id."""
        ...

    def close(self) -> None:
        """Release files and connections."""
        ...


@runtime_checkable
class _Closable(Protocol):
    def close(self) -> None: ...


class StoreSink:
    """A store of readings as a sink for parcels: it knows repeats by series and time, numbers mean nothing to it."""

    def __init__(self, sink: Sink, *, kind: str = "store", target: str = "") -> None:
        self._sink = sink
        self._about = {"kind": kind, "target": target, "taken_over": False}

    def deliver(self, parcel: Parcel) -> AppendResult:
        """Append its rows."""
        return self._sink.append(parcel.batch)

    def tell(self, gateway: str, events: Sequence[Event]) -> None:
        """Keep the events where the store has a place for them."""
        if isinstance(self._sink, EventSink):
            self._sink.append_events(gateway, events)

    def status(self) -> dict[str, Any]:
        """Kind and target."""
        return dict(self._about)

    def close(self) -> None:
        """Close the store, where it has something to close."""
        if isinstance(self._sink, _Closable):
            self._sink.close()


def parcel_sink(sink: Sink | ParcelSink) -> ParcelSink:
    """The sink as the uplink needs it."""
    return sink if isinstance(sink, ParcelSink) else StoreSink(sink)
