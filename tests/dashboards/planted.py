"""A small database in the store's schema whose figures are known: two institutions, steady loads, known faults."""

import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass

from tests.servers import Influx

STEP_MS = 5 * 60_000
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


@dataclass(frozen=True)
class Load:
    """One device that draws `rate` per hour, steadily, from the start of the plant to its end."""

    measurement: str
    tags: str
    rate: float
    gauge: str
    counter: str | None = None
    constants: str = ""

    def lines(self, start_ms: int, end_ms: int) -> Iterator[str]:
        for time_ms in range(start_ms, end_ms + 1, STEP_MS):
            fields = [f"{self.gauge}={self.rate}"]
            if self.counter:
                fields.append(f"{self.counter}={1000 + self.rate * (time_ms - start_ms) / HOUR_MS}")
            yield f"{self.measurement},{self.tags} {','.join([*fields, self.constants]).rstrip(',')} {time_ms}"


OFFICE = "region=370102,institution=office,building=east"
PHASES = ",".join(f"voltage_l{n}_n={220 + n},current_l{n}={n}" for n in (1, 2, 3))
# 120 degC and 5 % of oxygen: (120 - 20) (0.66 / 16 + 0.009) = 5.025 % stack loss.
BOILER = "flame_signal=80,fuel_throughput=12,extra_temperature_sensor=120,flue_gas_o2=5,error_code=0"
POWER, ENERGY = "active_power_total", "active_energy_import"

STEADY = [
    Load("electricity", f"{OFFICE},device=m1", 10.0, POWER, ENERGY, PHASES),
    Load("electricity", f"{OFFICE},device=m2", 5.0, POWER, ENERGY, PHASES),
    Load("electricity", "region=370103,institution=school,building=hall,device=m3", 20.0, POWER, ENERGY, PHASES),
    Load("water", f"{OFFICE},device=w1", 0.5, "water_flow", "water_volume"),
    Load("gas", f"{OFFICE},device=g1", 2.0, "gas_flow", "gas_volume"),
    Load("boiler", f"{OFFICE},device=b1", 65.0, "actual_temperature", None, BOILER),
    Load("charger", f"{OFFICE},device=c1", 7.0, "active_power", "session_energy"),
]
NO_REGION = Load("electricity", "institution=untagged,device=m4", 1.0, POWER, ENERGY)


@dataclass(frozen=True)
class Plant:
    """Where the planted readings are and which time they span."""

    server: Influx
    db: str
    start_ms: int
    end_ms: int

    def write(self, *lines: str) -> None:
        address = f"{self.server.url}/write?{urllib.parse.urlencode({'db': self.db, 'precision': 'ms'})}"
        request = urllib.request.Request(address, data="\n".join(lines).encode(), method="POST")
        urllib.request.urlopen(request, timeout=30).close()


def derived(start_ms: int) -> list[str]:
    """What `kgce analyze` would have written: one day and one month of the office, and its place."""
    tags = "region=370102,institution=office,building=east,carrier=electricity,item=total"
    known = "amount=360,kgce=44.244,coverage=1,estimated=0,known=1"
    indicator = "region=370102,institution=office,class=agency,indicator=energy_per_area,period=2026"
    return [
        *(f"consumption,{tags},grid={grid},factor_set=cn-national {known} {start_ms}" for grid in ("day", "month")),
        f"indicator,{indicator},factor_set=cn-national value=4.5,rank=1,grade=3,coverage=1,estimated=0,known=1 {start_ms}",
    ]


def plant(server: Influx, db: str) -> Plant:
    """Three days of every load, ending at the newest whole five minutes."""
    server.query(f'CREATE DATABASE "{db}"', method="POST")
    end_ms = int(time.time() * 1000) // STEP_MS * STEP_MS
    planted = Plant(server, db, end_ms - 3 * DAY_MS, end_ms)
    for load in [*STEADY, NO_REGION]:
        planted.write(*load.lines(planted.start_ms, end_ms))
    planted.write(*derived(planted.start_ms))
    return planted
