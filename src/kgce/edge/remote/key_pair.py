"""Key pairs that sign configurations: Ed25519 (RFC 8032), the private half in a file nobody else may read."""

import base64
import os
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from kgce.domain.errors import ConfigError, InputError


def new_private_key(path: Path) -> Ed25519PrivateKey:
    """Make a key and write it (PKCS 8, PEM, mode 0600); an existing file is never replaced.

    Raises:
        InputError: the file exists, or cannot be written.
    """
    private = Ed25519PrivateKey.generate()
    text = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise InputError(f"{path} exists; a key that is in use is not replaced, choose another name") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(text)
    return private


def read_private_key(path: Path) -> Ed25519PrivateKey:
    """The key in this file.

    Raises:
        ConfigError: no such file, or it holds no Ed25519 key.
    """
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ConfigError(f"{path}: holds no private key; kgce edge config keygen makes one") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigError(f"{path}: not an Ed25519 key; kgce edge config keygen makes one")
    return key


def public_text(private: Ed25519PrivateKey) -> str:
    """The public half in base64, as `[remote] keys` wants it."""
    return base64.b64encode(private.public_key().public_bytes_raw()).decode("ascii")
