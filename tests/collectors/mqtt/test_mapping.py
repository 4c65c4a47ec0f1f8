"""Payloads of real device families, through declared rules only."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.collectors.mqtt.subscriptions import (
    ARRIVED_MS,
    PLUG,
    SCALAR,
    TIMED,
    read,
    subscription,
    times,
    values,
)

# Which field of which published message is which quantity: the configuration a user would write for that family.
FAMILIES = {
    "mqtt-tasmota-sensor": {
        "active_energy_import": ("ENERGY.Total", "kWh"),
        "active_power": ("ENERGY.Power", "W"),
        "apparent_power": ("ENERGY.ApparentPower", "VA"),
        "reactive_power": ("ENERGY.ReactivePower", "var"),
        "power_factor": ("ENERGY.Factor", ""),
        "voltage": ("ENERGY.Voltage", "V"),
        "current": ("ENERGY.Current", "A"),
    },
    "mqtt-shelly1-power": {"active_power": ("", "W")},
    "mqtt-shelly1-total": {"active_energy_import": ("", "Wh")},
    "mqtt-shelly2-em1": {"active_power": ("act_power", "W"), "power_factor": ("pf", "")},
    "mqtt-z2m": {
        "active_energy_import": ("energy", "kWh"),
        "active_power": ("power", "W"),
        "reactive_power": ("power_reactive", "var"),
        "voltage": ("voltage", "V"),
        "frequency": ("ac_frequency", "Hz"),
    },
    "mqtt-openwb-imported": {"active_energy_import": ("", "Wh")},
    "mqtt-ocpp-default": {"active_energy_import": ("meterValue[0].sampledValue[0].value", "Wh")},
}
TO_CANONICAL = {"W": 1e-3, "Wh": 1e-3, "VA": 1e-3, "var": 1e-3}  # domain/units.py: kW, kWh, kVA, kvar


def vector(folder: Path, name: str) -> dict:
    found = json.loads((folder / "protocol_vectors.json").read_text(encoding="utf-8"))["vectors"]
    return next(entry for entry in found if entry["id"] == name)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_published_message_gives_its_published_readings(name: str, shared_facts: Path) -> None:
    published = vector(shared_facts, name)
    fields = {quantity: {"path": path, "unit": unit} for quantity, (path, unit) in FAMILIES[name].items()}
    mapped = read(subscription(SCALAR, fields=fields), published["payload"])
    expected = {
        reading["quantity"]: reading["value"] * TO_CANONICAL.get(reading.get("unit", ""), 1.0)
        for reading in published["expect"]["readings"]
    }
    assert values(mapped) == pytest.approx(expected, rel=1e-12)
    assert mapped.refused == ()


@pytest.mark.parametrize("channel", [1, 2])
def test_a_plug_of_two_channels_is_two_devices_on_one_topic(channel: int, shared_facts: Path) -> None:
    """Tasmota sends an array per channel, yet the voltage stays a scalar."""
    published = vector(shared_facts, "mqtt-tasmota-2ch")
    fields = {
        "active_energy_import": {"path": f"ENERGY.Total[{channel - 1}]", "unit": "kWh"},
        "active_power": {"path": f"ENERGY.Power[{channel - 1}]", "unit": "kW"},
        "voltage": {"path": "ENERGY.Voltage", "unit": "V"},
    }
    expected = {
        reading["quantity"]: reading["value"]
        for reading in published["expect"]["readings"]
        if reading["channel"] in {channel, None}
    }
    assert values(read(subscription(SCALAR, fields=fields), published["payload"])) == expected


def test_a_devices_own_time_is_kept(shared_facts: Path) -> None:
    """The vector states 2025-10-15T17:10:57Z for 19:10:57+02:00; in seconds since 1970 by `date -u +%s`."""
    published = vector(shared_facts, "mqtt-z2m")
    config = subscription(
        SCALAR, time={"path": "last_seen", "format": "iso"}, fields={"active_power": {"path": "power", "unit": "W"}}
    )
    assert published["expect"]["time"] == "2025-10-15T17:10:57Z"
    assert times(read(config, published["payload"])) == {1_760_548_257_000}


def test_a_word_is_no_number(shared_facts: Path) -> None:
    published = vector(shared_facts, "mqtt-openwb-str")
    assert read(subscription(SCALAR), published["payload"]).refused == ("active_power not a number",)
    assert read(subscription(SCALAR), vector(shared_facts, "mqtt-homie5-state")["payload"]).refused == ("not JSON",)


def test_a_naive_time_is_read_in_the_configured_zone_and_refused_without_one() -> None:
    """2023-07-01 12:00 in Berlin is 10:00 UTC."""
    payload = '{"Time": "2023-07-01T12:00:00", "ENERGY": {"Power": 1500, "Total": 12.5}}'
    assert times(read(subscription(PLUG), payload)) == {1_688_205_600_000}
    without = read(subscription(PLUG, time={"path": "Time", "format": "iso"}), payload)
    assert (without.rows, without.refused) == ((), ("time without offset",))


@pytest.mark.parametrize("local", ["2023-03-26T02:30:00", "2023-10-29T02:30:00"])
def test_a_local_time_the_clock_skips_or_shows_twice_is_refused(local: str) -> None:
    """Berlin's clock jumped from 02:00 to 03:00 on 2023-03-26 and back from 03:00 to 02:00 on 2023-10-29."""
    mapped = read(subscription(PLUG), f'{{"Time": "{local}", "ENERGY": {{"Power": 1, "Total": 1}}}}')
    assert mapped.refused == ("time unclear where the clock is changed",)


