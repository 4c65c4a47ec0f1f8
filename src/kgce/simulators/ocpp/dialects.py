"""What a charger says in either version of the protocol: messages of the ocpp library from planted values."""

import logging
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol

from ocpp.routing import on
from ocpp.v16 import ChargePoint as ChargePoint16
from ocpp.v16 import call as call16
from ocpp.v16 import call_result as result16
from ocpp.v201 import ChargePoint as ChargePoint201
from ocpp.v201 import call as call201
from ocpp.v201 import call_result as result201

from kgce.simulators.ocpp.profiles import Takes16, Takes201

if TYPE_CHECKING:
    from kgce.simulators.ocpp.charge_point import OcppCharger

MEASURANDS: Final = {
    "active_energy_import": ("Energy.Active.Import.Register", "Wh", 1000.0),
    "active_power": ("Power.Active.Import", "W", 1000.0),
    "voltage": ("Voltage", "V", 1.0),
    "current": ("Current.Import", "A", 1.0),
}
_OWN: Final = frozenset(name for name, _, _ in MEASURANDS.values())


class Dialect(Protocol):
    """One version's messages."""

    subprotocol: str
    interval_key: str
    is_charging: bool

    def client(self, identity: str, line: Any, answer_s: int, log: logging.Logger) -> Any:
        """The library's client on a connection."""
        ...

    def boot(self) -> Any:
        """The first message."""
        ...

    def status(self, status: str) -> Any:
        """A connector's state."""
        ...

    def meter_values(self, values: Mapping[str, float]) -> Any:
        """The meter, now."""
        ...

    def start(self, tag: str, values: Mapping[str, float]) -> Iterator[Any]:
        """A transaction begins."""
        ...

    def stop(self, values: Mapping[str, float]) -> Iterator[Any]:
        """It ends."""
        ...

    def ready(self, message: Any) -> Any:
        """The message with what only an earlier answer could tell."""
        ...

    def answered(self, message: Any, answer: Any) -> None:
        """Learn from an answer."""
        ...


class _Answering:
    """Settings are taken; a list with a measurand the charger lacks is refused where that is its habit."""

    charger: "OcppCharger"

    def takes(self, key: str, value: str) -> bool:
        """Whether this setting is accepted; then it holds."""
        is_list = "Measurand" in key or key.endswith("Data")
        if is_list and self.charger.habits.rejects_lists and not set(value.split(",")) <= _OWN:
            return False
        self.charger.settings[key] = value
        return True


class _Client16(_Answering, Takes16, ChargePoint16):
    @on("ChangeConfiguration")
    def on_change(self, key: str, value: str, **_: Any) -> Any:
        """Take a setting or refuse it."""
        return result16.ChangeConfiguration("Accepted" if self.takes(key, value) else "Rejected")


class _Client201(_Answering, Takes201, ChargePoint201):
    @on("SetVariables")
    def on_set(self, set_variable_data: list[dict[str, Any]], **_: Any) -> Any:
        """Take variables or refuse them."""
        return result201.SetVariables(
            [
                {
                    "attribute_status": "Accepted" if self.takes(_key(one), one["attribute_value"]) else "Rejected",
                    "component": one["component"],
                    "variable": one["variable"],
                }
                for one in set_variable_data
            ]
        )


def _key(variable: Mapping[str, Any]) -> str:
    return f"{variable['component']['name']}.{variable['variable']['name']}"


class _Common:
    def __init__(self, charger: "OcppCharger") -> None:
        self.charger = charger
        self.is_charging = False

    def now(self) -> str:
        return self.charger.now().isoformat()

    def _scaled(self, name: str, value: float) -> float:
        _, _, factor = MEASURANDS[name]
        called_wrong = self.charger.habits.kwh_called_wh and name == "active_energy_import"
        return value if called_wrong else value * factor


