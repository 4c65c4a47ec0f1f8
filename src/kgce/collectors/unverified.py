"""Which configured points rest on a fact no second source confirms: commissioning shows them beside their value."""

from collections.abc import Iterator

from kgce.collectors.config import CollectorsConfig
from kgce.collectors.dlt645.config import Dlt645DeviceConfig
from kgce.collectors.dlt645.identifiers import Edition, identifier_of
from kgce.collectors.modbus.config import ModbusDeviceConfig

Name = tuple[str, str, str]  # institution, device, quantity


def unverified_points(config: CollectorsConfig) -> set[Name]:
    """Points whose place or unit is unverified; compare them with the device's display once."""
    found: set[Name] = set()
    for modbus in config.modbus:
        for device in modbus.devices:
            found |= {(device.institution, device.device, name) for name in _of_profile(device)}
    for dlt645 in config.dlt645:
        for meter in dlt645.devices:
            found |= {(meter.institution, meter.device, name) for name in _of_identifiers(meter)}
    return found


def _of_profile(device: ModbusDeviceConfig) -> Iterator[str]:
    for point in device.map.point:
        if point.unverified or device.map.device.unverified:
            yield point.name


def _of_identifiers(meter: Dlt645DeviceConfig) -> Iterator[str]:
    for edition in Edition:
        if meter.known_edition not in {None, edition}:
            continue
        for name in meter.wanted(edition):
            known = identifier_of(edition, name)
            if known is not None and known.confidence == "unverified":
                yield name
