"""Writes the examples of the OpenAPI document from the seeded county: `python -m tests.api.examples`."""

import tempfile
from pathlib import Path
from typing import Any, Final

import orjson

from kgce.api import examples
from kgce.api.app import Context, create_api
from tests.api.client import TestClient
from tests.api.seeded import NOW, Seeded, county

API: Final = "/api/v1"
DAY: Final = {"start": "2024-06-14T00:00:00+08:00", "end": "2024-06-15T00:00:00+08:00"}
YEAR: Final = {"year": 2023, "indicator": "energy_per_area"}
ASKED: Final[dict[str, dict[str, Any]]] = {
    "/health": {},
    "/ready": {},
    "/institutions": {"q": "school", "limit": 1},
    "/institutions/{institution_id}": {},
    "/institutions/{institution_id}/points": {},
    "/findings": {},
    "/latest": {"institution": "school-1"},
    "/series": {"institution": "school-1", "point": "main", **DAY, "end": "2024-06-14T02:00:00+08:00"},
    "/ledger": {"institution": "school-1", "point": "main", "grid": "day", **DAY},
    "/indicators": {"institution": "school-1", "year": 2023},
    "/ranking": {**YEAR, "limit": 2},
    "/today": {},
    "/totals": {"name": "370102", "year": 2023},
    "/leaders": {**YEAR, "limit": 1, "class": "school"},
    "/peer-group": {**YEAR, "institution": "school-1"},
    "/explain": {**YEAR, "institution": "school-1"},
    "/quotas": {"class": "university", "indicator": "non_heating_per_area"},
    "/factor-sets": {},
}
FILE: Final = Path(examples.__file__).parent / "data" / "examples.json"


def bodies(seeded: Seeded) -> dict[str, Any]:
    """What the county answers, by path of the document."""
    client = TestClient(create_api(Context(store=seeded.store, registry=seeded.registry, clock=NOW.timestamp)))
    found = {}
    for path, parameters in ASKED.items():
        answer = client.get(API + path.replace("{institution_id}", "school-1"), params=parameters)
        assert answer.status_code == 200, answer.text
        found[API + path] = answer.json()
    return found


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name, county(Path(name)) as seeded_county:
        FILE.write_bytes(orjson.dumps(bodies(seeded_county), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
