"""SiteConfig: a simulated site as TOML, checked before any socket opens."""

import tomllib
from collections import Counter
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from kgce.domain.errors import ConfigError
from kgce.simulators.fault_plan import PlannedFault
from kgce.simulators.modbus_framing import WireMode
from kgce.simulators.models import Measures, ModelFacts, Speaks, models
from kgce.simulators.site_generator import generated
from kgce.simulators.uses import Use

_SHIPPED: Final = "sites"


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
    """One device; port 0 = any free port, shared by the building's devices that speak alike."""

    id: _Id
    model: str
    port: int = Field(default=0, ge=0, le=65535)
    unit: int = Field(default=1, ge=1, le=255)
    mode: WireMode = WireMode.TCP  # rtu is a pseudo terminal
    serial: bool = False  # a pseudo terminal instead of a port, for ascii, dlt645, cjt188 and mbus
    line: str = ""  # devices with different words are on different lines
    address: str = Field(default="", pattern=r"^\d{0,14}$")  # of meters that have one instead of a unit
    topic: str = Field(default="", pattern=r"^[^#+]*$")
    interval_s: _Positive | None = None
    share: _Positive = 1.0  # part of what the building uses
    ratios: dict[str, _Positive] = Field(default_factory=dict)

    @field_validator("model")
    @classmethod
    def _is_known(cls, model: str) -> str:
        if model not in models():
            raise ValueError(f"no simulated device {model!r}; known: {', '.join(sorted(models()))}")
        return model

    @property
    def facts(self) -> ModelFacts:
        """What its model is."""
        return models()[self.model]

    @property
    def unit_id(self) -> int:
        """The model's own unit id, or the configured one."""
        return self.facts.unit or self.unit

    @property
    def is_serial(self) -> bool:
        """Behind a pseudo terminal."""
        return self.serial or self.mode is WireMode.RTU

    @property
    def every_s(self) -> float:
        """Seconds between polls or messages."""
        return self.interval_s if self.interval_s is not None else self.facts.every_s

    @model_validator(mode="after")
    def _check_connection(self) -> Self:
        speaks = self.facts.speaks
        wrong = {
            Speaks.MODBUS: {"topic", "address"},
            Speaks.MQTT: {"port", "unit", "mode", "serial", "line", "address"},
        }.get(speaks, {"topic", "unit", "mode"})
        if wrong & self.model_fields_set:
            raise ValueError(f"a {self.model} has no {' or '.join(sorted(wrong & self.model_fields_set))}")
        if speaks not in {Speaks.MODBUS, Speaks.MQTT} and not self.address:
            raise ValueError(f"a {self.model} needs an address")
        if self.is_serial and self.port:
            raise ValueError("a pseudo terminal has no port")
        if self.serial and self.mode not in {WireMode.RTU, WireMode.ASCII} and speaks is Speaks.MODBUS:
            raise ValueError(f'mode {self.mode} does not go over a terminal; say mode = "rtu" or "ascii"')
        if self.ratios and not self.facts.is_mapped:
            raise ValueError(f"a {self.model} has no ratios")
        return self


class FaultConfig(_Strict):
    """A fault that comes and goes; times count from the start of the site."""

    device: str  # an id, or institution/id
    kind: str
    arguments: tuple[str, ...] = ()
    start_s: float = Field(default=0.0, ge=0)
    every_s: _Positive | None = None
    for_s: _Positive | None = None

    @property
    def planned(self) -> PlannedFault:
        """The fault as the site runs it."""
        return PlannedFault(self.device, self.kind, self.arguments, self.start_s, self.every_s, self.for_s)

    @model_validator(mode="after")
    def _can_be_made(self) -> Self:
        try:
            self.planned.make()
        except ConfigError as error:
            raise ValueError(str(error)) from None
        if self.every_s is not None and self.for_s is not None and self.for_s >= self.every_s:
            raise ValueError(f"fault of {self.device}: for_s {self.for_s} is not below every_s {self.every_s}")
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

    def of_model(self, model: str) -> list[DeviceConfig]:
        """Devices of one model."""
        return [device for device in self.devices if device.model == model]

    def of_kind(self, kind: Measures) -> list[DeviceConfig]:
        """Devices that show one part of the truth."""
        return [device for device in self.devices if device.facts.measures is kind]

    @model_validator(mode="after")
    def _check_boiler(self) -> Self:
        if (self.of_kind(Measures.BOILER) or self.of_kind(Measures.HEAT)) and self.heated_area_m2 <= 0:
            raise ValueError("a building with a boiler or a heat meter needs heated_area_m2")
        return self


class SiteConfig(_Strict):
    """A simulated site."""

    site: SiteSection
    buildings: tuple[BuildingConfig, ...] = Field(alias="building", min_length=1)
    faults: tuple[FaultConfig, ...] = Field(default=(), alias="fault")

    @model_validator(mode="after")
    def _check_unique(self) -> Self:
        _refuse_repeats("building", ((entry.institution, entry.building) for entry in self.buildings))
        both = [(entry, device) for entry in self.buildings for device in entry.devices]
        _refuse_repeats("device", ((entry.institution, device.id) for entry, device in both))
        modbus = [pair for pair in both if pair[1].facts.speaks is Speaks.MODBUS]
        _refuse_repeats("unit on one port", ((*link_of(*pair), pair[1].unit_id) for pair in modbus))
        meters = [pair for pair in both if pair[1].address]
        _refuse_repeats("address on one line", ((*link_of(*pair), int(pair[1].address)) for pair in meters))
        _refuse_repeats("topic", (topic_of(*pair) for pair in both if pair[1].facts.speaks is Speaks.MQTT))
        for fault in self.faults:
            if not any(fault.planned.concerns(entry.institution, device.id) for entry, device in both):
                raise ValueError(f"fault of {fault.device}: no such device")
        return self


def _refuse_repeats(what: str, keys: Any) -> None:
    repeated = [key for key, count in Counter(keys).items() if count > 1]
    if repeated:
        raise ValueError(f"the same {what} twice: {repeated[0]}")


class LinkKey(NamedTuple):
    """Which devices share a line: all on the same fixed port, or the building's own ones that speak alike."""

    speaks: Speaks
    mode: WireMode
    is_serial: bool
    port: int
    institution: str = ""
    building: str = ""
    line: str = ""


def link_of(building: BuildingConfig, device: DeviceConfig) -> LinkKey:
    """The line of a device; a model with a unit id of its own has a line of its own."""
    facts = device.facts
    if device.port:
        return LinkKey(facts.speaks, device.mode, is_serial=False, port=device.port)
    line = device.line or (device.id if facts.unit else "")
    return LinkKey(facts.speaks, device.mode, device.is_serial, 0, building.institution, building.building, line)


def topic_of(building: BuildingConfig, device: DeviceConfig) -> str:
    """Topic a meter publishes to."""
    return device.topic or f"kgce-sim/{building.institution}/{device.id}"


def device_name(building: BuildingConfig, device: DeviceConfig) -> str:
    """What a device of a convention calls itself in its topics."""
    return f"{building.institution}-{device.id}"


def parse_site(text: str, origin: str) -> SiteConfig:
    """A site from TOML text; origin names it in errors.

    Raises:
        ConfigError: not TOML, or a field is missing, unknown or wrong.
    """
    try:
        return SiteConfig.model_validate(generated(tomllib.loads(text)))
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
