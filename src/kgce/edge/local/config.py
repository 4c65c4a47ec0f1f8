"""The table `[local]`: the page, the figures and the health answer that the gateway serves on this machine."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from kgce.collectors.mqtt.broker_config import is_loopback
from kgce.edge.tables import Table


class LocalTable(Table):
    """Where the page is."""

    enabled: bool = True
    listen: Annotated[str, Field(pattern=r"^(\[[0-9a-fA-F:]+\]|[^\s:\[\]]+):\d{1,5}$")] = "127.0.0.1:8090"
    allow_remote: bool = False  # the page has no password: whoever reaches it sees every reading

    @property
    def host(self) -> str:
        """Without the brackets of IPv6."""
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """0 asks the system for a free one."""
        return int(self.listen.rpartition(":")[2])

    @model_validator(mode="after")
    def _is_private(self) -> Self:
        if not is_loopback(self.host) and not self.allow_remote:
            raise ValueError(
                f"{self.listen} can be reached from outside and the page has no password; listen on 127.0.0.1,"
                " or say allow_remote = true"
            )
        return self