class Dialect16(_Common):
    """OCPP 1.6: numbers are text, transactions are numbered by the central system."""

    subprotocol = "ocpp1.6"
    interval_key = "ClockAlignedDataInterval"

    def __init__(self, charger: "OcppCharger") -> None:
        """Nothing is charged yet."""
        super().__init__(charger)
        self._numbers: dict[str, int] = {}  # begin of a transaction -> its number
        self._begin = ""

    def client(self, identity: str, line: Any, answer_s: int, log: logging.Logger) -> Any:
        """The library's client on a connection."""
        client = _Client16(identity, line, answer_s, log)
        client.charger = self.charger
        return client

    def boot(self) -> Any:
        """The first message."""
        return call16.BootNotification("Simulated", "kgce")

    def status(self, status: str) -> Any:
        """A connector's state."""
        return call16.StatusNotification(1, "NoError", status, self.now())

    def meter_values(self, values: Mapping[str, float]) -> Any:
        """The meter, now."""
        return call16.MeterValues(1, [{"timestamp": self.now(), "sampledValue": list(self._sampled(values))}])

    def start(self, tag: str, values: Mapping[str, float]) -> Iterator[Any]:
        """A transaction begins."""
        self.is_charging, self._begin = True, self.now()
        yield call16.StartTransaction(1, tag, self._register(values), self._begin)
        yield self.status("Charging")

    def stop(self, values: Mapping[str, float]) -> Iterator[Any]:
        """It ends; its number may not be known yet, see `ready`."""
        self.is_charging = False
        yield (self._begin, call16.StopTransaction(self._register(values), self.now(), 0, reason="EVDisconnected"))
        yield self.status("Available")

    def ready(self, message: Any) -> Any:
        """A stop gets the number its start was given."""
        if isinstance(message, tuple):
            begin, stop = message
            stop.transaction_id = self._numbers.get(begin, 0)
            return stop
        return message

    def answered(self, message: Any, answer: Any) -> None:
        """Keep the number of a transaction."""
        if isinstance(message, call16.StartTransaction):
            self._numbers[message.timestamp] = answer.transaction_id

    def _register(self, values: Mapping[str, float]) -> int:
        return round(self._scaled("active_energy_import", values["active_energy_import"]))

    def _sampled(self, values: Mapping[str, float]) -> Iterator[dict[str, str]]:
        for name, (measurand, unit, _) in MEASURANDS.items():
            if name not in values:
                continue
            sampled = {"value": f"{self._scaled(name, values[name]):.3f}"}
            yield sampled if name == "active_energy_import" else sampled | {"measurand": measurand, "unit": unit}


class Dialect201(_Common):
    """OCPP 2.0.1: events of transactions the charger names itself."""

    subprotocol = "ocpp2.0.1"
    interval_key = "AlignedDataCtrlr.Interval"

    def __init__(self, charger: "OcppCharger") -> None:
        """Nothing is charged yet."""
        super().__init__(charger)
        self._transaction = ""
        self._seq = 0

    def client(self, identity: str, line: Any, answer_s: int, log: logging.Logger) -> Any:
        """The library's client on a connection."""
        client = _Client201(identity, line, answer_s, log)
        client.charger = self.charger
        return client

    def boot(self) -> Any:
        """The first message."""
        return call201.BootNotification({"model": "Simulated", "vendor_name": "kgce"}, "PowerUp")

    def status(self, status: str) -> Any:
        """A connector's state."""
        return call201.StatusNotification(self.now(), status, 1, 1)

    def meter_values(self, values: Mapping[str, float]) -> Any:
        """The meter, now."""
        if self.is_charging:
            return self._event("Updated", "MeterValuePeriodic", values, "Sample.Periodic")
        return call201.MeterValues(1, [self._entry(values, "Sample.Clock")])

    def start(self, tag: str, values: Mapping[str, float]) -> Iterator[Any]:
        """A transaction begins."""
        self.is_charging, self._seq = True, 0
        self._transaction = f"{self.charger.identity}-{self.charger.now():%Y%m%dT%H%M%S%f}"
        yield self._event("Started", "CablePluggedIn", values, "Transaction.Begin", tag)

    def stop(self, values: Mapping[str, float]) -> Iterator[Any]:
        """It ends."""
        self.is_charging = False
        yield self._event("Ended", "EVDeparted", values, "Transaction.End")
        yield self.status("Available")

    def ready(self, message: Any) -> Any:
        """Nothing depends on an earlier answer here."""
        return message

    def answered(self, message: Any, answer: Any) -> None:
        """Nothing to learn."""

    def _event(self, kind: str, trigger: str, values: Mapping[str, float], context: str, tag: str = "") -> Any:
        event = call201.TransactionEvent(
            kind,
            self.now(),
            trigger,
            self._seq,
            {"transaction_id": self._transaction, "charging_state": "Charging" if self.is_charging else "Idle"},
            meter_value=[self._entry(values, context)],
            evse={"id": 1, "connector_id": 1},
        )
        if tag:
            event.id_token = {"id_token": tag, "type": "ISO14443"}
        self._seq += 1
        return event

    def _entry(self, values: Mapping[str, float], context: str) -> dict[str, Any]:
        return {"timestamp": self.now(), "sampled_value": list(self._sampled(values, context))}

    def _sampled(self, values: Mapping[str, float], context: str) -> Iterator[dict[str, Any]]:
        for name, (measurand, unit, _) in MEASURANDS.items():
            if name in values:
                yield {
                    "value": self._scaled(name, values[name]),
                    "measurand": measurand,
                    "context": context,
                    "unit_of_measure": {"unit": unit},
                }
