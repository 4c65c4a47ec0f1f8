"""DL/T 645 and CJ/T 188: frames, streams and addresses."""

from collections.abc import Mapping
from typing import Any

from kgce.collectors.cjt188 import explain as cjt188
from kgce.collectors.dlt645 import explain as dlt645


def dlt(vector: Mapping[str, Any]) -> dict[str, Any]:
    """One vector of either edition of DL/T 645."""
    if vector["kind"] == "address":
        return dlt645.explain_address(vector["address"])
    data = bytes.fromhex(vector["hex"])
    said = dlt645.explain_stream(data) if vector["kind"] == "stream" else dlt645.explain(data)
    return _decided(said)


def cjt(vector: Mapping[str, Any]) -> dict[str, Any]:
    """One vector of CJ/T 188."""
    data = bytes.fromhex(vector["hex"])
    said = cjt188.explain_stream(data) if vector["kind"] == "stream" else cjt188.explain(data)
    return _decided(said)


def _decided(said: dict[str, Any]) -> dict[str, Any]:
    return said | ({"decision": "discard"} if said.get("valid") is False else {})
