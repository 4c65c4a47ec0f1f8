"""How to reach an MQTT broker: the keys every table that names one shares."""

import ipaddress
import os
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from kgce.collectors.place import FileName, Strict


class BrokerConfig(Strict):
    """One broker; secrets come from the environment or a file, never from the configuration."""

    host: Annotated[str, Field(min_length=1)]
    port: Annotated[int, Field(gt=0, le=65_535)] = 1883
    username: str | None = None
    password_env: str | None = None
    password_file: FileName | None = None
    tls: bool = False
    ca_file: FileName | None = None  # None = the system's authorities
    cert_file: FileName | None = None  # this client's own certificate, and its key
    key_file: FileName | None = None
    keepalive_s: Annotated[int, Field(ge=5, le=3600)] = 30
    timeout_s: Annotated[float, Field(gt=0, le=60)] = 5.0

    @model_validator(mode="after")
    def _secrets_are_there(self) -> Self:
        if (self.password_env or self.password_file) and self.username is None:
            raise ValueError(f"{'password_env' if self.password_env else 'password_file'} needs a username")
        if self.password_env and self.password_file:
            raise ValueError("password_env and password_file: give one of them")
        if self.password_env and self.password_env not in os.environ:
            raise ValueError(f"environment variable {self.password_env} is not set; export it, or leave this key out")
        for name in ("ca_file", "cert_file", "key_file", "password_file"):
            path = getattr(self, name)
            if path and not self.tls and name != "password_file":
                raise ValueError(f"{name} needs tls = true")
            if path and not Path(path).is_file():
                raise ValueError(f"{name}: no file {path}")
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("cert_file and key_file belong together: give both")
        return self

    @property
    def password(self) -> str | None:
        """The secret itself, from the environment or a file."""
        if self.password_file:
            return Path(self.password_file).read_text(encoding="utf-8").strip()
        return os.environ[self.password_env] if self.password_env else None


class SecureBrokerConfig(BrokerConfig):
    """A broker that may stand far away: TLS, its certificate checked, unless it is on this machine or `tls = false`."""

    @model_validator(mode="before")
    @classmethod
    def _safe_by_default(cls, table: Any) -> Any:
        if not isinstance(table, dict) or "host" not in table:
            return table
        tls = table.get("tls", not is_loopback(str(table["host"])))
        return {"port": 8883 if tls is True else 1883, **table, "tls": tls}


def is_loopback(host: str) -> bool:
    """Whether this name or address never leaves the machine."""
    if host.casefold() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
