"""What a message gave the gateway: rows for the batch, reasons for the counters, news about the device."""

from dataclasses import dataclass

from kgce.domain.tree import Series

Row = tuple[Series, int, float, int]  # series, time_ms, value, quality


@dataclass(frozen=True, slots=True)
class Mapped:
    """Readings, why the message or single fields gave none, and whether the device said it is there."""

    rows: tuple[Row, ...] = ()
    refused: tuple[str, ...] = ()
    online: bool | None = None  # None = nothing was said about it
