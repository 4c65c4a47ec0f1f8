"""Rows of one device as a whole profile: names made unique, references between rows, what the device's name tells."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from kgce.collectors.metering import CARRIER_OF_QUANTITY
from kgce.collectors.modbus.types import register_type
from kgce.collectors.profile import Profile, parse_profile
from kgce.collectors.profile_import.notations import Notation
from kgce.collectors.profile_import.rows import Point, Row, fields_of, markers_of, point_of, text_length, unit_text
from kgce.collectors.profile_import.toml_text import toml_of
from kgce.domain.errors import InputError

_MEASUREMENTS: Final = {
    "electricity_meter": "electricity", "heat_meter": "heat", "water_meter": "water", "gas_meter": "gas",
    "gas_corrector": "gas", "ev_charger": "charger", "boiler": "boiler", "heating_controller": "heating",
    "multi_utility": "utility",
}  # fmt: skip
# A heat meter's water is not bought: only what the kind of device is there to count measures a total.
_METERED: Final = {
    "electricity": {"active_energy_import"}, "charger": {"active_energy_import"},
    "heat": {"heat_energy", "cooling_energy"}, "water": {"water_volume"}, "gas": {"gas_volume"},
}  # fmt: skip
_RANKS: Final = {"high": 0, "medium": 1, "low": 2}
_BRANDS: Final = (
    "Carlo Gavazzi",
    "Phoenix Contact",
    "Triangle Tube",
    "Schneider Electric",
    "Smart-stuff",
    "Bosch/Buderus",
)
_RATIO_OF: Final = {"voltage": {"pt"}, "current": {"ct"}}  # what a remark at one row means for the others
_SCALED: Final = (
    "voltage", "current", "active_power", "reactive_power", "apparent_power", "active_energy", "reactive_energy",
    "apparent_energy",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Imported:
    """A device's profile as text, with what was assumed and which rows were refused."""

    device: str
    name: str  # of the profile
    text: str
    assumed: tuple[str, ...]
    refused: tuple[str, ...]

    @property
    def profile(self) -> Profile:
        """The profile, checked."""
        return parse_profile(self.text, self.name)


def imported(device: str, rows: Sequence[Row], notation: Notation = Notation.WIRE) -> Imported:
    """The profile of one device from its rows.

    Raises:
        InputError: not one row can be used.
    """
    points: list[Point] = []
    refused: list[str] = []
    for row in rows:
        try:
            points.append(point_of(row, notation))
        except InputError as error:
            refused.append(f"{row.get('name', '')}: {error}")
    if not points:
        raise InputError(f"{device}: no row can be used: {refused[0] if refused else 'there is none'}")
    points = _with_lengths(sorted(points, key=lambda point: (point.table, point.address)))
    names = _unique(points)
    document = {"device": _device(device, points), "point": list(_points(device, points, names))}
    header = [f"{device}: imported from a register list."]
    assumed = [f"{point.row.get('name', '')}: {one}" for point in points for one in point.assumed]
    return Imported(device, profile_name(device), toml_of(header, document), tuple(assumed), tuple(refused))


def profile_name(device: str) -> str:
    """The file name of a device's profile."""
    plain = re.sub(r"\([^)]*\)", " ", device).lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "device"


def _with_lengths(points: Sequence[Point]) -> list[Point]:
    """Texts whose length nobody states end where the next register begins."""
    found = []
    for place, point in enumerate(points):
        later = [
            other.address
            for other in points[place + 1 :]
            if other.table == point.table and other.address > point.address
        ]
        kind = replace(point.type, length=text_length(point, later[0] if later else None))
        unstated = register_type(point.type.name).length == 0 and point.type.length is None
        found.append(replace(point, type=kind) if unstated else point)
    return found


def _unique(points: Sequence[Point]) -> dict[Point, str]:
    """A field for every point; among equals the surest keeps the plain name, exact counters before float32."""
    taken: set[str] = set()
    names: dict[Point, str] = {}
    for point in sorted(points, key=_preference):
        name = point.named.field
        words = "_".join(re.findall(r"[a-z0-9]+", point.row.get("name", "").lower()))
        for candidate in (
            name,
            f"{name}_{point.type.name}",
            f"{name}_{point.address}",
            f"{name}_{words}_{point.address}",
        ):
            if candidate not in taken:
                name = candidate
                break
        taken.add(name)
        names[point] = name
    return names


def _preference(point: Point) -> tuple[int, bool, int]:
    return _RANKS[point.confidence], point.type.name == "float32", point.address


