"""Frames and messages in words, without being told what they are."""

import json
from pathlib import Path

import pytest

from kgce.collectors.explain import explain, protocols, raw_bytes
from kgce.domain.errors import InputError

SPOKEN = {
    "modbus-rtu": {"modbus-rtu"}, "modbus-ascii": {"modbus-ascii"}, "dlt645-2007": {"dlt645"},
    "dlt645-1997": {"dlt645"}, "cjt188": {"cjt188"}, "mbus": {"mbus"},
}  # fmt: skip
WHOLE = {"response", "exception", "long_frame", "frame"}


def frames(folder: Path) -> list[dict]:
    vectors = json.loads((folder / "protocol_vectors.json").read_text(encoding="utf-8"))["vectors"]
    return [one for one in vectors if one["protocol"] in SPOKEN and one["kind"] in WHOLE and one["expect"].get("valid")]


def test_every_published_frame_is_known_by_its_own_checks(shared_facts: Path) -> None:
    found = frames(shared_facts)
    assert len(found) > 50
    wrong = {}
    for one in found:
        said = explain("auto", raw_bytes(one.get("text") or one["hex"]))
        if said.protocol not in SPOKEN[one["protocol"]]:
            wrong[one["id"]] = said.protocol
    assert wrong == {}


def test_a_tcp_answer_is_read_with_its_request(shared_facts: Path) -> None:
    """Vector mb-tcp-0c05-11."""
    said = explain("auto", raw_bytes("0c0500000007110304008d008e"), request=raw_bytes("0c05000000061103007c0002"))
    assert (said.protocol, said.address, said.registers, said.table) == ("modbus-tcp", 124, (141, 142), "holding")
    with pytest.raises(InputError, match="transaction"):
        explain("modbus-tcp", raw_bytes("0c0600000007110304008d008e"), request=raw_bytes("0c05000000061103007c0002"))


def test_an_exception_is_told_by_its_name() -> None:
    fields = explain("modbus-ascii", raw_bytes(":0083027B")).fields
    assert (fields["exception"], fields["exception_code"]) == ("illegal data address", 2)


def test_a_meters_value_has_quantity_and_unit() -> None:
    """Vector dlt-00010000-0.26."""
    (reading,) = explain("auto", raw_bytes("68 61 01 00 00 00 00 68 91 08 33 33 34 33 59 33 33 33 8a 16")).readings
    assert (reading["name"], reading["value"], reading["unit"]) == ("active_energy_import", 0.26, "kWh")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("0083029121", "CRC"),
        ("6861010000000068910833333433593333338b16", "checksum"),
        ("zz", "neither hex"),
        ("{}", "--topic"),
        ('[2,"1"]', "parts"),
    ],
)
def test_what_verifies_as_nothing_says_why(text: str, why: str) -> None:
    with pytest.raises(InputError, match=why):
        explain("auto", raw_bytes(text))


def test_a_message_is_read_by_the_convention_its_topic_fits() -> None:
    said = explain("auto", b'{"ENERGY":{"Total":514.153,"Power":56}}', topic="tele/plug1/SENSOR")
    assert said.protocol == "mqtt:tasmota"
    assert {one["name"]: one["value"] for one in said.readings} == {"active_energy_import": 514.153, "active_power": 56}


def test_ocpp_and_sparkplug_are_read_too(shared_facts: Path) -> None:
    """Vector spb-int32-negative; the OCPP values are its example 895 Wh."""
    spark = explain("sparkplug", bytes.fromhex("0880b2c7cc8b3312160a05506f7765721880b2c7cc8b33200350a4f4ffff0f1809"))
    assert [(one["name"], one["value"]) for one in spark.readings] == [("Power", -1500)]
    values = [{"timestamp": "2026-01-05T04:00:00Z", "sampledValue": [{"value": "895"}]}]
    call = json.dumps([2, "1", "MeterValues", {"connectorId": 1, "meterValue": values}])
    (reading,) = explain("auto", call.encode()).readings
    assert (reading["name"], reading["value"], reading["unit"]) == ("active_energy_import", 0.895, "kWh")


def test_an_unknown_protocol_is_told_with_those_there_are() -> None:
    with pytest.raises(InputError, match="mqtt:tasmota"):
        explain("bacnet", b"\x01")
    assert {"modbus-rtu", "dlt645", "cjt188", "mbus", "sparkplug", "ocpp", "mqtt:homie5"} <= set(protocols())
