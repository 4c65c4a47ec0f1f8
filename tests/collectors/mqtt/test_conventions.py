"""Messages other people published, read through the shipped conventions."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from kgce.collectors.mqtt.convention import convention_names, load_convention
from kgce.collectors.mqtt.read_message import read_message
from kgce.collectors.mqtt.understood import Understood
from kgce.domain.errors import ConfigError

FAMILY = {
    "mqtt-tasmota": "tasmota",
    "mqtt-shelly1": "shelly_gen1",
    "mqtt-shelly2": "shelly_gen2",
    "mqtt-z2m": "zigbee2mqtt",
    "mqtt-openwb": "openwb",
    "mqtt-tb": "thingsboard",
    "mqtt-homie5": "homie5",
    "mqtt-ocpp": "ocpp_json",
}
VECTORS = [
    "mqtt-tasmota-sensor", "mqtt-tasmota-2ch", "mqtt-shelly1-power", "mqtt-shelly1-total", "mqtt-shelly1-energy",
    "mqtt-shelly2-em1", "mqtt-shelly2-emdata", "mqtt-z2m", "mqtt-openwb-str", "mqtt-openwb-currents",
    "mqtt-openwb-imported", "mqtt-tb-gateway", "mqtt-homie5-value", "mqtt-homie5-state", "mqtt-ocpp-default",
]  # fmt: skip


def spoken(name: str, topic: str, payload: bytes | str | dict[str, Any], **fields: Any) -> Understood:
    raw = json.dumps(payload) if isinstance(payload, dict) else payload
    return read_message(load_convention(name), topic, raw.encode() if isinstance(raw, str) else raw, **fields)


def by_channel(found: Understood) -> dict[tuple[str, str], float]:
    return {(one.quantity, one.channel): one.value for one in found.said}


def published(folder: Path) -> dict[str, dict[str, Any]]:
    vectors = json.loads((folder / "protocol_vectors.json").read_text(encoding="utf-8"))["vectors"]
    return {entry["id"]: entry for entry in vectors if entry["protocol"] == "mqtt-json"}


def test_every_published_message_is_tried(shared_facts: Path) -> None:
    assert set(VECTORS) == set(published(shared_facts))


@pytest.mark.parametrize("name", VECTORS)
def test_a_published_message_says_what_was_published_with_it(name: str, shared_facts: Path) -> None:
    vector = published(shared_facts)[name]
    topic = vector["topic"] if not vector["topic"].startswith("(") else "ocpp/charger/MeterValues"
    found = spoken(FAMILY["-".join(name.split("-")[:2])], topic, vector["payload"])
    expected = vector["expect"]
    for reading in expected.get("readings", ()):
        name_of = f"{reading['node']}/{reading['property']}" if "node" in reading else reading["quantity"]
        matching = [
            one
            for one in found.said
            if one.name == name_of
            and one.value == reading["value"]
            and ("channel" not in reading or one.channel == str(reading["channel"] or ""))
            and ("unit" not in reading or one.unit == reading["unit"])
        ]
        assert len(matching) == 1, reading
    if "value" in expected:
        assert found.text == expected["value"]
    if "device_online" in expected:
        assert found.online is expected["device_online"]
    if "devices" in expected:
        times = {name: {one.time_ms for one in found.said if one.device == name} for name in expected["devices"]}
        assert {name: len(stamps) for name, stamps in times.items()} == expected["devices"]
        assert sorted(set().union(*times.values())) == expected["timestamps_ms"]
    if expected.get("time_is_local_without_zone"):
        assert {one.time_problem for one in found.said} == {"time without offset"}
        assert all(one.time_ms is None for one in found.said)
    assert found.refused == ()


def captures(folder: Path) -> list[dict[str, Any]]:
    lines = (folder / "captures" / "mqtt" / "device_payloads.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


# Row of the file -> (convention, topic where the row has none, some of what the device said, read off the row by eye)
CAPTURED: list[tuple[str, str, dict[tuple[str, str], float]]] = [
    ("tasmota", "tele/x/SENSOR", {("active_energy_import", ""): 1290.396, ("active_power", ""): 47.11}),
    ("tasmota", "tele/x/SENSOR", {("active_power", "1"): 8.15, ("active_power", "2"): 0, ("voltage", ""): 237}),
    ("tasmota", "tele/x/SENSOR", {("active_energy_import", ""): 2687.3687, ("active_power", "2"): -111}),
    ("shelly_gen1", "shellies/x/info", {("active_power", "1"): 4711.12, ("active_energy_import", "1"): 6472513}),
    ("shelly_gen1", "shellies/x/info", {("active_power", "1"): -620.34, ("active_energy_export", "2"): 294.2}),
    ("shelly_gen2", "x/status/switch:0", {("active_power", "1"): 47.11, ("active_energy_import", "1"): 5.125}),
    (
        "shelly_gen2",
        "x/status/em1data:0",
        {("active_energy_import", "1"): 1264.15, ("active_energy_export", "1"): 144792.28},
    ),
    ("shelly_gen2", "x/status/switch:0", {("active_power", "1"): 399.2, ("active_energy_import", "1"): 2574466.629}),
    ("shelly_gen2", "x/status/switch:0", {("active_energy_import", "1"): 4000, ("active_energy_export", "1"): 4000}),
    ("tasmota", "", {("active_energy_import", ""): 514.153, ("power_factor", ""): 0.61}),
    ("tasmota", "", {("active_energy_import", ""): 7970.903, ("current", ""): 4}),
    ("tasmota", "", {("active_energy_import", ""): 7970903, ("apparent_power", ""): 780, ("current", ""): 3}),
    ("tasmota", "", {("active_energy_import", ""): 14.68792, ("reactive_power", ""): 16}),
    ("shelly_gen2", "", {("active_power", "1"): -1899.8, ("current", "1"): 16.714, ("voltage", "1"): 117.6}),
    ("shelly_gen2", "", {("active_energy_import", "4"): 0}),
    ("shelly_gen2", "", {("active_power", "2"): 0, ("current", "2"): 0, ("power_factor", "2"): 0}),
]


def test_every_captured_message_is_tried(shared_data: Path) -> None:
    assert len(captures(shared_data)) == len(CAPTURED)


@pytest.mark.parametrize("row", range(len(CAPTURED)))
def test_a_captured_message_says_what_stands_in_it(row: int, shared_data: Path) -> None:
    captured, (convention, topic, expected) = captures(shared_data)[row], CAPTURED[row]
    found = by_channel(spoken(convention, captured["topic"] or topic, captured["payload"]))
    assert {key: found.get(key) for key in expected} == expected


def test_a_notification_has_the_time_of_its_own_and_only_what_changed(shared_data: Path) -> None:
    """params.ts of row 13 is 1788820998.37 s."""
    found = spoken("shelly_gen2", "shellyemg3/events/rpc", captures(shared_data)[13]["payload"])
    assert {one.time_ms for one in found.said} == {1_788_820_998_370}
    assert {one.quantity for one in found.said} == {"active_power", "current", "voltage"}


def test_watt_minutes_since_the_last_message_are_no_register(shared_facts: Path) -> None:
    vector = published(shared_facts)["mqtt-shelly1-energy"]
    [said] = spoken("shelly_gen1", vector["topic"], vector["payload"]).said
    assert (said.stored, said.unit) == (False, "W.min")


@pytest.mark.parametrize("stamp", ['"2025-10-15T19:10:57+02:00"', "1760548257000", '"1760548257000"'])
def test_last_seen_is_text_or_a_number(stamp: str) -> None:
    """2025-10-15T17:10:57Z is 1 760 548 257 s after 1970 by `date -u +%s`."""
    [said] = spoken("zigbee2mqtt", "zigbee2mqtt/hall/plug", f'{{"power": 5, "last_seen": {stamp}}}').said
    assert (said.device, said.time_ms) == ("hall/plug", 1_760_548_257_000)


@pytest.mark.hazard(44)
@pytest.mark.parametrize(
    ("convention", "topic", "payload", "online"),
    [
        ("tasmota", "tele/plug1/LWT", "Online", True),
        ("tasmota", "tele/plug1/LWT", "Offline", False),
        ("shelly_gen1", "shellies/x/online", "false", False),
        ("shelly_gen2", "x/online", "true", True),
        ("zigbee2mqtt", "zigbee2mqtt/plug/availability", '{"state":"offline"}', False),
        ("zigbee2mqtt", "zigbee2mqtt/plug/availability", "online", True),
        ("homie4", "homie/meter/$state", "ready", True),
        ("homie4", "homie/meter/$state", "disconnected", False),
        ("homie5", "homie/5/meter/$state", "alert", True),
        ("ems_esp", "ems-esp/status", "offline", False),
        ("evcc", "evcc/status", "online", True),
        ("openmqttgateway", "home/OpenMQTTGateway/LWT", "offline", False),
    ],
)
def test_a_status_topic_says_whether_the_device_is_there(
    convention: str, topic: str, payload: str, online: bool
) -> None:
    assert spoken(convention, topic, payload).online is online


def test_homie_4_says_units_in_topics_and_takes_them_back() -> None:
    learnt = spoken("homie4", "homie/meter/main/power/$unit", "W").units
    assert learnt == {"meter/main/power": "W"}
    [said] = spoken("homie4", "homie/meter/main/power", "512.4", units=learnt).said
    assert (said.name, said.value, said.unit) == ("main/power", 512.4, "W")
    assert spoken("homie4", "homie/meter/main/power/$unit", "").units == {"meter/main/power": ""}


def test_homie_5_says_units_in_its_description() -> None:
    description = {
        "homie": "5.0",
        "nodes": {"main": {"properties": {"power": {"datatype": "float", "unit": "W"}, "on": {"datatype": "boolean"}}}},
    }
    learnt = spoken("homie5", "ebus/5/panel/$description", description, prefix="ebus/5").units
    assert learnt == {"panel/main/power": "W", "panel/main/on": ""}


def test_a_tag_with_an_error_code_is_bad_and_a_missing_one_is_absent() -> None:
    message = {"node": "plc", "group": "g", "timestamp": 1_760_548_257_000, "values": {"p": 5}, "errors": {"q": 2003}}
    found = spoken("neuron", "neuron/upload", message)
    assert [(one.device, one.name, one.bad) for one in found.said] == [("plc", "p", False), ("plc", "q", True)]
    assert math.isnan(found.said[1].value)
    tags = {
        "node": "plc",
        "timestamp": 1_760_548_257_000,
        "tags": [{"name": "p", "value": 5}, {"name": "q", "error": 3}],
    }
    found = spoken("neuron", "neuron/upload", tags)
    assert [(one.name, one.bad, one.time_ms) for one in found.said] == [
        ("p", False, 1_760_548_257_000),
        ("q", True, 1_760_548_257_000),
    ]


def test_a_value_of_a_transactions_begin_is_not_the_present_one() -> None:
    sample = {"value": "895", "context": "Transaction.Begin"}
    message = {"connectorId": 1, "meterValue": [{"timestamp": "2026-01-05T04:00:00Z", "sampledValue": [sample]}]}
    found = spoken("ocpp_json", "ocpp/box/MeterValues", message)
    assert (found.said, found.refused) == ((), ("nothing known in it",))


def test_one_device_of_thingsboard_sends_one_sample_or_several() -> None:
    one = {"ts": 1_483_228_800_000, "values": {"t": 1}}
    other = {"ts": 1_483_228_801_000, "values": {"t": 2}}
    for payload, expected in ((one, [1.0]), ([other, one], [2.0, 1.0])):
        found = spoken("thingsboard_device", "v1/devices/me/telemetry", json.dumps(payload))
        assert [said.value for said in found.said] == expected


def test_a_boiler_of_ems_esp_says_its_temperatures() -> None:
    """Names from devices.md, the table of heat devices; the values are made up."""
    message = {"curflowtemp": 61.5, "rettemp": 48.2, "exhausttemp": 70.1, "curburnpow": 42, "heatingactive": "on"}
    found = by_channel(spoken("ems_esp", "ems-esp/boiler_data", message))
    assert found == {
        ("supply_temperature", ""): 61.5,
        ("return_temperature", ""): 48.2,
        ("flue_temperature", ""): 70.1,
        ("firing_rate", ""): 42,
    }


@pytest.mark.hazard(38)
def test_an_empty_payload_takes_a_value_back_and_is_not_zero() -> None:
    found = spoken("evcc", "evcc/site/grid/power", "")
    assert (found.said, found.refused) == ((), ("empty payload",))


def test_every_convention_names_its_source_and_says_so_when_unsure() -> None:
    assert len(convention_names()) >= 12
    for name in convention_names():
        rules = load_convention(name)
        assert rules.source
        assert rules.confidence in {"high", "medium", "low"}


def test_an_unknown_convention_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"known: .*tasmota"):
        load_convention("../tasmota")
