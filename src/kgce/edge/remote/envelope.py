"""Envelope: a whole configuration for one gateway, under one version number, signed.

    {"payload": base64 of {"gateway", "version", "valid_from_ms", "not_after_ms", "toml"},
     "signature": base64 of Ed25519 over the payload's bytes, "key": "ops-2026"}

The bytes that were signed travel as they are: nobody has to agree on one way to write JSON.
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, TypeVar

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from kgce.domain.errors import InputError

HIGHEST_VERSION: Final = 999_999  # a slip of the finger must not use up all numbers to come
_SHOWN: Final = 64  # characters of what a stranger wrote, in a message


_T = TypeVar("_T", bound=BaseModel)


class _Wire(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _Outer(_Wire):
    payload: str
    signature: str
    key: str


class Payload(_Wire):
    """What is signed: a configuration, for whom, which version, valid when (UTC)."""

    gateway: str
    version: Annotated[int, Field(ge=1, le=HIGHEST_VERSION)]
    valid_from_ms: Annotated[int, Field(ge=0)]
    not_after_ms: Annotated[int, Field(ge=0)]
    toml: str


@dataclass(frozen=True, slots=True)
class Signed:
    """A payload whose signature is good."""

    payload: Payload
    key: str
    digest: str  # SHA-256 of the payload's bytes, hex: the same version twice is the same only with the same digest


def seal(payload: Payload, private: Ed25519PrivateKey, key: str) -> bytes:
    """The envelope, ready to publish."""
    body = orjson.dumps(payload.model_dump())
    return orjson.dumps({"payload": _text(body), "signature": _text(private.sign(body)), "key": key})


def unseal(envelope: bytes, keys: Mapping[str, bytes], *, max_bytes: int) -> Signed:
    """Check the signature, and only then look at what it covers.

    Raises:
        InputError: too large, no envelope, a key or a signature that is not ours; one line why.
    """
    if len(envelope) > max_bytes:
        raise InputError(f"the envelope has {len(envelope)} bytes, at most {max_bytes} are taken (max_kb)")
    outer = _read(_Outer, envelope, "not an envelope")
    public = keys.get(outer.key)
    if public is None:
        raise InputError(f"signed with key {outer.key[:_SHOWN]!r}, which is not in [remote] keys")
    body = _bytes(outer.payload)
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(_bytes(outer.signature), body)
    except InvalidSignature:
        raise InputError(f"the signature is not that of key {outer.key!r} over this payload") from None
    payload = _read(Payload, body, "the signed payload is not one")
    return Signed(payload, outer.key, hashlib.sha256(body).hexdigest())


def addressee(envelope: bytes) -> Payload:
    """The payload, its signature not looked at: for the sender, who has it from himself.

    Raises:
        InputError: not an envelope.
    """
    outer = _read(_Outer, envelope, "not an envelope")
    return _read(Payload, _bytes(outer.payload), "the signed payload is not one")


def _read(model: type[_T], text: bytes, complaint: str) -> _T:
    try:
        document: Any = orjson.loads(text)
        return model.model_validate(document)
    except orjson.JSONDecodeError as error:
        raise InputError(f"{complaint}: not JSON") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))[:_SHOWN] or "document"
        raise InputError(f"{complaint}: {where}: {first['msg']}") from error


def _text(body: bytes) -> str:
    return base64.b64encode(body).decode("ascii")


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InputError("not an envelope: payload and signature are base64") from error
