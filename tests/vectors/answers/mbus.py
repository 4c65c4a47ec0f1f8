"""M-Bus frames, in the words the vectors took from libmbus."""

from collections.abc import Mapping
from typing import Any

from tests.collectors.mbus.libmbus_terms import answer


def answered(vector: Mapping[str, Any]) -> dict[str, Any]:
    """One vector of any kind of M-Bus frame."""
    said: dict[str, Any] = answer(vector["kind"], bytes.fromhex(vector["hex"]))
    return said
