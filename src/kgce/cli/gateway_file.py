"""Writes a gateway file that fits a set of collectors, ready for `kgce edge run`."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

HEAD = """\
# Gateway file: kgce edge run THIS
[gateway]
id = "gateway-1"
folder = "kgce-gateway"      # the buffer; what the store has not got yet survives here

[sink]
kind = "duckdb"              # or "influxdb" with url and database
path = "kgce-data"
"""


def gateway_toml(collectors: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """TOML text of a whole gateway file; a list of tables under a link is written row by row."""
    parts = [HEAD]
    for driver, links in collectors.items():
        for link in links:
            rows = {name: value for name, value in link.items() if _is_rows(value)}
            parts.append(f"[[{driver}]]\n" + _pairs({name: value for name, value in link.items() if name not in rows}))
            parts += [f"[[{driver}.{name}]]\n" + _pairs(row) for name, value in rows.items() for row in value]
    return "\n".join(parts)


def _is_rows(value: Any) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(isinstance(row, Mapping) for row in value)


def _pairs(table: Mapping[str, Any]) -> str:
    return "".join(f"{_key(name)} = {_value(value)}\n" for name, value in table.items() if value is not None)


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name, ensure_ascii=False)


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(str(name))} = {_value(inner)}" for name, inner in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(inner) for inner in value) + "]"
    return json.dumps(value, ensure_ascii=False)  # TOML's strings, numbers and booleans are written as JSON's
