"""What both versions share: a connection whose frames are checked before the ocpp library routes them."""

import contextlib
import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from ocpp.routing import after, on

from kgce.collectors.ocpp.charger import Charger
from kgce.collectors.ocpp.messages import FrameError, parse

# The library logs every frame and a stack for every refusal; what matters is counted and told by Charger.
QUIET = logging.getLogger("kgce.collectors.ocpp.wire")
QUIET.setLevel(logging.CRITICAL + 1)
RESPONSE_TIMEOUT_S: Final = 20
# Asked for in this order; a charger that rejects the list gets them one by one (devices.md 1.5).
MEASURANDS: Final = (
    "Energy.Active.Import.Register",
    "Power.Active.Import",
    "Current.Import",
    "Voltage",
    "SoC",
)


class Talking(ABC):
    """Mixed into the library's ChargePoint of a version."""

    charger: Charger
    _call_result: Any  # the library's module of answers of this version

    if TYPE_CHECKING:

        async def start(self) -> None:
            """The library's loop over frames."""

    async def route_message(self, raw_msg: str) -> None:
        """Count the frame, refuse what is none, let the library do the rest; what goes wrong inside is told."""
        self.charger.heard()
        try:
            frame = parse(raw_msg)
        except FrameError as error:
            self.charger.complain(f"a frame was no OCPP: {error}")
            return
        try:
            await super().route_message(raw_msg)  # type: ignore[misc]  # the library's class comes next in the order
        except (LookupError, TypeError, ValueError, RecursionError) as error:
            self.charger.complain(f"{frame.action or 'an answer'} could not be used: {error!r}")

    @on("BootNotification")
    def on_boot(self, **_: Any) -> Any:
        """Accepted, with our time and how often to say that it lives."""
        return self._call_result.BootNotification(self.iso_now(), self.charger.system.heartbeat_s, "Accepted")

    @after("BootNotification")
    async def after_boot(self, **_: Any) -> None:
        """Its settings, once it is accepted."""
        await self.set_up()

    @on("Heartbeat")
    def on_heartbeat(self, **_: Any) -> Any:
        """Our time."""
        return self._call_result.Heartbeat(self.iso_now())

    @on("DataTransfer")
    def on_data_transfer(self, **_: Any) -> Any:
        """Nobody's extensions are known here."""
        return self._call_result.DataTransfer("UnknownVendorId")

    @on("FirmwareStatusNotification")
    def on_firmware(self, **_: Any) -> Any:
        """Heard."""
        return self._call_result.FirmwareStatusNotification()

    @on("SecurityEventNotification")
    def on_security(self, **_: Any) -> Any:
        """Heard."""
        return self._call_result.SecurityEventNotification()

    @on("LogStatusNotification")
    def on_log(self, **_: Any) -> Any:
        """Heard."""
        return self._call_result.LogStatusNotification()

    def iso_now(self) -> str:
        """Our time, as both versions write it."""
        return datetime.fromtimestamp(self.charger.now_ms() / 1000, UTC).isoformat(timespec="seconds")

    def tag_status(self, tag: str | None, refused: str) -> str:
        """Whether this tag may charge."""
        allowed = self.charger.system.id_tags
        return "Accepted" if allowed is None or tag in allowed else refused

    async def set_up(self) -> None:
        """Ask for meter values at the configured interval; a charger that cannot is left as it is, and it is told."""
        try:
            await self.ask_for_values()
        except (TimeoutError, OSError) as error:
            self.charger.complain(f"did not take the interval of its meter values: {error}")
        except Exception as error:  # noqa: BLE001 - the library raises many kinds; set-up is not worth a connection
            self.charger.complain(f"did not take its settings: {error!r}")

    @abstractmethod
    async def ask_for_values(self) -> None:
        """Set the interval and the measurands; each version has its own messages for it."""

    async def most_accepted(self, setting: Any) -> tuple[str, ...]:
        """The measurands a charger takes: all at once, or one after the other as far as it goes along."""
        if await setting(",".join(MEASURANDS)):
            return MEASURANDS
        taken: Sequence[str] = ()
        for measurand in MEASURANDS:
            with contextlib.suppress(TimeoutError):
                if await setting(",".join((*taken, measurand))):
                    taken = (*taken, measurand)
        return tuple(taken)
