"""A fault of a value shows where the value is asked for."""

from kgce.collectors.modbus.config import ModbusLinkConfig
from kgce.collectors.modbus.source import ModbusSource
from kgce.simulators.value_faults import CounterDip
from tests.simulators.world import OFFICE, frozen_site


async def test_a_dip_waits_for_the_request_that_takes_a_counter() -> None:
    """A meter asked in four requests a poll dips in the one with its counters, not in the first."""
    async with frozen_site() as site:
        host, port, unit = site.address(OFFICE, "main-meter")
        site.set_fault(OFFICE, "main-meter", CounterDip(1))
        link = {"host": host, "port": port, "devices": [
            {"institution": OFFICE, "device": "main-meter", "unit": unit, "profile": "eastron-sdm630"}
        ]}  # fmt: skip
        source = ModbusSource(ModbusLinkConfig.model_validate(link))
        polls = [await source.poll("main-meter") for _ in range(2)]
        source.close()
    names = [series.quantity for series in polls[0].series]
    at = names.index("active_energy_import")
    assert polls[0].value[at] == 0.0
    assert polls[1].value[at] > 0.0
