"""A device of a site: its model's registers or meter, driven by the truth of its building."""

from collections.abc import Callable
from typing import Final

from kgce.simulators.building import SimulatedBuilding
from kgce.simulators.counter_share import ShareCounter
from kgce.simulators.devices.device import ModbusDevice, SimulatedDevice
from kgce.simulators.devices.lmv5 import Lmv5
from kgce.simulators.devices.map_file import load_map
from kgce.simulators.devices.mapped import MappedDevice
from kgce.simulators.devices.measured import Charging, Electricity, Gas, Heat, Heating, Measured, Water
from kgce.simulators.devices.pulse_meter import GAS, WATER, PulseMeter
from kgce.simulators.devices.sdm630 import Sdm630
from kgce.simulators.devices.terra_ac import TerraAc
from kgce.simulators.models import Measures, Model, Speaks
from kgce.simulators.noise import derived_seed
from kgce.simulators.site_config import DeviceConfig
from kgce.simulators.value_faults import counters_of

_SIX_DIGITS: Final = 1_000_000.0  # DL/T 645 and CJ/T 188 counters show 999 999.99 at most


class SixDigits:
    """A meter whose counters show six digits before the point."""

    def __init__(self, measured: Measured) -> None:
        self._measured = measured

    def values(self, time_ms: int) -> dict[str, float]:
        """Every quantity at one instant, counters as far as the display reaches."""
        values = self._measured.values(time_ms)
        return values | {name: values[name] % _SIX_DIGITS for name in counters_of(values)}


def build_device(building: SimulatedBuilding, device: DeviceConfig) -> SimulatedDevice:
    """The device with its truth, before any fault."""
    own = _OWN.get(device.model)
    if own is not None:
        return own(building, device)
    measured = _MEASURED[device.facts.measures](building, device)
    if device.facts.is_mapped:
        mapped: ModbusDevice = MappedDevice(load_map(device.model), measured, dict(device.ratios))
        return mapped
    return SixDigits(measured) if device.facts.speaks in {Speaks.DLT645, Speaks.CJT188} else measured


def _seed(building: SimulatedBuilding, device: DeviceConfig) -> int:
    return derived_seed(building.seed, device.id)


_OWN: Final[dict[str, Callable[[SimulatedBuilding, DeviceConfig], SimulatedDevice]]] = {
    Model.SDM630: lambda building, device: Sdm630(
        ShareCounter(building.electricity, device.share) if device.share != 1 else building.electricity,
        _seed(building, device),
    ),
    Model.LMV5: lambda building, device: Lmv5(building.boilers[device.id]),
    Model.TERRA_AC: lambda building, device: TerraAc(building.chargers[device.id], _seed(building, device)),
    Model.WATER_METER: lambda building, device: PulseMeter(WATER, ShareCounter(building.water, device.share)),
    Model.GAS_METER: lambda building, device: PulseMeter(GAS, ShareCounter(building.gas, device.share)),
}
_MEASURED: Final[dict[Measures, Callable[[SimulatedBuilding, DeviceConfig], Measured]]] = {
    Measures.ELECTRICITY: lambda building, device: Electricity(
        ShareCounter(building.electricity, device.share), _seed(building, device)
    ),
    Measures.CHARGER: lambda building, device: Charging(building.chargers[device.id], _seed(building, device)),
    Measures.BOILER: lambda building, device: Heating(building.boilers[device.id]),
    Measures.HEAT: lambda building, device: Heat(ShareCounter(building.heat, device.share), building.heat_source),
    Measures.WATER: lambda building, device: Water(ShareCounter(building.water, device.share)),
    Measures.GAS: lambda building, device: Gas(ShareCounter(building.gas, device.share)),
}
