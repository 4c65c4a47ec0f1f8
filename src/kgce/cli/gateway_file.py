"""Writes a gateway file that fits a set of collectors, ready for `kgce edge run`."""

import json
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
    """TOML text of a whole gateway file."""
    parts = [HEAD]
    for link in collectors["modbus"]:
        parts.append("[[modbus]]\n" + _pairs(link, skip="devices"))
        parts += ["[[modbus.devices]]\n" + _pairs(device) for device in link["devices"]]
    for broker in collectors["mqtt"]:
        parts.append("[[mqtt]]\n" + _pairs(broker, skip="subscriptions"))
        parts += ["[[mqtt.subscriptions]]\n" + _pairs(row) for row in broker["subscriptions"]]
    return "\n".join(parts)


def _pairs(table: Mapping[str, Any], skip: str = "") -> str:
    return "".join(f"{name} = {_value(value)}\n" for name, value in table.items() if name != skip)


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{name} = {_value(inner)}" for name, inner in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False)  # TOML's strings, numbers and booleans are written as JSON's
