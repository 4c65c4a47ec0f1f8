"""OCPP 2.0.1: the messages of a charging station, answered once what they say is durable."""

from collections.abc import Mapping
from typing import Any

from ocpp.routing import on
from ocpp.v201 import ChargePoint, call, call_result

from kgce.collectors.ocpp.charge_point import QUIET, RESPONSE_TIMEOUT_S, Talking
from kgce.collectors.ocpp.charger import ENERGY, Charger
from kgce.collectors.ocpp.limits import profile_201
from kgce.collectors.ocpp.samples import BEGIN, END, Samples, instant_ms, samples_of

_STATES = {"EVConnected": "Preparing", "Idle": "Available"}  # its own words for two states of 1.6


class ChargePoint201(Talking, ChargePoint):
    """One connection of a 2.0.1 charging station."""

    def __init__(self, connection: Any, charger: Charger) -> None:
        """The charger is known; its connection was accepted."""
        super().__init__(charger.config.charger, connection, RESPONSE_TIMEOUT_S, QUIET)
        self.charger = charger

    @on("Authorize")
    def on_authorize(self, id_token: Mapping[str, Any], **_: Any) -> call_result.Authorize:
        """By the list, or everybody."""
        return call_result.Authorize({"status": self.tag_status(id_token.get("id_token"), "Invalid")})

    @on("StatusNotification")
    async def on_status(
        self, timestamp: str, connector_status: str, evse_id: int, **_: Any
    ) -> call_result.StatusNotification:
        """The state of an EVSE's connector."""
        await self.charger.take_state(evse_id, connector_status, instant_ms(timestamp))
        return call_result.StatusNotification()

    @on("MeterValues")
    async def on_meter_values(
        self, evse_id: int, meter_value: list[dict[str, Any]], **_: Any
    ) -> call_result.MeterValues:
        """Samples of an EVSE."""
        await self.charger.take(evse_id, samples_of(meter_value))
        return call_result.MeterValues()

    @on("TransactionEvent")
    async def on_transaction(
        self,
        event_type: str,
        timestamp: str,
        transaction_info: Mapping[str, Any],
        *,
        evse: Mapping[str, Any] | None = None,
        id_token: Mapping[str, Any] | None = None,
        meter_value: list[dict[str, Any]] | None = None,
        **_: Any,
    ) -> call_result.TransactionEvent:
        """Begin, news or end of a transaction, perhaps from long ago and in any order."""
        samples, time_ms = samples_of(meter_value or ()), instant_ms(timestamp)
        reference = str(transaction_info["transaction_id"])
        connector = int((evse or {}).get("id", 0)) or self._connector_of(reference)
        tag = str((id_token or {}).get("id_token", ""))
        if event_type == "Started":
            await self._started(connector, reference, tag, time_ms, samples)
        await self.charger.take(connector, samples)
        state = transaction_info.get("charging_state")
        if state is not None:
            await self.charger.take_state(connector, _STATES.get(state, state), time_ms)
        if event_type == "Ended":
            reason = str(transaction_info.get("stopped_reason", "Local"))
            await self._ended(connector, reference, time_ms, samples, reason)
        if id_token is None:
            return call_result.TransactionEvent()
        return call_result.TransactionEvent(id_token_info={"status": self.tag_status(tag, "Invalid")})

    async def _started(self, connector: int, reference: str, tag: str, start_ms: int, samples: Samples) -> None:
        begin = samples.of_context(BEGIN, ENERGY)
        await self.charger.in_store(
            lambda: self.charger.sessions.started(
                self.id,
                connector,
                reference,
                id_tag=tag,
                start_ms=start_ms,
                start_kwh=begin.value if begin else None,
            )
        )

    async def _ended(self, connector: int, reference: str, stop_ms: int, samples: Samples, reason: str) -> None:
        begin, end = samples.of_context(BEGIN, ENERGY), samples.of_context(END, ENERGY)
        session = await self.charger.in_store(
            lambda: self.charger.sessions.stopped(
                self.id,
                reference,
                stop_ms=stop_ms,
                stop_kwh=end.value if end else None,
                reason=reason,
                start_kwh=begin.value if begin else None,
                connector=connector,
            )
        )
        await self.charger.take_session(session)

    def _connector_of(self, reference: str) -> int:
        """Later messages of a transaction need not repeat where it runs."""
        return next((one.connector for one in self.charger.sessions.all(self.id) if one.reference == reference), 1)

    @on("NotifyEvent")
    def on_event(self, **_: Any) -> call_result.NotifyEvent:
        """Heard."""
        return call_result.NotifyEvent()

    @on("NotifyReport")
    def on_report(self, **_: Any) -> call_result.NotifyReport:
        """Heard."""
        return call_result.NotifyReport()

    async def ask_for_values(self) -> None:
        """In transactions by sample, outside of them by the clock."""
        interval = str(round(self.charger.config.interval_s))
        for component, variable in (("SampledDataCtrlr", "TxUpdatedInterval"), ("AlignedDataCtrlr", "Interval")):
            if not await self._set(component, variable, interval):
                self.charger.complain(f"does not take {component}.{variable} = {interval}")
        for component, variable in (
            ("SampledDataCtrlr", "TxUpdatedMeasurands"),
            ("SampledDataCtrlr", "TxStartedMeasurands"),
            ("SampledDataCtrlr", "TxEndedMeasurands"),
            ("AlignedDataCtrlr", "Measurands"),
        ):
            taken = await self.most_accepted(
                lambda value, component=component, variable=variable: self._set(component, variable, value)
            )
            if not taken:
                self.charger.complain(f"takes no measurand as {component}.{variable}")

    async def _set(self, component: str, variable: str, value: str) -> bool:
        data = {"attribute_value": value, "component": {"name": component}, "variable": {"name": variable}}
        answer = await self.call(call.SetVariables([data]))
        if answer is None:
            return False
        accepted = {"Accepted", "RebootRequired"}
        return all(one["attribute_status"] in accepted for one in answer.set_variable_result)

    async def set_profile(self, connector: int, amperes: float, valid_s: float | None) -> str:
        """Tell an EVSE what it may draw; its answer."""
        profile = profile_201(amperes, self.charger.now_ms() / 1000, valid_s=valid_s)
        answer = await self.call(call.SetChargingProfile(connector, profile))
        return str(getattr(answer, "status", "no answer"))
