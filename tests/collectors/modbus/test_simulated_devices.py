"""Every simulated Modbus device of the county read through its shipped profile gives what was planted.

The simulators' encoder and the collectors' decoder are written apart; mbpoll and libmodbus prove the encoder elsewhere.
"""

import math

from kgce.collectors.config import CollectorsConfig
from kgce.collectors.drivers import build_sources
from kgce.collectors.modbus.source import ModbusSource
from kgce.collectors.profile import Profile
from kgce.domain.quantities import quantity_of
from kgce.domain.units import conversion
from kgce.simulators.site import Site
from kgce.simulators.site_config import load_site

NOON_MS = 1_768_536_000_000  # 2026-01-16T12:00:00+08:00, a working Friday in the heating season: boilers burn


def resolution(profile: Profile, quantity: str) -> float:
    """One step of an integer register in the canonical unit; nothing for floats."""
    point = next(point for point in profile.point if point.name == quantity)
    scale, _ = conversion(point.unit, quantity_of(quantity).unit)
    return 0.0 if point.register_.type.startswith("float") else point.scale * scale


async def test_every_reading_of_every_simulated_device_is_the_planted_value() -> None:
    compared: dict[str, int] = {}
    async with Site(load_site("county"), clock=lambda: NOON_MS / 1000) as site:
        tables = {"modbus": site.gateway_config()["modbus"]}
        config = CollectorsConfig.model_validate(tables)
        for link, source in zip(config.modbus, build_sources(config), strict=True):
            assert isinstance(source, ModbusSource)
            for device in link.devices:
                batch = await source.poll(device.device)
                assert not batch.quality.any()
                for series, value in zip(batch.series, batch.value.tolist(), strict=True):
                    values = site.device(series.institution, series.device).values(NOON_MS)
                    if device.profile == "honeywell-sola" and series.quantity not in values:
                        continue  # its profile says more in a name (`startups_burner`) than the boiler's truth does
                    planted = site.truth(series.institution, series.device, series.quantity, NOON_MS)
                    step = resolution(device.map, series.quantity)
                    near = math.isclose(value, planted, rel_tol=1e-6, abs_tol=step + 1e-9)
                    assert near, (series.quantity, value, planted)
                    compared[device.profile] = compared.get(device.profile, 0) + 1
            source.close()
    assert set(compared) == {"eastron-sdm630", "siemens-lmv5", "abb-terra-ac", "honeywell-sola"}
    assert compared.pop("honeywell-sola") >= 6
    assert min(compared.values()) >= 12
