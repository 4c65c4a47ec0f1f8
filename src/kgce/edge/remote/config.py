"""The table `[remote]`: whose signed configurations this gateway takes, and from which broker. Off unless it is there.

[remote]  host, port, tls, ca_file, username, password_env ...  as in [sink] of kind mqtt
          keys = { "ops-2026" = "base64 of an Ed25519 public key" }, allow_control, probation_s, max_kb
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import Field, field_validator

from kgce.collectors.mqtt.broker_config import SecureBrokerConfig

PUBLIC_KEY_BYTES: Final = 32  # Ed25519, RFC 8032


class RemoteTable(SecureBrokerConfig):
    """The broker, and who may sign; TLS unless the broker is on this machine or `tls = false`."""

    keys: Annotated[dict[Annotated[str, Field(min_length=1, max_length=64)], str], Field(min_length=1)]
    allow_control: bool = False  # whether a signed version may change [control], which limits currents
    probation_s: Annotated[float, Field(gt=0, le=86_400)] = 300.0  # a new version must do no harm for so long
    max_kb: Annotated[int, Field(ge=1, le=16_384)] = 256  # of a whole envelope

    @field_validator("keys")
    @classmethod
    def _are_keys(cls, keys: dict[str, str]) -> dict[str, str]:
        for name, text in keys.items():
            if len(_decoded(text)) != PUBLIC_KEY_BYTES:
                raise ValueError(f"{name}: not an Ed25519 public key in base64; kgce edge config keygen prints one")
        return keys

    @property
    def public_keys(self) -> Mapping[str, bytes]:
        """The keys themselves, 32 bytes each."""
        return {name: _decoded(text) for name, text in self.keys.items()}


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
