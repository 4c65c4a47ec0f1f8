"""Examples for the OpenAPI document: values of parameters, and whole answers as a small county gives them.

`tests/api/examples.py` writes the answers from a real store, and a test holds them against it.
"""

from importlib import resources
from types import MappingProxyType
from typing import Any, Final

import orjson

PARAMETERS: Final = MappingProxyType(
    {
        "institution": "school-1",
        "institution_id": "school-1",
        "point": "main",
        "year": 2023,
        "indicator": "energy_per_area",
        "factor_set": "cn-national",
        "class": "school",
        "start": "2024-06-14T00:00:00+08:00",
        "end": "2024-06-15T00:00:00+08:00",
        "name": "370102",
        "fields": "institution,value",
        "subject": "school-1",
        "grid": "day",
        "q": "school",
        "precision": "ms",
    }
)


def _bodies() -> dict[tuple[str, str], Any]:
    text = resources.files("kgce.api").joinpath("data/examples.json").read_bytes()
    return {("get", path): body for path, body in orjson.loads(text).items()}


BODIES: Final = MappingProxyType(_bodies())
