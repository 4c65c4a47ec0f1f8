"""Sparkplug B: single messages, and what a host decides when messages are missing, doubled or out of order."""

from collections.abc import Mapping
from typing import Any

from kgce.collectors.sparkplug.terms import event_terms, message_terms, sequence_terms


def answered(vector: Mapping[str, Any]) -> dict[str, Any]:
    """One vector."""
    if vector["kind"] == "message":
        return message_terms(vector["topic"], bytes.fromhex(vector["hex"]))
    return sequence_terms(vector["seq"]) if "seq" in vector else event_terms(vector["events"])
