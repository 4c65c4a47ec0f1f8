"""`count = 100` in a site file: one table stands for a hundred buildings or devices."""

from typing import Any


def generated(site: dict[str, Any]) -> dict[str, Any]:
    """The site with every counted table written out: names get -1, -2 ...; units, addresses and ports count up.

    Anything that is not as expected is left for the checks that follow.
    """
    buildings = site.get("building")
    if not isinstance(buildings, list):
        return site
    found = []
    for building in buildings:
        for one in _copies(building, "institution"):
            devices = one.get("device")
            if isinstance(devices, list):
                one["device"] = [copy for device in devices for copy in _copies(device, "id")]
            found.append(one)
    return {**site, "building": found}


def _copies(table: Any, name: str) -> list[Any]:
    if not isinstance(table, dict) or "count" not in table:
        return [dict(table)] if isinstance(table, dict) else [table]
    count = table["count"]
    rest = {key: value for key, value in table.items() if key != "count"}
    if type(count) is not int or count < 1:
        return [table]  # `count` stays in and is refused as it stands
    return [_numbered(rest, name, row) for row in range(count)]


def _numbered(table: dict[str, Any], name: str, row: int) -> dict[str, Any]:
    one = {**table, name: f"{table.get(name, '')}-{row + 1}"}
    if name == "id":
        if type(one.get("unit")) is int:
            one["unit"] += row
        if isinstance(one.get("address"), str) and one["address"].isdigit():
            one["address"] = str(int(one["address"]) + row).zfill(len(one["address"]))
        if one.get("topic"):
            one["topic"] += f"-{row + 1}"
    return one
