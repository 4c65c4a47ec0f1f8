"""Frames other people published or captured, from shared/facts/protocol_vectors.json."""

import json
from pathlib import Path

import pytest

FILE = Path(__file__).resolve().parents[4] / "shared" / "facts" / "protocol_vectors.json"


def vectors(*kinds: str, prefix: str = "dlt645") -> list:
    """Vectors of these kinds; none where shared/ is absent (a test says so loudly)."""
    if not FILE.exists():
        return []
    found = json.loads(FILE.read_text(encoding="utf-8"))["vectors"]
    return [
        pytest.param(one, id=one["id"])
        for one in found
        if one["protocol"].startswith(prefix) and (not kinds or one["kind"] in kinds)
    ]


def said(expected, got) -> None:
    """Everything the vector expects is there; notes are for people."""
    if isinstance(expected, dict):
        for key in expected.keys() - {"note"}:
            assert key in got, f"{key} is missing in {got}"
            said(expected[key], got[key])
    elif isinstance(expected, list):
        assert len(expected) == len(got)
        for one, other in zip(expected, got, strict=True):
            said(one, other)
    else:
        assert got == expected
