"""SiteConfig: a simulated site as TOML, checked before any socket opens."""

import tomllib
from collections import Counter
from enum import StrEnum
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from kgce.domain.errors import ConfigError
from kgce.simulators.uses import Use

_SHIPPED: Final = "sites"


class Model(StrEnum):
    """Devices that can be simulated."""

    SDM630 = "sdm630"
    LMV5 = "lmv5"
    TERRA_AC = "terra_ac"
    WATER_METER = "water_meter"
    GAS_METER = "gas_meter"

    @property
    def speaks_modbus(self) -> bool:
        """True for Modbus TCP devices, False for those that publish MQTT."""
        return self not in {Model.WATER_METER, Model.GAS_METER}


# How often a gateway should ask or a meter publishes, unless the site says otherwise. The Terra AC's vendor advises
# one poll per 30-90 s.
_INTERVAL_S: Final = {
    Model.SDM630: 2.0,
    Model.LMV5: 5.0,
    Model.TERRA_AC: 30.0,
    Model.WATER_METER: 5.0,
    Model.GAS_METER: 5.0,
}
_Id = Annotated[str, Field(pattern=r"^[\w.-]+$")]
_Positive = Annotated[float, Field(gt=0)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SiteSection(_Strict):
    """What holds for all buildings."""

    name: str
    seed: int
    timezone: Literal["Asia/Shanghai"] = "Asia/Shanghai"  # the simulated calendar and climate are of this zone


class DeviceConfig(_Strict):
    """One device; port 0 = any free port, shared by the building's devices."""

    id: _Id
    model: Model
    port: int = Field(default=0, ge=0, le=65535)
    unit: int = Field(default=1, ge=1, le=247)
    topic: str = Field(default="", pattern=r"^[^#+]*$")
    interval_s: _Positive | None = None

    @property
    def every_s(self) -> float:
        """Seconds between polls or messages."""
        return self.interval_s if self.interval_s is not None else _INTERVAL_S[self.model]

    @model_validator(mode="after")
    def _check_connection(self) -> Self:
        wrong = {"topic"} if self.model.speaks_modbus else {"port", "unit"}
        if wrong & self.model_fields_set:
            raise ValueError(f"a {self.model} has no {' or '.join(sorted(wrong))}")
        return self


class BuildingConfig(_Strict):
    """One building; people and areas are those of 2015."""

    institution: _Id
    building: _Id
    region: str
    name: str
    use: Use
    area_m2: _Positive
    people: _Positive
    heated_area_m2: float = Field(default=0.0, ge=0)
    devices: tuple[DeviceConfig, ...] = Field(default=(), alias="device")

    def of_model(self, model: Model) -> list[DeviceConfig]:
        """Devices of one model."""
        return [device for device in self.devices if device.model is model]

    @model_validator(mode="after")
    def _check_boiler(self) -> Self:
        if self.of_model(Model.LMV5) and self.heated_area_m2 <= 0:
            raise ValueError("a building with a boiler needs heated_area_m2")
        return self


class SiteConfig(_Strict):
    """A simulated site."""

    site: SiteSection
    buildings: tuple[BuildingConfig, ...] = Field(alias="building", min_length=1)

    @model_validator(mode="after")
    def _check_unique(self) -> Self:
        _refuse_repeats("building", ((entry.institution, entry.building) for entry in self.buildings))
        both = [(entry, device) for entry in self.buildings for device in entry.devices]
        _refuse_repeats("device", ((entry.institution, device.id) for entry, device in both))
        modbus = [(entry, device) for entry, device in both if device.model.speaks_modbus]
        _refuse_repeats("unit on one port", ((*link_of(entry, device), device.unit) for entry, device in modbus))
        _refuse_repeats("topic", (topic_of(entry, device) for entry, device in both if not device.model.speaks_modbus))
        return self


def _refuse_repeats(what: str, keys: Any) -> None:
    repeated = [key for key, count in Counter(keys).items() if count > 1]
    if repeated:
        raise ValueError(f"the same {what} twice: {repeated[0]}")


def link_of(building: BuildingConfig, device: DeviceConfig) -> tuple[str, str, int]:
    """Which devices share a port: all on the same fixed port, or the building's own free one."""
    return ("", "", device.port) if device.port else (building.institution, building.building, 0)


def topic_of(building: BuildingConfig, device: DeviceConfig) -> str:
    """Topic a meter publishes to."""
    return device.topic or f"kgce-sim/{building.institution}/{device.id}"


def parse_site(text: str, origin: str) -> SiteConfig:
    """A site from TOML text; origin names it in errors.

    Raises:
        ConfigError: not TOML, or a field is missing, unknown or wrong.
    """
    try:
        return SiteConfig.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{origin}: not TOML: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"{origin}: {where or 'site'}: {first['msg']}") from None


def load_site(source: str | Path) -> SiteConfig:
    """A site by the name of a shipped one (`county`) or by the path of a TOML file.

    Raises:
        ConfigError: no such site, or the file is wrong.
    """
    shipped = {
        entry.name.removesuffix(".toml"): entry
        for entry in resources.files("kgce.simulators").joinpath(_SHIPPED).iterdir()
    }
    found = shipped.get(str(source))
    if found is not None:
        return parse_site(found.read_text(encoding="utf-8"), f"{_SHIPPED}/{found.name}")
    try:
        return parse_site(Path(source).read_text(encoding="utf-8"), str(source))
    except OSError as error:
        known = ", ".join(sorted(shipped))
        raise ConfigError(f"cannot read site {source}: {error.strerror}; shipped sites: {known}") from None
