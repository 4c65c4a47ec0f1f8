"""Samples, frames, sessions and configuration of OCPP, without a connection."""

import contextlib
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgce.collectors.ocpp.config import OcppConfig
from kgce.collectors.ocpp.messages import FrameError, parse
from kgce.collectors.ocpp.samples import samples_of
from kgce.collectors.ocpp.sessions import Sessions
from kgce.collectors.ocpp.unit_watch import UnitWatch

T = "2026-01-05T04:00:00Z"
T_MS = 1_767_585_600_000


def sampled(*values: dict) -> list[dict]:
    return [{"timestamp": T, "sampledValue": list(values)}]


def test_what_is_left_out_has_its_default() -> None:
    """shared/facts vector mqtt-ocpp-default: measurand and unit omitted are the import register in Wh."""
    (one,) = samples_of(sampled({"value": "895"})).found
    assert (one.quantity, one.value, one.time_ms, one.is_live) == ("active_energy_import", 0.895, T_MS, True)


@pytest.mark.parametrize(
    ("value", "name", "expected"),
    [
        ({"value": "7.4", "measurand": "Power.Active.Import", "unit": "kW"}, "active_power", 7.4),
        ({"value": "7400", "measurand": "Power.Active.Import"}, "active_power", 7.4),
        ({"value": "16", "measurand": "Current.Import", "phase": "L2", "unit": "A"}, "current_l2", 16.0),
        ({"value": "231.5", "measurand": "Voltage", "phase": "L1-N"}, "voltage_l1_n", 231.5),
        ({"value": "50", "measurand": "SoC", "unit": "Percent", "location": "EV"}, "state_of_charge", 50.0),
        ({"value": "77", "measurand": "Temperature", "unit": "Fahrenheit", "location": "Body"}, "temperature_body", 25.0),
        ({"value": "12", "unit": "kWh", "location": "Inlet"}, "active_energy_import_inlet", 12.0),
        ({"value": 5, "unitOfMeasure": {"unit": "Wh", "multiplier": 3}}, "active_energy_import", 5.0),
        ({"value": 5.5, "unit_of_measure": {"unit": "kWh"}}, "active_energy_import", 5.5),
    ],
)  # fmt: skip
def test_a_value_comes_in_the_canonical_unit_of_its_quantity(value: dict, name: str, expected: float) -> None:
    (one,) = samples_of(sampled(value)).found
    assert one.quantity == name
    assert one.value == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("text", ["", "none", "NaN", "inf", None, {}])
def test_what_is_no_number_is_not_available_and_never_zero(text: object) -> None:
    (one,) = samples_of(sampled({"value": text})).found
    assert math.isnan(one.value)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ({"value": "1", "measurand": "RPM"}, "is not used"),
        ({"value": "1", "unit": "furlong"}, "unit 'furlong' is not known"),
        ({"value": "1", "measurand": "Voltage", "unit": "kWh"}, "measures energy"),
        ({"value": "1", "format": "SignedData"}, "signed data"),
        ({"value": "1", "phase": "L9"}, "not known"),
        ({"value": 1, "unitOfMeasure": {"multiplier": 99}}, "power of ten"),
    ],
)
def test_what_cannot_be_used_is_left_out_with_its_reason(value: dict, why: str) -> None:
    found = samples_of(sampled(value, {"value": "2"}))
    assert [one.value for one in found.found] == [0.002]
    assert why in found.refused[0]


@pytest.mark.parametrize("time", ["yesterday", None, "2026-13-01T00:00:00Z", 5])
def test_values_without_a_time_are_left_out(time: object) -> None:
    found = samples_of([{"timestamp": time, "sampledValue": [{"value": "1"}]}])
    assert found.found == []
    assert found.refused


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_any_text_is_a_frame_or_says_why_it_is_none(text: bytes | str) -> None:
    with contextlib.suppress(FrameError):
        frame = parse(text)
        assert frame.kind in {2, 3, 4}
        assert json.loads(text)[1] == frame.unique_id


