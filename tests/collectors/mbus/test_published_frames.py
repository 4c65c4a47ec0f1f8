"""Frames that others published, with the decodings they published: vectors, and captures of 51 meters."""

import json
import math
import re
import tomllib
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import meterbus
import pytest

from kgce.collectors.mbus import frame
from kgce.collectors.mbus.link import FrameError
from kgce.collectors.mbus.telegram import MeterRefuses
from tests.collectors.mbus.libmbus_terms import answer, long_frame
from tests.vectors.compare import differences

ARGUED = Path(__file__).with_name("argued.toml")
TAGS = {
    "Function": "function",
    "StorageNumber": "storage",
    "Tariff": "tariff",
    "Device": "device",
    "Unit": "unit",
    "Quantity": "quantity",
    "Value": "value",
}
HEADER_TAGS = {
    "Id": "id",
    "Manufacturer": "manufacturer",
    "Version": "version",
    "Medium": "medium",
    "AccessNumber": "access",
    "Status": "status",
    "Signature": "signature",
}


@pytest.fixture(scope="module")
def vectors(shared_facts: Path) -> list[dict[str, Any]]:
    document = json.loads((shared_facts / "protocol_vectors.json").read_text(encoding="utf-8"))
    return [vector for vector in document["vectors"] if vector["protocol"] == "mbus"]


@pytest.fixture(scope="module")
def captures(shared_data: Path) -> dict[str, tuple[bytes, ET.Element]]:
    folder = shared_data / "captures" / "mbus"
    return {
        path.stem: (bytes.fromhex(path.read_text()), published(path.with_suffix(".norm.xml")))
        for path in sorted(folder.glob("*.hex"))
    }


def published(path: Path) -> ET.Element:
    """The declared encoding is ISO 8859-1, the bytes are UTF-8."""
    return ET.fromstring(re.sub(r"<\?xml.*?\?>", "", path.read_text(encoding="utf-8")))


def said_of(element: ET.Element, tags: dict[str, str]) -> dict[str, Any]:
    found = {name: (element.findtext(tag) or "").strip() for tag, name in tags.items() if element.find(tag) is not None}
    if re.fullmatch(r"-?\d+(\.\d+)?", found.get("value", "")):
        found["value"] = float(found["value"])
    return found


def test_every_vector_decodes_as_published(vectors: list[dict[str, Any]]) -> None:
    wrong = {}
    for vector in vectors:
        differ = differences(vector["expect"], answer(vector["kind"], bytes.fromhex(vector["hex"])))
        if differ:
            wrong[vector["id"]] = differ
    assert len(vectors) >= 37
    assert wrong == {}


def test_a_broken_telegram_gives_no_reading_at_all(vectors: list[dict[str, Any]]) -> None:
    """Ten frames of libmbus's error and unsupported folders: the records before the break are not given out either."""
    broken = [bytes.fromhex(vector["hex"]) for vector in vectors if vector["kind"] in {"error_frame", "invalid"}]
    assert len(broken) >= 10
    for data in broken:
        with pytest.raises(FrameError):
            frame.parse(data)


def test_an_application_error_says_what_the_meter_says(vectors: list[dict[str, Any]]) -> None:
    """EN 13757-3 table of application errors: code 8 is "too busy"."""
    busy = next(vector["hex"] for vector in vectors if vector["id"] == "mbus-err-application-busy")
    with pytest.raises(MeterRefuses, match="too busy"):
        frame.parse(bytes.fromhex(busy))


def test_every_capture_decodes_as_published_beside_it(captures: dict[str, tuple[bytes, ET.Element]]) -> None:
    argued = {(row["capture"], row["record"]) for row in tomllib.loads(ARGUED.read_text())["argued"]}
    wrong: list[str] = []
    right = 0
    for name, (data, document) in captures.items():
        got = long_frame(data)
        header = document.find("SlaveInformation")
        assert header is not None
        expected = said_of(header, HEADER_TAGS)
        wrong += [f"{name}: {line}" for line in differences(expected, got)]
        records = [said_of(element, TAGS) for element in document.findall("DataRecord")]
        assert len(records) == len(got["records"]), name
        for place, (record, decoded) in enumerate(zip(records, got["records"], strict=True)):
            differ = differences(record, decoded)
            if (name, place) in argued:
                assert differ, f"{name} {place} is argued, and right"
            else:
                wrong += [f"{name} {place}: {line}" for line in differ]
                right += 1
    assert wrong == []
    assert len(captures) >= 51
    assert right >= 590


def test_the_list_of_argued_decodings_stays_small() -> None:
    """Two values of one meter; each row has its argument."""
    rows = tomllib.loads(ARGUED.read_text())["argued"]
    assert len(rows) <= 2
    assert all(len(row["why"]) > 40 for row in rows)


def test_another_library_reads_the_same_numbers_where_it_reads_the_capture(
    captures: dict[str, tuple[bytes, ET.Element]],
) -> None:
    """pymeterbus: energy, volume, power and flow of whole telegrams; it normalises to the same units."""
    same = 0
    for name, (data, _) in captures.items():
        peer = peer_values(data)
        ours = frame.parse(data).records
        for record, (unit, value) in zip(ours, peer, strict=False):
            if (
                record.meaning.unit not in {"Wh", "m3", "W", "m3/h"}
                or record.vifes
                or not isinstance(record.value, float)
            ):
                continue
            if unit.replace("^", "") != record.meaning.unit or math.isnan(record.value):
                continue
            assert value == pytest.approx(record.value, rel=1e-9), name
            same += 1
    assert same >= 200


def peer_values(data: bytes) -> list[tuple[str, float]]:
    """(unit, value) of each record as pymeterbus reads them; nothing where it gives up."""
    try:
        telegram = meterbus.load(data)
        rows = [(str(record.interpreted["unit"]), record.interpreted["value"]) for record in telegram.records]
    except Exception:  # noqa: BLE001 - what the peer raises on a capture is not ours
        return []
    units = {"MeasureUnit.WH": "Wh", "MeasureUnit.M3": "m3", "MeasureUnit.W": "W", "MeasureUnit.M3_H": "m3/h"}
    return [
        (
            units.get(unit, "other"),
            float(value) if isinstance(value, (int, float)) or hasattr(value, "as_tuple") else math.nan,
        )
        for unit, value in rows
    ]