@pytest.mark.parametrize(("rule", "stamp"), [("unix_s", 1_688_205_600.25), ("unix_ms", 1_688_205_600_250)])
def test_unix_times_keep_their_milliseconds(rule: str, stamp: float) -> None:
    mapped = read(subscription(TIMED, time={"path": "t", "format": rule}), json.dumps({"t": stamp, "p": 1}))
    assert times(mapped) == {1_688_205_600_250}


@pytest.mark.parametrize(("rule", "stamp"), [("unix_s", 1_688_205_600_250), ("unix_ms", 1_688_205_600)])
def test_seconds_and_milliseconds_taken_for_each_other_are_noticed(rule: str, stamp: float) -> None:
    mapped = read(subscription(TIMED, time={"path": "t", "format": rule}), json.dumps({"t": stamp, "p": 1}))
    assert (mapped.rows, mapped.refused) == ((), ("time implausible",))


def test_a_retained_message_counts_only_with_its_own_time() -> None:
    """Hazard 38 of devices.md."""
    assert values(read(subscription(SCALAR), "2500")) == {"active_power": 2.5}
    assert times(read(subscription(SCALAR), "2500")) == {ARRIVED_MS}
    refused = read(subscription(SCALAR), "2500", retained=True)
    assert (refused.rows, refused.refused) == ((), ("retained without its own time",))
    assert values(read(subscription(TIMED), '{"t": 1688205600, "p": 5}', retained=True)) == {"active_power": 0.005}


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "empty payload"),
        (b"  ", "empty payload"),
        (b"{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b'{"t": 1688205600}', "active_power absent"),
        (b'{"t": 1688205600, "p": null}', "active_power null"),
        (b'{"t": 1688205600, "p": true}', "active_power not a number"),
        (b'{"t": 1688205600, "p": "n/a"}', "active_power not a number"),
        (b'{"t": 1688205600, "p": ""}', "active_power not a number"),
        (b'{"t": 1688205600, "p": "nan"}', "active_power not a number"),
        (b'{"t": 1688205600, "p": "1e999"}', "active_power not finite"),
        (b'{"t": 1688205600, "p": [1]}', "active_power not a number"),
        (b'{"p": 1}', "time absent"),
        (b'{"t": "soon", "p": 1}', "time not a number"),
        (b"[1]", "time absent"),
    ],
)
def test_what_is_no_reading_is_refused_with_its_reason(payload: bytes, reason: str) -> None:
    """Empty is not zero, absent is not zero."""
    mapped = read(subscription(TIMED), payload)
    assert (mapped.rows, mapped.refused) == ((), (reason,))


def test_one_bad_field_does_not_lose_the_others() -> None:
    mapped = read(subscription(PLUG), '{"Time": "2023-07-01T12:00:00Z", "ENERGY": {"Power": null, "Total": "12.5"}}')
    assert values(mapped) == {"active_energy_import": 12.5}
    assert mapped.refused == ("active_power_total null",)


def test_a_scale_turns_pulses_into_a_unit() -> None:
    """A pulse output of 10 L per pulse: 123 456 pulses are 1234.56 m3."""
    config = subscription(
        SCALAR, measurement="water", fields={"water_volume": {"path": "pulses", "unit": "L", "scale": 10}}
    )
    assert values(read(config, '{"pulses": 123456}')) == {"water_volume": pytest.approx(1234.56, rel=1e-12)}


@given(st.binary(max_size=80))
def test_no_bytes_whatever_raise(payload: bytes) -> None:
    read(subscription(PLUG), payload)
    read(subscription(SCALAR), payload)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["t", "p", "Time"]), inner, max_size=3),
    max_leaves=6,
)


@given(JSON)
def test_no_json_whatever_raises_and_every_reading_is_a_finite_number(document: object) -> None:
    mapped = read(subscription(TIMED), json.dumps(document))
    assert all(abs(value) < float("inf") for value in values(mapped).values())
