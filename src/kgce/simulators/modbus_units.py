"""ModbusUnits: the units of one line, what they answer, and the faults they have."""

import logging
from collections.abc import Mapping
from enum import Enum

from kgce.simulators.faults import Fault, OnTheWire, WrongUnit
from kgce.simulators.modbus_frames import ExceptionCode, ModbusUnit, answer_pdu, refusal_pdu
from kgce.simulators.modbus_framing import Framing, Request

log = logging.getLogger(__name__)


class UnknownUnit(Enum):
    """What a request for a unit that is not there gets."""

    SILENCE = "silence"  # like a serial line
    REFUSAL = "refusal"  # exception 0x0B, like a gateway that gave up waiting


class ModbusUnits:
    """Units by id."""

    def __init__(self, units: Mapping[int, ModbusUnit], unknown_unit: UnknownUnit) -> None:
        self._units = dict(units)
        self._unknown_unit = unknown_unit
        self._faults: dict[int, Fault] = {}
        self._broken: set[int] = set()  # units whose values could not be computed, logged once each

    def set_fault(self, unit: int, fault: Fault | None) -> None:
        """Give a unit a fault, or (None) heal it."""
        if fault is None:
            self._faults.pop(unit, None)
        else:
            self._faults[unit] = fault

    async def answer(self, talk: Framing, request: Request) -> bytes | None:
        """The bytes that go back; None: nothing does."""
        honest = self._honest(request)
        fault = self._faults.get(request.unit)
        if honest is None or fault is None:
            return None if honest is None else talk.frame(request, request.unit, honest)
        if isinstance(fault, OnTheWire):
            return await fault.apply(request.frame, talk.frame(request, request.unit, honest))
        said = await fault.apply(request.pdu, honest)
        unit = fault.unit if isinstance(fault, WrongUnit) else request.unit
        return None if said is None else talk.frame(request, unit, said)

    def _honest(self, request: Request) -> bytes | None:
        unit = self._units.get(request.unit)
        if unit is None:
            silent = self._unknown_unit is UnknownUnit.SILENCE
            return None if silent else refusal_pdu(request.pdu, ExceptionCode.GATEWAY_TARGET_SILENT)
        try:
            return answer_pdu(unit, request.pdu)
        except (ValueError, ArithmeticError) as error:  # the simulated device cannot say its value at this time
            if request.unit not in self._broken:
                self._broken.add(request.unit)
                log.warning("simulated unit %d answers exception 04: %s", request.unit, error)
            return refusal_pdu(request.pdu, ExceptionCode.DEVICE_FAILURE)
