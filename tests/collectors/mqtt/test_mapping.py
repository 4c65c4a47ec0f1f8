"""Payloads of real device families, through declared rules only."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgce.collectors.mqtt.config import MqttConfig, SubscriptionConfig
from kgce.collectors.mqtt.mapping import map_message
from kgce.collectors.mqtt.paths import MISSING, lookup, parse_path
from kgce.domain.errors import InputError

ARRIVED = 1_700_000_000_000


def subscription(**fields: object) -> SubscriptionConfig:
    base = {"institution": "office", "device": "m1", "topic": "t", "measurement": "electricity"}
    return SubscriptionConfig.model_validate({**base, **fields})


PLUG = {
    "time": {"path": "Time", "format": "iso", "tz": "Europe/Berlin"},
    "fields": {
        "active_power_total": {"path": "ENERGY.Power", "unit": "W"},
        "active_energy_import": {"path": "ENERGY.Total", "unit": "kWh"},
    },
    "metering": "active_energy_import",
}


def test_the_published_tasmota_sample_maps_to_canonical_units(shared_facts: Path) -> None:
    """protocol_vectors.json, mqtt-json: power in W becomes kW, energy stays kWh."""
    found = json.loads((shared_facts / "protocol_vectors.json").read_text(encoding="utf-8"))["vectors"]
    vector = next(v for v in found if v["protocol"] == "mqtt-json" and v["topic"].endswith("/SENSOR"))
    payload = json.loads(vector["payload"]) if isinstance(vector["payload"], str) else vector["payload"]
    mapped = map_message(subscription(**PLUG), json.dumps(payload).encode(), retained=False, arrived_ms=ARRIVED)
    energy = payload["ENERGY"]
    power = energy["Power"][0] if isinstance(energy["Power"], list) else energy["Power"]
    total = energy["Total"][0] if isinstance(energy["Total"], list) else energy["Total"]
    assert mapped.batch.value.tolist() == pytest.approx([power / 1000, total])


def test_a_naive_time_is_read_in_the_configured_zone_and_refused_without_one() -> None:
    """2023-07-01 12:00 in Berlin is 10:00 UTC."""
    payload = b'{"Time": "2023-07-01T12:00:00", "ENERGY": {"Power": 1500, "Total": 12.5}}'
    mapped = map_message(subscription(**PLUG), payload, retained=False, arrived_ms=ARRIVED)
    assert set(mapped.batch.time_ms.tolist()) == {1_688_205_600_000}
    without = {**PLUG, "time": {"path": "Time", "format": "iso"}}
    refused = map_message(subscription(**without), payload, retained=False, arrived_ms=ARRIVED)
    assert len(refused.batch) == 0
    assert refused.refusals == ["time: no offset, and no tz configured"]


@pytest.mark.parametrize(("rule", "stamp"), [("unix_s", 1_688_205_600.25), ("unix_ms", 1_688_205_600_250)])
def test_unix_times_keep_their_milliseconds(rule: str, stamp: float) -> None:
    row = subscription(time={"path": "ts", "format": rule}, fields={"active_power_total": {"path": "p", "unit": "kW"}})
    mapped = map_message(row, json.dumps({"ts": stamp, "p": 1}).encode(), retained=False, arrived_ms=ARRIVED)
    assert mapped.batch.time_ms.tolist() == [1_688_205_600_250]


def test_a_retained_message_counts_only_with_its_own_time() -> None:
    """Hazard 38 of devices.md."""
    scalar = subscription(fields={"active_power_total": {"path": "", "unit": "W"}})
    assert map_message(scalar, b"2500", retained=False, arrived_ms=ARRIVED).batch.value.tolist() == [2.5]
    refused = map_message(scalar, b"2500", retained=True, arrived_ms=ARRIVED)
    assert (len(refused.batch), refused.refusals) == (0, ["retained message without its own time"])
    timed = subscription(
        time={"path": "t", "format": "unix_s"}, fields={"active_power_total": {"path": "p", "unit": "W"}}
    )
    assert len(map_message(timed, b'{"t": 1, "p": 5}', retained=True, arrived_ms=ARRIVED).batch) == 1


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "empty payload"),
        (b"{", "payload is not JSON"),
        (b"\xff\xfe", "payload is not JSON"),
        (b'{"t": 1}', "active_power_total: absent"),
        (b'{"t": 1, "p": null}', "active_power_total: null"),
        (b'{"t": 1, "p": true}', "active_power_total: bool is no number"),
        (b'{"t": 1, "p": "n/a"}', "active_power_total: 'n/a' is no number"),
        (b'{"t": 1, "p": "NaN"}', "active_power_total: 'NaN' is no finite number"),
        (b'{"t": 1, "p": [1]}', "active_power_total: list is no number"),
        (b'{"p": 1}', "time: absent"),
        (b"[1]", "time: absent"),
    ],
)
def test_what_is_no_reading_is_refused_with_its_reason(payload: bytes, reason: str) -> None:
    """Empty is not zero, absent is not zero."""
    row = subscription(
        time={"path": "t", "format": "unix_s"}, fields={"active_power_total": {"path": "p", "unit": "W"}}
    )
    mapped = map_message(row, payload, retained=False, arrived_ms=ARRIVED)
    assert (len(mapped.batch), list(mapped.refusals)) == (0, [reason])


def test_one_bad_field_does_not_lose_the_others() -> None:
    payload = b'{"Time": "2023-07-01T12:00:00Z", "ENERGY": {"Power": null, "Total": "12.5"}}'
    mapped = map_message(subscription(**PLUG), payload, retained=False, arrived_ms=ARRIVED)
    assert [series.quantity for series in mapped.batch.series] == ["active_energy_import"]
    assert mapped.batch.value.tolist() == [12.5]


@given(st.binary(max_size=80))
def test_no_bytes_whatever_raise(payload: bytes) -> None:
    map_message(subscription(**PLUG), payload, retained=False, arrived_ms=ARRIVED)


def test_paths_reach_into_lists_and_odd_names() -> None:
    document = {"ENERGY": {"Power": [5, 7]}, "params": {"em:0": {"a": 1}}, "a.b": {"c": 2}}
    found = [lookup(document, path) for path in ("ENERGY.Power[1]", "ENERGY.Power.0", "params.em:0.a", '"a.b".c')]
    assert found == [7, 5, 1, 2]
    assert lookup(document, "ENERGY.Power[9]") is MISSING
    assert parse_path("") == ()
    with pytest.raises(InputError, match="is not a path"):
        parse_path("a..b")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"topic": "meters/+/energy"}, "wildcard"),
        ({"fields": {"juice": {"path": "x"}}}, "unknown quantity 'juice'"),
        ({"fields": {"active_power_total": {"path": "x", "unit": "kWh"}}}, "measures energy"),
        ({"metering": "water_volume"}, "not among the fields"),
        ({"time": {"path": "t", "format": "iso", "tz": "Mars/Base"}}, "unknown time zone"),
        ({"colour": "red"}, "Extra inputs"),
    ],
)
def test_a_wrong_configuration_is_refused_before_anything_connects(change: dict, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        subscription(**{**PLUG, **change})


def test_a_topic_twice_and_a_missing_password_are_told() -> None:
    from kgce.collectors.mqtt.source import MqttSource
    from kgce.domain.errors import ConfigError

    row = {**PLUG, "institution": "o", "device": "d", "topic": "t", "measurement": "electricity"}
    with pytest.raises(ValueError, match="subscribed twice"):
        MqttConfig.model_validate({"host": "h", "client_id": "c", "subscriptions": [row, row]})
    config = MqttConfig.model_validate(
        {"host": "h", "client_id": "c", "password_env": "KGCE_NO_SUCH_VARIABLE", "subscriptions": [row]}
    )
    with pytest.raises(ConfigError, match="KGCE_NO_SUCH_VARIABLE is not set"):
        MqttSource(config)