MESSAGES = [
    ("start", 1, "a", {"id_tag": "t", "start_ms": 1000, "start_kwh": 5.0}),
    ("stop", 1, "a", {"stop_ms": 5000, "stop_kwh": 9.0, "reason": "Local"}),
    ("start", 2, "b", {"id_tag": "u", "start_ms": 2000, "start_kwh": 1.0}),
    ("stop", 2, "b", {"stop_ms": 6000, "stop_kwh": 4.5, "reason": "EVDisconnected"}),
    ("start", 1, "c", {"id_tag": "v", "start_ms": 7000, "start_kwh": 9.0}),  # its end is never told
]


@given(st.permutations(MESSAGES + MESSAGES[:3]))
def test_messages_in_any_order_and_twice_give_the_same_sessions(messages: list) -> None:
    sessions = Sessions(None)
    for kind, connector, reference, fields in messages:
        if kind == "start":
            sessions.started("CP", connector, reference, **fields)
        else:
            sessions.stopped("CP", reference, connector=connector, **fields)
    told = {
        one.reference: (one.connector, one.id_tag, one.start_ms, one.stop_ms, one.energy_kwh) for one in sessions.all()
    }
    sessions.close()
    assert told == {
        "a": (1, "t", 1000, 5000, 4.0),
        "b": (2, "u", 2000, 6000, 3.5),
        "c": (1, "v", 7000, None, None),
    }


def test_an_end_whose_begin_is_unknown_is_kept_and_has_no_energy() -> None:
    sessions = Sessions(None)
    one = sessions.stopped("CP", "unknown 7", stop_ms=5, stop_kwh=3.0)
    assert (one.is_complete, one.energy_kwh) == (False, None)
    assert sessions.by_number("another charger", one.number) is None
    sessions.close()


def test_a_counter_that_began_again_during_a_session_gives_no_energy() -> None:
    sessions = Sessions(None)
    sessions.started("CP", 1, "a", id_tag="", start_ms=1, start_kwh=900.0)
    assert sessions.stopped("CP", "a", stop_ms=2, stop_kwh=3.0).energy_kwh is None
    sessions.close()


@pytest.mark.parametrize(("factor", "is_told"), [(1.0, False), (0.001, True), (1.3, False), (0.0, False)])
def test_a_register_is_compared_with_the_power_beside_it(factor: float, is_told: bool) -> None:
    """11 kW for two hours, sampled every minute."""
    watch = UnitWatch()
    told = [watch.saw(minute * 60_000, 500 + factor * 11 * minute / 60, 11.0) for minute in range(121)]
    assert sum(told) == is_told


def config(**more: object) -> dict:
    device = {"charger": "CP1", "institution": "i", "device": "c"}
    return {"devices": [device | more.pop("device", {})], **more}


@pytest.mark.parametrize(
    ("tables", "complaint"),
    [
        (config(device={"password_env": "NOT_SET_ANYWHERE"}), "NOT_SET_ANYWHERE is not set"),
        (config(device={"charger": "a/b"}), "match pattern"),
        (config(cert_file="nowhere.pem"), "both"),
        (config(cert_file="nowhere.pem", key_file="nowhere.key"), "is not there"),
        (
            {"devices": [config()["devices"][0], config(device={"device": "d"})["devices"][0]]},
            "two devices are charger",
        ),
        (config(path="ocpp"), "match pattern"),
        ({"devices": []}, "at least 1"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused_with_its_reason(tables: dict, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        OcppConfig.model_validate(tables)


def test_a_password_in_clear_is_for_loopback_only(tmp_path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s\n")
    tables = config(device={"password_file": str(secret)})
    assert OcppConfig.model_validate(tables).devices[0].password == "s"
    with pytest.raises(ValueError, match="without TLS"):
        OcppConfig.model_validate(tables | {"listen": "192.0.2.1"})


def test_connectors_have_devices_of_their_own() -> None:
    plain = OcppConfig.model_validate(config()).devices[0]
    named = OcppConfig.model_validate(config(device={"connectors": {"1": "left", "2": "right"}})).devices[0]
    assert [plain.device_of(number) for number in (0, 1, 2)] == ["c", "c", "c-2"]
    assert [named.device_of(number) for number in (0, 1, 2, 3)] == ["c", "left", "right", "c-3"]
    assert named.devices == ("left", "right")