def _device(device: str, points: Sequence[Point]) -> dict[str, Any]:
    plain = re.sub(r"\([^)]*\)", " ", device).strip()
    brand = next((brand for brand in _BRANDS if plain.startswith(brand)), plain.split(" ")[0].split("/")[0])
    remarks = " ".join(re.findall(r"\(([^)]*)\)", device))
    sources = list(dict.fromkeys(point.row.get("source", "").strip() for point in points))
    fields: dict[str, Any] = {
        "brand": brand,
        "model": " ".join(plain.removeprefix(brand).split()).strip("/ ") or plain,
        "measurement": _measurement(points),
        "protocol": "modbus",
    }
    word_order, byte_order = _usual_orders(points)
    if word_order != "big":
        fields["word_order"] = word_order
    if byte_order != "big":
        fields["byte_order"] = byte_order
    if re.search(r"enron", device, re.IGNORECASE):
        fields["enron"] = True
    elif re.search(r"one value per request", device, re.IGNORECASE):
        fields["one_value_per_request"] = True
    if found := re.search(r"unit (\d+)", remarks):
        fields["unit_ids"] = [int(found[1])]
    ratios = sorted({ratio for point in points for ratio in _ratios(point, points)})
    if ratios:
        fields["ratios"] = dict.fromkeys(ratios, 1.0)
    confidences = Counter(point.confidence for point in points)
    fields["confidence"] = min(confidences, key=lambda one: (-confidences[one], _RANKS[one]))
    if all(point.is_unverified for point in points):
        fields["unverified"] = True
    fields["source"] = "; ".join(filter(None, sources)) or "register list without a source"
    if remarks:
        fields["note"] = remarks
    return fields


def _measurement(points: Sequence[Point]) -> str:
    kind = re.sub(r"\W+", "_", points[0].row.get("kind", "").strip().lower()) or "device"
    return _MEASUREMENTS.get(kind, kind.removesuffix("_meter"))


def _usual_orders(points: Sequence[Point]) -> tuple[str, str]:
    """The order most values of several registers have."""
    long = [point.orders for point in points if point.words > 1] or [point.orders for point in points]
    return Counter(long).most_common(1)[0][0]


def _points(device: str, points: Sequence[Point], names: Mapping[Point, str]) -> Iterator[dict[str, Any]]:
    several = len({point.row.get("source") for point in points}) > 1
    polled = _polled(device, points)
    codes = {point.address: names[point] for point in polled if point.named.quantity.kind == "state"}
    for point in points:
        fields = fields_of(point) | {"name": names[point]} | _orders(point, _usual_orders(points))
        if point.unit.register in codes:
            fields["unit_from"] = {"point": codes[point.unit.register], "units": {}}
        if ratios := _ratios(point, points):
            fields["multiplied_by"] = list(ratios)
        if (markers := markers_of(point)) is not None:
            fields["invalid"] = list(markers)
        fields["kind"] = str(point.named.quantity.kind)
        fields |= _use(names[point], _measurement(points), is_polled=point in polled)
        fields["confidence"] = point.confidence
        if point.is_unverified or point.unit.register in codes:
            fields["unverified"] = True
        if several and point.row.get("source"):
            fields["source"] = point.row["source"].strip()
        yield fields | _document(point, names[point])


def _polled(device: str, points: Sequence[Point]) -> set[Point]:
    """What is read at every poll; where all are settings, settings are what there is to read."""
    numbers = {point for point in points if not register_type(point.type.name).is_text}
    polled = {point for point in numbers if point.is_polled} or numbers
    if not polled:
        raise InputError(f"{device}: only texts, nothing to poll")
    return polled


def _orders(point: Point, usual: tuple[str, str]) -> dict[str, Any]:
    """Orders where they differ from the device's."""
    is_text = register_type(point.type.name).is_text
    fields: dict[str, Any] = {}
    if point.orders[0] != usual[0] and point.words > 1 and not is_text:
        fields["word_order"] = point.orders[0]
    if point.orders[1] != usual[1]:
        fields["byte_order"] = point.orders[1]
    return fields


def _use(name: str, measurement: str, *, is_polled: bool) -> dict[str, Any]:
    if not is_polled:
        return {"poll": False}
    return {"metering": True} if name in _METERED.get(measurement, CARRIER_OF_QUANTITY) else {}


def _ratios(point: Point, points: Sequence[Point]) -> tuple[str, ...]:
    """Its own ratios, and transformers' where a row of the device names them: secondary values come in whole maps."""
    stated = {ratio for other in points for ratio in other.ratios if ratio in {"pt", "ct"}}
    own = set(point.ratios)
    if stated and point.named.quantity.name.startswith(_SCALED):
        own |= stated & _RATIO_OF.get(point.named.quantity.name, stated)
    return tuple(sorted(own, reverse=True))


def _document(point: Point, name: str) -> dict[str, Any]:
    """The source's own words where ours differ, with its remarks and what was assumed."""
    notes = [point.remarks, *point.assumed, point.unit.remark if not point.assumed else ""]
    note = "; ".join(filter(None, dict.fromkeys(notes)))
    fields: dict[str, Any] = {"note": note} if note else {}
    if (stated := point.row.get("name", "").strip()) != name:
        fields["document_name"] = stated
    if (unit := unit_text(point.row)) != point.symbol:
        fields["document_unit"] = unit
    if point.scale != point.stated_scale:
        fields["document_scale"] = point.stated_scale
    return fields
