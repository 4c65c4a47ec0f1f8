"""One simulated meter on the bus: a slave of EN 13757-2 with its selection and its frame count bit."""

import datetime as dt
from dataclasses import dataclass, field
from typing import Final

from kgce.simulators.devices.device import Clock, SimulatedDevice, time_ms_of
from kgce.simulators.mbus.encode import MORE_RECORDS_FOLLOW, clock_record, header, record, telegram
from kgce.simulators.mbus.models import MeterModel

ACKNOWLEDGED: Final = b"\xe5"
LINK_RESET: Final = 0x40
SEND_DATA: Final = (0x53, 0x73)
REQUEST_DATA: Final = (0x5B, 0x7B)
COUNT_BIT: Final = 0x20
SELECTED: Final = 253
POINT_TO_POINT: Final = 254
BROADCAST: Final = 255
SELECT: Final = 0x52
SHANGHAI_H: Final = 8.0  # meters keep local standard time


@dataclass(slots=True)
class SimulatedMeter:
    """A device behind a bus address and a number of eight digits."""

    address: int
    number: str
    model: MeterModel
    device: SimulatedDevice
    clock: Clock
    has_clock: bool = True
    utc_offset_h: float = SHANGHAI_H
    status: int = 0
    is_selected: bool = False
    _access: int = 0
    _page: int = 0
    _count_bit: int | None = None
    _last: bytes = b""
    _taken_at_ms: int = field(default=0)

    def answer(self, request: bytes) -> bytes | None:
        """What this meter sends on a whole request frame; None when it keeps silent."""
        if request[0] == 0x10:  # noqa: PLR2004 - short frame
            return self._on_short(request[1], request[2])
        return self._on_long(request[4], request[5], request[6], request[7:-2])

    def _on_short(self, control: int, address: int) -> bytes | None:
        if address == BROADCAST:
            self._reset_if(control == LINK_RESET)
            return None
        if address not in {self.address, POINT_TO_POINT} and not (address == SELECTED and self.is_selected):
            return None
        if control == LINK_RESET:
            self._reset_if(control == LINK_RESET)
            self.is_selected = self.is_selected and address != SELECTED
            return ACKNOWLEDGED
        return self._readout(control & COUNT_BIT) if control in REQUEST_DATA else None

    def _on_long(self, control: int, address: int, ci: int, data: bytes) -> bytes | None:
        if control not in SEND_DATA:
            return None
        if address == SELECTED and ci == SELECT:
            self.is_selected = self._fits(data)
            self._reset_if(self.is_selected)
            return ACKNOWLEDGED if self.is_selected else None
        concerns = address in {self.address, POINT_TO_POINT} or (address == SELECTED and self.is_selected)
        return ACKNOWLEDGED if concerns else None

    def _reset_if(self, condition: bool) -> None:  # noqa: FBT001 - reads as a sentence where it is called
        if condition:
            self._count_bit, self._page = None, 0

    def _fits(self, wanted: bytes) -> bool:
        own = header(self.number, self.model.maker, self.model.version, self.model.medium)[:8]
        if len(wanted) != len(own):
            return False
        number_fits = all(ask in {"f", digit} for ask, digit in zip(wanted[:4].hex(), own[:4].hex(), strict=True))
        maker_fits = wanted[4:6] in {b"\xff\xff", own[4:6]}
        return (
            number_fits
            and maker_fits
            and all(ask in {0xFF, code} for ask, code in zip(wanted[6:], own[6:], strict=True))
        )

    def _readout(self, count_bit: int) -> bytes:
        """The next telegram; the last one again when the count bit did not change."""
        if count_bit == self._count_bit and self._last:
            return self._last
        if self._page == 0:
            self._taken_at_ms = time_ms_of(self.clock)
        self._count_bit, self._last = count_bit, self._telegram()
        self._page = (self._page + 1) % len(self.model.telegrams)
        self._access = (self._access + 1) % 256
        return self._last

    def _telegram(self) -> bytes:
        values = self.device.values(self._taken_at_ms)
        fields = self.model.telegrams[self._page]
        parts = [record(one, values[one.quantity]) for one in fields if one.quantity in values]
        if self.has_clock and self._page == 0:
            zone = dt.timezone(dt.timedelta(hours=self.utc_offset_h))
            parts.append(clock_record(dt.datetime.fromtimestamp(self._taken_at_ms / 1000, zone)))
        if self._page + 1 < len(self.model.telegrams):
            parts.append(MORE_RECORDS_FOLLOW)
        model = self.model
        head = header(self.number, model.maker, model.version, model.medium, access=self._access, status=self.status)
        return telegram(self.address, head + b"".join(parts))
