"""SimulatedBuilding: the one truth behind a building's meters, boiler and chargers.

climate, calendar --> occupancy --> electricity, water, kitchen gas --> meters
                              |---> boiler ---- its gas is part of the gas meter
                                    charger --- its energy is part of the main electricity meter
"""

import numpy as np

from kgce.simulators.boiler import HEAT_KWH_PER_M3, Boiler
from kgce.simulators.charger import Charger
from kgce.simulators.counter import Counting, SumCounter
from kgce.simulators.counter_share import ShareCounter
from kgce.simulators.kitchen import kitchen_counter
from kgce.simulators.load import electricity_counter
from kgce.simulators.models import Measures
from kgce.simulators.noise import derived_seed
from kgce.simulators.progress import people_in
from kgce.simulators.site_config import BuildingConfig
from kgce.simulators.water import water_counter


class SimulatedBuilding:
    """A building of the simulated world; the same config and seed always live the same life."""

    def __init__(self, config: BuildingConfig, *, seed: int) -> None:
        self.config = config
        self.seed = derived_seed(seed, f"{config.institution}/{config.building}")
        self._climate_seed = derived_seed(seed, "climate")
        self.boilers = {device.id: self._boiler(device.id) for device in config.of_kind(Measures.BOILER)}
        self.chargers = {
            device.id: Charger(derived_seed(self.seed, device.id)) for device in config.of_kind(Measures.CHARGER)
        }
        own = electricity_counter(
            config.use,
            area_m2=config.area_m2,
            people=config.people,
            seed=self.seed,
            climate_seed=self._climate_seed,
        )
        self.electricity: Counting = SumCounter(own, *self.chargers.values())
        self.water: Counting = water_counter(config.use, people=config.people, seed=self.seed)
        kitchen = kitchen_counter(config.use, people=config.people, seed=self.seed)
        self.gas: Counting = SumCounter(kitchen, *(boiler.gas for boiler in self.boilers.values()))

        self._district: Boiler | None = None

    @property
    def heat_source(self) -> Boiler:
        """Where the building's heat comes from: its first boiler, or one far away."""
        for boiler in self.boilers.values():
            return boiler
        if self._district is None:
            self._district = self._boiler("district heat")
        return self._district

    @property
    def heat(self) -> Counting:
        """Heat for the building [kW, kWh]."""
        sources = list(self.boilers.values()) or [self.heat_source]
        return ShareCounter(SumCounter(*(boiler.gas for boiler in sources)), HEAT_KWH_PER_M3)

    def _boiler(self, device: str) -> Boiler:
        config = self.config
        share = max(1, len(config.of_kind(Measures.BOILER)))
        return Boiler(
            config.use,
            heated_area_m2=config.heated_area_m2 / share,
            people=config.people / share,
            occupancy_seed=self.seed,
            seed=derived_seed(self.seed, device),
            climate_seed=self._climate_seed,
        )

    def people(self, year: int) -> float:
        """People using energy in a local year."""
        return float(people_in(self.seed, self.config.people, np.array([year], np.int64))[0])


def at_instant(counting: Counting, time_ms: int) -> tuple[float, float]:
    """(rate, total) at one instant."""
    at = np.array([time_ms], np.int64)
    return float(counting.rate(at)[0]), float(counting.total(at)[0])
