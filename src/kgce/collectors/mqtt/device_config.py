"""A device of a known convention: which one, what it is called in topics, and where it stands."""

from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from kgce.collectors.files.times import zone
from kgce.collectors.metering import CARRIER_OF_QUANTITY
from kgce.collectors.mqtt.convention import Convention, load_convention
from kgce.collectors.place import Place, Strict
from kgce.domain.quantities import quantity_of
from kgce.domain.units import conversion


class NamedRule(Strict):
    """What a value means that the device names itself."""

    name: Annotated[str, Field(min_length=1)]
    unit: str | None = None  # None = as the device says
    scale: float = 1.0


class MqttDeviceConfig(Place):
    """One device, or one channel of a device that has several."""

    convention: str
    id: Annotated[str, Field(min_length=1)]  # what stands for the device in topics or documents
    prefix: str | None = None  # None = the convention's own
    channel: Annotated[str | None, Field(min_length=1)] = None  # None = all, each under its own field
    tz: str | None = None  # zone of times without offset
    measurement: str = ""  # "" = the convention's own
    metering: str | None = None  # the field that measures the device's total
    only: tuple[str, ...] = ()  # keep these fields alone; () = all the convention knows
    fields: dict[str, NamedRule] = Field(
        default_factory=dict
    )  # conventions whose devices name their values: field -> name
    keeps_time: bool = False  # messages always carry a time, though the convention leaves it open

    @model_validator(mode="before")
    @classmethod
    def _channel_as_text(cls, given: Any) -> Any:
        if isinstance(given, dict) and type(given.get("channel")) is int:
            return {**given, "channel": str(given["channel"])}
        return given

    @property
    def rules(self) -> Convention:
        """The convention itself."""
        return load_convention(self.convention)

    @property
    def base(self) -> str:
        """The prefix in force."""
        return self.rules.prefix if self.prefix is None else self.prefix

    @property
    def kind(self) -> str:
        """The measurement in force."""
        return self.measurement or self.rules.measurement

    @model_validator(mode="after")
    def _can_work(self) -> Self:
        rules, who = load_convention(self.convention), f"{self.convention} {self.id}"
        if set("+#") & set(self.id + self.base):
            raise ValueError(f"{who}: id and prefix name one device, a wildcard would mix several")
        if rules.has_local_time and self.tz is None:
            raise ValueError(f"{who}: its times carry no offset: add tz, such as Asia/Shanghai")
        if self.tz is not None:
            zone(self.tz)
        if rules.is_open and not self.fields:
            raise ValueError(f"{who}: the device names its values itself: say in fields what they mean")
        if self.fields and not rules.is_open:
            raise ValueError(f"{who}: {self.convention} knows its fields: choose with only, not with fields")
        self._units_fit(rules, who)
        self._choice_is_known(rules, who)
        return self

    def _units_fit(self, rules: Convention, who: str) -> None:
        for field, rule in self.fields.items():
            quantity = quantity_of(field)
            if rule.unit is not None:
                conversion(rule.unit, quantity.unit)
            elif quantity.unit and not rules.states_units:
                raise ValueError(f"{who}: {field}: the convention says no units: add unit")

    def _choice_is_known(self, rules: Convention, who: str) -> None:
        known = set(self.fields) or rules.quantities()
        for field in self.only:
            if not any(field == name or field.startswith(f"{name}_") for name in known):
                raise ValueError(f"{who}: only: {field!r} is not among {', '.join(sorted(known))}")
        if self.metering is not None and (self.metering not in known or (self.only and self.metering not in self.only)):
            raise ValueError(f"{who}: metering names {self.metering!r}, which is not among its fields")
        if self.metering is not None and self.metering not in CARRIER_OF_QUANTITY:
            raise ValueError(f"{who}: {self.metering} measures no carrier")
