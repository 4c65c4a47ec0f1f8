"""Configuration of a central system: where it listens, and the chargers it knows."""

import os
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from kgce.collectors.place import FileName, Place, Strict

ConnectorNumber = Annotated[str, Field(pattern=r"^[0-9]{1,3}$")]


class OcppDeviceConfig(Place):
    """One charger; `charger` is the identity at the end of the address it connects to."""

    charger: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:@|=*+-]{1,48}$")]
    connectors: Annotated[dict[ConnectorNumber, str], Field(default_factory=dict)]  # number -> device; none = itself
    interval_s: Annotated[float, Field(ge=1, le=86_400)] = 60.0  # of its meter values; set at every boot
    password_env: str | None = None
    password_file: FileName | None = None
    metering: bool = True  # its import counters measure electricity

    @model_validator(mode="after")
    def _has_its_secret(self) -> Self:
        if self.password_env is not None and self.password_file is not None:
            raise ValueError(f"{self.device}: password_env or password_file, not both")
        if self.password_env is not None and not os.environ.get(self.password_env):
            raise ValueError(f"{self.device}: environment variable {self.password_env} is not set; export it")
        if self.password_file is not None and not Path(self.password_file).is_file():
            raise ValueError(f"{self.device}: password_file {self.password_file} is not there")
        return self

    @property
    def password(self) -> str | None:
        """The charger's secret, from the environment or a file; None = anybody who knows the identity may connect."""
        if self.password_env is not None:
            return os.environ[self.password_env]
        return Path(self.password_file).read_text(encoding="utf-8").strip() if self.password_file is not None else None

    def device_of(self, connector: int) -> str:
        """The device behind a connector (1.6) or EVSE (2.0.1); 0 is the charger as a whole."""
        named = self.connectors.get(str(connector))
        if named is not None:
            return named
        return self.device if connector in {0, 1} else f"{self.device}-{connector}"

    def connector_of(self, device: str) -> int:
        """The connector or EVSE of a device; the first for the charger as a whole."""
        return next((int(number) for number, name in self.connectors.items() if name == device), 1)

    @property
    def devices(self) -> tuple[str, ...]:
        """Devices known before anybody connects."""
        return tuple(self.connectors.values()) or (self.device,)


class OcppConfig(Strict):
    """One central system; chargers connect to ws://HOST:PORT/PATH/IDENTITY."""

    listen: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 9000  # 0 = any free one, for tests
    path: Annotated[str, Field(pattern=r"^(/[A-Za-z0-9_.-]+)*$")] = "/ocpp"
    cert_file: FileName | None = None
    key_file: FileName | None = None
    folder: FileName | None = None  # of the transactions; without it a restart forgets those that are open
    heartbeat_s: Annotated[int, Field(ge=10, le=86_400)] = 300
    id_tags: tuple[str, ...] | None = None  # who may charge; None = everybody
    silent_after_s: Annotated[float, Field(gt=0)] = 900.0
    max_message_bytes: Annotated[int, Field(ge=1024, le=16_777_216)] = 262_144
    devices: Annotated[tuple[OcppDeviceConfig, ...], Field(min_length=1)]

    @property
    def address(self) -> str:
        """Where it listens; what it is called in logs."""
        return f"{self.listen}:{self.port}"

    @model_validator(mode="after")
    def _can_work(self) -> Self:
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("TLS needs cert_file and key_file, both")
        for file in (self.cert_file, self.key_file):
            if file is not None and not Path(file).is_file():
                raise ValueError(f"{file} is not there")
        if self.cert_file is None and not self.listen.startswith("127.") and any(d.password for d in self.devices):
            raise ValueError(f"passwords over {self.listen} without TLS can be read by anybody: set cert_file")
        identities = [device.charger for device in self.devices]
        for identity in identities:
            if identities.count(identity) > 1:
                raise ValueError(f"two devices are charger {identity!r}")
        return self
