"""The tables `[sink]` and `[uplink]`: where readings go, and how fast what waited follows.

[sink]    kind = "mqtt" with host; "influxdb" with url and database; "duckdb" with path
[uplink]  catch_up_rows_per_s, dead_letter_after, flush_interval_s, longest_wait_s
"""

import os
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from kgce.collectors.mqtt.broker_config import SecureBrokerConfig, is_loopback
from kgce.edge.tables import FolderPath, Table, VariableName


class DuckDbSink(Table):
    """An embedded store in a folder."""

    kind: Literal["duckdb"]
    path: FolderPath

    @property
    def target(self) -> str:
        """Where it is, for people."""
        return str(self.path)


class InfluxSink(Table):
    """An InfluxDB; its secret comes from the environment, never from the file."""

    kind: Literal["influxdb"]
    url: Annotated[str, Field(pattern=r"^https?://[^\s/]+/?$")]
    database: Annotated[str, Field(min_length=1)]
    username: str = ""
    password_env: VariableName = ""
    token_env: VariableName = ""
    org: str = ""
    timeout_s: Annotated[float, Field(gt=0, le=300)] = 10.0
    allow_unencrypted: bool = False  # http off this machine: readings and password can be read on the way

    @model_validator(mode="after")
    def _is_private(self) -> Self:
        parts = urlsplit(self.url)
        if parts.scheme == "http" and not is_loopback(parts.hostname or "") and not self.allow_unencrypted:
            raise ValueError("url: http is not encrypted; write https, or allow_unencrypted = true in a safe network")
        return self

    @property
    def target(self) -> str:
        """Where it is, for people."""
        return f"{self.url.rstrip('/')}/{self.database}"

    def password(self) -> str:
        """The secret itself; empty when none is named."""
        return os.environ.get(self.password_env, "") if self.password_env else ""

    def token(self) -> str:
        """The secret itself; empty when none is named."""
        return os.environ.get(self.token_env, "") if self.token_env else ""


class MqttSink(SecureBrokerConfig):
    """A broker between this gateway and the centre; TLS unless it is on this machine or `tls = false`."""

    kind: Literal["mqtt"]
    confirm: Literal["store", "broker"] = "store"  # whose word lets the buffer forget: the centre's, or the broker's
    receipt_timeout_s: Annotated[float, Field(gt=0, le=3600)] = 30.0
    max_message_kb: Annotated[int, Field(ge=1, le=262_144)] = 512
    session_expiry_s: Annotated[int, Field(ge=60, le=0xFFFFFFFF)] = 86_400  # how long the broker keeps receipts for us
    taken_over_wait_s: Annotated[float, Field(gt=0, le=3600)] = 20.0  # before trying again when another uses this id

    @property
    def target(self) -> str:
        """Where it is, for people."""
        return f"{'mqtts' if self.tls else 'mqtt'}://{self.host}:{self.port}"


SinkTable = Annotated[DuckDbSink | InfluxSink | MqttSink, Field(discriminator="kind")]


class UplinkTable(Table):
    """How what waits is handed over."""

    flush_interval_s: Annotated[float, Field(gt=0, le=3600)] = 0.5
    rows_per_message: Annotated[int, Field(ge=1, le=100_000)] = 10_000
    catch_up_rows_per_s: Annotated[float, Field(gt=0, le=10_000_000)] = 5_000.0  # history, while live goes on
    live_window_s: Annotated[float, Field(ge=0, le=86_400)] = 60.0  # an interruption so long changes no order
    longest_wait_s: Annotated[float, Field(ge=1, le=3600)] = 60.0  # between two attempts at what does not answer
    dead_letter_after: Annotated[int, Field(ge=1, le=1000)] = 3  # refusals for good before a batch is set aside
