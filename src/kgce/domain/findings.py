"""Finding: bad or noteworthy data as a value, never an exception."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about the data that a person must be able to see, with its evidence.

    id is stable and dotted (`zeros.as_missing`); subject names what it is about; evidence is JSON-able.
    """

    id: str
    subject: str
    message: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
