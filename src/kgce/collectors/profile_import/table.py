"""A register list (CSV) as one profile for every device in it."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from kgce.collectors.profile_import.devices import Imported, imported
from kgce.collectors.profile_import.notations import Notation
from kgce.domain.errors import InputError

NEEDED: Final = (
    "device",
    "name",
    "fc",
    "address",
    "type",
)  # of: device,kind,name,fc,address,type,word_order,scale,unit,source,confidence


def import_profiles(path: Path, notation: Notation = Notation.WIRE) -> list[Imported]:
    """Profiles of all devices of a file, in its order.

    Raises:
        InputError: no such file, a column is missing, or a device without one usable row.
    """
    by_device: dict[str, list[dict[str, str]]] = {}
    for row in _rows(path):
        by_device.setdefault(row["device"], []).append(row)
    if not by_device:
        raise InputError(f"{path}: no rows")
    return _unique([imported(device, rows, notation) for device, rows in by_device.items()])


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            head = file.readline()
            file.seek(0)
            reader = csv.DictReader(file, delimiter=";" if head.count(";") > head.count(",") else ",")
            reader.fieldnames = [(name or "").strip().lower() for name in reader.fieldnames or ()]
            missing = [name for name in NEEDED if name not in reader.fieldnames]
            if missing:
                raise InputError(f"{path}: column {missing[0]} is missing; needed are {', '.join(NEEDED)}")
            return [
                {
                    key: (value or "").strip()
                    for key, value in row.items()
                    if isinstance(key, str) and not isinstance(value, list)
                }
                for row in reader
            ]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: {error}") from None


def _unique(found: Sequence[Imported]) -> list[Imported]:
    """Two devices never share a file."""
    names = [one.name for one in found]
    repeated = {name for name in names if names.count(name) > 1}
    if not repeated:
        return list(found)
    return [
        Imported(one.device, f"{one.name}-{place}", one.text, one.assumed, one.refused) if one.name in repeated else one
        for place, one in enumerate(found, 1)
    ]
