"""OCPP 1.6J: the messages of a charge point, answered once what they say is durable."""

from typing import Any

from ocpp.routing import on
from ocpp.v16 import ChargePoint, call, call_result

from kgce.collectors.ocpp.charge_point import QUIET, RESPONSE_TIMEOUT_S, Talking
from kgce.collectors.ocpp.charger import ENERGY, Charger
from kgce.collectors.ocpp.limits import profile_16
from kgce.collectors.ocpp.samples import BEGIN, instant_ms, samples_of

_WH_PER_KWH = 1000.0


class ChargePoint16(Talking, ChargePoint):
    """One connection of a 1.6 charger."""

    def __init__(self, connection: Any, charger: Charger) -> None:
        """The charger is known; its connection was accepted."""
        super().__init__(charger.config.charger, connection, RESPONSE_TIMEOUT_S, QUIET)
        self.charger = charger

    @on("Authorize")
    def on_authorize(self, id_tag: str, **_: Any) -> call_result.Authorize:
        """By the list, or everybody."""
        return call_result.Authorize({"status": self.tag_status(id_tag, "Invalid")})

    @on("StatusNotification")
    async def on_status(
        self, connector_id: int, status: str, timestamp: str | None = None, error_code: str = "NoError", **_: Any
    ) -> call_result.StatusNotification:
        """A connector's state."""
        if error_code != "NoError":
            self.charger.complain(f"connector {connector_id} reports {error_code}")
        await self.charger.take_state(connector_id, status, instant_ms(timestamp) if timestamp else None)
        return call_result.StatusNotification()

    @on("MeterValues")
    async def on_meter_values(
        self, connector_id: int, meter_value: list[dict[str, Any]], **_: Any
    ) -> call_result.MeterValues:
        """Samples of a connector."""
        await self.charger.take(connector_id, samples_of(meter_value))
        return call_result.MeterValues()

    @on("StartTransaction")
    async def on_start(
        self, connector_id: int, id_tag: str, meter_start: int, timestamp: str, **_: Any
    ) -> call_result.StartTransaction:
        """Told again after a lost answer, it gets the number it had."""
        start_ms = instant_ms(timestamp)
        session = await self.charger.in_store(
            lambda: self.charger.sessions.started(
                self.id,
                connector_id,
                f"{connector_id}|{id_tag}|{start_ms}|{meter_start}",
                id_tag=id_tag,
                start_ms=start_ms,
                start_kwh=meter_start / _WH_PER_KWH,
            )
        )
        return call_result.StartTransaction(session.number, {"status": self.tag_status(id_tag, "Invalid")})

    @on("StopTransaction")
    async def on_stop(
        self,
        meter_stop: int,
        timestamp: str,
        transaction_id: int,
        reason: str = "Local",
        transaction_data: list[dict[str, Any]] | None = None,
        **_: Any,
    ) -> call_result.StopTransaction:
        """The end of a session; one whose begin nobody knows is kept with what is known."""
        known = self.charger.sessions.by_number(self.id, transaction_id)
        samples = samples_of(transaction_data or ())
        begin = samples.of_context(BEGIN, ENERGY)
        session = await self.charger.in_store(
            lambda: self.charger.sessions.stopped(
                self.id,
                known.reference if known else f"unknown {transaction_id}",
                stop_ms=instant_ms(timestamp),
                stop_kwh=meter_stop / _WH_PER_KWH,
                reason=reason,
                start_kwh=begin.value if begin else None,
            )
        )
        await self.charger.take(session.connector, samples)
        await self.charger.take_session(session)
        return call_result.StopTransaction()

    @on("DiagnosticsStatusNotification")
    def on_diagnostics(self, **_: Any) -> call_result.DiagnosticsStatusNotification:
        """Heard."""
        return call_result.DiagnosticsStatusNotification()

    async def ask_for_values(self) -> None:
        """In transactions by sample, outside of them by the clock."""
        interval = str(round(self.charger.config.interval_s))
        for what in ("MeterValueSampleInterval", "ClockAlignedDataInterval"):
            if not await self._set(what, interval):
                self.charger.complain(f"does not take {what} = {interval}")
        for what in ("MeterValuesSampledData", "MeterValuesAlignedData"):
            if not await self.most_accepted(lambda value, what=what: self._set(what, value)):
                self.charger.complain(f"takes no measurand as {what}")

    async def _set(self, key: str, value: str) -> bool:
        answer = await self.call(call.ChangeConfiguration(key, value))
        return answer is not None and answer.status in {"Accepted", "RebootRequired"}

    async def set_profile(self, connector: int, amperes: float, valid_s: float | None) -> str:
        """Tell a connector what it may draw; its answer."""
        profile = profile_16(amperes, self.charger.now_ms() / 1000, valid_s=valid_s)
        answer = await self.call(call.SetChargingProfile(connector, profile))
        return str(getattr(answer, "status", "no answer"))
