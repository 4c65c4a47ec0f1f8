"""Reads a device's registers once more and tells whether its profile's word order makes sense; for commissioning."""

from kgce.collectors.modbus.config import ModbusDeviceConfig, ModbusLineConfig
from kgce.collectors.modbus.plan import plan_reads
from kgce.collectors.modbus.plausibility import implausible, word_order_slip
from kgce.collectors.modbus.probe import Prober
from kgce.domain.errors import DeviceUnreachable


async def hints(line: ModbusLineConfig, device: ModbusDeviceConfig) -> dict[str, str]:
    """What is odd about the device's values, by point: a likelier word order, or just a value no device can have."""
    by_table: dict[str, dict[int, int]] = {}
    async with Prober(line) as prober:
        for read in plan_reads(device.map):
            if read.is_bits or read.is_wide:
                continue  # bits have no order; one number with two words has no register map to judge
            try:
                answer = await prober.ask(device.unit, read)
            except DeviceUnreachable:
                return {}
            if answer.registers is not None:
                known = by_table.setdefault(read.table, {})
                known |= {read.address + at: register for at, register in enumerate(answer.registers)}
    found: dict[str, str] = {}
    for table, registers in by_table.items():
        found |= {name: "implausible" for name, _ in implausible(device.map, registers, table)}
        slip = word_order_slip(device.map, registers, table)
        if slip is not None:
            found |= dict.fromkeys(slip.nonsense, f"word order {' or '.join(slip.better)}?")
    return found
