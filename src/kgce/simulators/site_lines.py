"""The lines of a site: one server or pseudo terminal for the devices that share it, whatever they speak."""

from collections.abc import Mapping
from typing import Any, Protocol

from kgce.simulators.cjt188.meter import Cjt188Meter
from kgce.simulators.cjt188.server import Cjt188Port, Cjt188Server
from kgce.simulators.devices.device import Clock, DeviceUnit
from kgce.simulators.dlt645.meter import Dlt645Meter
from kgce.simulators.dlt645.server import Dlt645Port, Dlt645Server
from kgce.simulators.faults import Fault
from kgce.simulators.gateway_config import HOST
from kgce.simulators.mbus import models as mbus_models
from kgce.simulators.mbus.bus import Bus
from kgce.simulators.mbus.meter import SimulatedMeter
from kgce.simulators.mbus.server import MbusPort, MbusServer
from kgce.simulators.modbus_server import ModbusPort, ModbusServer, UnknownUnit
from kgce.simulators.models import Speaks
from kgce.simulators.site_config import DeviceConfig, LinkKey
from kgce.simulators.value_faults import FaultyDevice

Seats = Mapping[Any, tuple[DeviceConfig, FaultyDevice]]  # by unit id or address, as the server knows it
_MBUS = {
    "mbus_heat": mbus_models.HEAT,
    "mbus_water": mbus_models.WATER,
    "mbus_gas": mbus_models.GAS,
    "mbus_electricity": mbus_models.ELECTRICITY,
}


class Server(Protocol):
    """What every line can do."""

    async def start(self) -> None:
        """Open it."""
        ...

    async def stop(self) -> None:
        """Close it."""
        ...

    def set_fault(self, address: Any, fault: Fault | None, /) -> None:
        """Give a device a fault, or (None) heal it."""
        ...


def seat_key(device: DeviceConfig) -> Any:
    """What the device's server calls it."""
    speaks = device.facts.speaks
    if speaks is Speaks.MODBUS:
        return device.unit_id
    return int(device.address) if speaks is Speaks.MBUS else device.address


def open_line(link: LinkKey, seats: Seats, clock: Clock, unknown_unit: UnknownUnit) -> Server:
    """The server of a line, not started yet."""
    if link.speaks is Speaks.MODBUS:
        units = {unit: DeviceUnit(device, clock) for unit, (_, device) in seats.items()}
        if link.is_serial:
            return ModbusPort(units, mode=link.mode, unknown_unit=unknown_unit)
        return ModbusServer(units, host=HOST, port=link.port, mode=link.mode, unknown_unit=unknown_unit)
    if link.speaks is Speaks.MBUS:
        bus = Bus([_mbus_meter(key, *seat, clock) for key, seat in seats.items()])
        return MbusPort(bus) if link.is_serial else MbusServer(bus, host=HOST, port=link.port)
    if link.speaks is Speaks.DLT645:
        dlt645 = {key: _dlt645_meter(key, *seat) for key, seat in seats.items()}
        return Dlt645Port(dlt645, clock) if link.is_serial else Dlt645Server(dlt645, clock, host=HOST, port=link.port)
    cjt188 = {
        key: Cjt188Meter(key, device, meter_type=int(config.facts.profile, 16))
        for key, (config, device) in seats.items()
    }
    return Cjt188Port(cjt188, clock) if link.is_serial else Cjt188Server(cjt188, clock, host=HOST, port=link.port)


def place_of(server: Server) -> dict[str, Any]:
    """Host and port, or the path of a terminal, once it has started."""
    path = getattr(server, "path", "")
    # a pseudo terminal has no parity bit; every master must be told
    return {"serial": path, "parity": "N"} if path else {"host": HOST, "port": getattr(server, "port", 0)}


def _dlt645_meter(address: str, config: DeviceConfig, device: FaultyDevice) -> Dlt645Meter:
    return Dlt645Meter(address, device, edition="1997" if config.facts.profile == "1997" else "2007")


def _mbus_meter(address: int, config: DeviceConfig, device: FaultyDevice, clock: Clock) -> SimulatedMeter:
    def own_clock() -> float:
        return device.clock_ms(int(clock() * 1000)) / 1000

    return SimulatedMeter(address, f"{10_000_000 + address:08d}", _MBUS[config.model], device, own_clock)
