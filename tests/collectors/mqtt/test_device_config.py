"""A wrong device or broker is refused before anything connects; a right one says which series it feeds."""

import math
from typing import Any

import pytest

from kgce.collectors.mqtt.bound_device import BoundDevice
from kgce.collectors.mqtt.config import MqttConfig
from kgce.collectors.mqtt.device_config import MqttDeviceConfig
from kgce.collectors.mqtt.listening import Listening, left_over_filters
from kgce.collectors.mqtt.mapped import Mapped
from kgce.collectors.mqtt.pauses import LONGEST_IN_LOOP_S, LONGEST_PAUSE_S, Pauses
from kgce.collectors.mqtt.read_message import read_message
from kgce.collectors.mqtt.source import MqttSource
from kgce.domain.batch import Quality
from tests.collectors.mqtt.live import PLUG, SHELLY
from tests.collectors.mqtt.subscriptions import TIMED, read, subscription

NEURON = {
    "convention": "neuron",
    "id": "plc",
    "institution": "office",
    "device": "plc",
    "fields": {"active_power": {"name": "p", "unit": "W"}, "voltage": {"name": "u", "unit": "V"}},
}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"convention": "tasmotta"}, "unknown convention 'tasmotta'; known: "),
        ({"id": "+"}, "a wildcard would mix several"),
        ({"prefix": "site/#"}, "a wildcard would mix several"),
        ({"tz": None}, "times carry no offset: add tz"),
        ({"tz": "Mars/Base"}, "unknown time zone"),
        ({"metering": "water_volume"}, "not among its fields"),
        ({"metering": "active_power"}, "measures no carrier"),
        ({"only": ["juice"]}, "'juice' is not among"),
        ({"fields": {"active_power": {"name": "x", "unit": "W"}}}, "knows its fields"),
        ({"convention": "neuron"}, "say in fields what they mean"),
        ({"convention": "neuron", "metering": None, "fields": {"voltage": {"name": "u"}}}, "add unit"),
        (
            {"convention": "neuron", "metering": None, "fields": {"voltage": {"name": "u", "unit": "W"}}},
            "measures power",
        ),
    ],
)
def test_a_wrong_device_is_refused(change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        MqttDeviceConfig.model_validate({**PLUG, **change})


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"devices": []}, "nobody is listened to"),
        ({"devices": [PLUG, {**PLUG, "device": "other"}]}, "stands in the file 2 times"),
        ({"watch": ["nobody"]}, "watch: unknown convention"),
        ({"ca_file": "/nowhere/ca.pem"}, "ca_file needs tls"),
        ({"tls": True, "ca_file": "/nowhere/ca.pem"}, "no file /nowhere/ca.pem"),
        ({"tls": True, "cert_file": __file__}, "belong together"),
        ({"password_file": __file__}, "password_file needs a username"),
        ({"version": "4"}, "3.1.1"),
    ],
)
def test_a_wrong_broker_is_refused(change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        MqttConfig.model_validate({"host": "127.0.0.1", "client_id": "c", "devices": [PLUG], **change})


def rows(device: dict[str, Any], topic: str, payload: str, *, retained: bool = False) -> Mapped:
    bound = BoundDevice(MqttDeviceConfig.model_validate(device))
    rules, tz = bound.config.rules, bound.config.tz
    said = read_message(rules, topic, payload.encode(), prefix=bound.config.base, tz=tz)
    return bound.read(said, retained=retained, arrived_ms=1)


def test_a_channel_is_a_device_of_its_own_and_shares_what_belongs_to_all() -> None:
    payload = '{"Time":"2026-09-18T11:19:21","ENERGY":{"Power":[52,5],"Voltage":235}}'
    second = rows({**PLUG, "channel": 2}, "tele/plug1/SENSOR", payload)
    assert {series.quantity: value for series, _, value, _ in second.rows} == {"active_power": 0.005, "voltage": 235}
    both = rows(PLUG, "tele/plug1/SENSOR", payload)
    assert {series.quantity for series, *_ in both.rows} == {"active_power_ch1", "active_power_ch2", "voltage"}


def test_amounts_since_the_last_message_are_kept_nowhere() -> None:
    assert rows(SHELLY, "shellies/em/emeter/0/energy", "120.5").rows == ()


def test_a_tag_with_an_error_code_is_a_bad_reading_and_never_a_number() -> None:
    message = '{"node":"plc","timestamp":1760548257000,"values":{"p":1500},"errors":{"u":2003}}'
    power, voltage = rows(NEURON, "neuron/upload", message).rows
    assert (power[0].quantity, power[2], power[3]) == ("active_power", 1.5, Quality.GOOD)
    assert (voltage[0].quantity, voltage[3]) == ("voltage", Quality.BAD)
    assert math.isnan(voltage[2])


def test_only_chosen_fields_are_kept() -> None:
    payload = '{"Time":"2026-09-18T11:19:21","ENERGY":{"Power":52,"Voltage":235,"Total":1}}'
    chosen = rows({**PLUG, "only": ["active_energy_import"]}, "tele/plug1/SENSOR", payload)
    assert [series.quantity for series, *_ in chosen.rows] == ["active_energy_import"]


def test_a_device_said_to_keep_time_is_not_stamped_on_arrival() -> None:
    plug = {"convention": "zigbee2mqtt", "id": "p", "institution": "office", "device": "p", "keeps_time": True}
    assert rows(plug, "zigbee2mqtt/p", '{"power": 5}').refused == ("time absent",)
    [wanted] = [one for one in Listening(config(plug)).wanted if one.filter == "zigbee2mqtt/p"]
    assert wanted.qos == 1
    [wanted] = [one for one in Listening(config({**plug, "keeps_time": False})).wanted if one.filter == "zigbee2mqtt/p"]
    assert wanted.qos == 0


def config(*devices: dict[str, Any]) -> MqttConfig:
    return MqttConfig.model_validate({"host": "127.0.0.1", "client_id": "c", "devices": devices})


def test_wildcards_stand_only_where_the_device_is_named() -> None:
    assert {one.filter for one in Listening(config(SHELLY)).wanted} == {
        "shellies/em/emeter/+/+",
        "shellies/em/relay/+/power",
        "shellies/em/info",
        "shellies/em/online",
    }


@pytest.mark.hazard(42)
def test_filters_of_an_older_configuration_are_guessed_from_a_topic() -> None:
    assert {"a/b/em/emeter/0/power", "a/b/em/emeter/+/+", "a/b/+/emeter/+/+"} <= left_over_filters(
        "a/b/em/emeter/0/power"
    )


def test_metering_points_of_devices_are_known_before_any_connection() -> None:
    [point] = MqttSource(config(PLUG)).points()
    assert (point.series.key, point.carrier) == (("office", "plug", "active_energy_import"), "electricity")


@pytest.mark.hazard(43)
def test_pauses_grow_to_a_bound_and_longer_while_two_clients_fight() -> None:
    pauses = Pauses(jitter=lambda _, high: high)
    assert [pauses.next_s() for _ in range(7)] == [1, 2, 4, 8, 16, 30, 30]
    for _ in range(3):
        pauses.ended(0.5, None)
    assert pauses.is_loop
    assert max(pauses.next_s() for _ in range(10)) == LONGEST_IN_LOOP_S > LONGEST_PAUSE_S
    pauses.ended(3600.0, None)
    assert not pauses.is_loop
    assert pauses.next_s() == 1


@pytest.mark.hazard(43)
def test_a_broker_that_names_the_take_over_is_believed_at_once() -> None:
    pauses = Pauses()
    pauses.ended(0.5, 0x8E)  # MQTT 5, section 2.4: session taken over
    assert pauses.is_loop


def test_half_of_a_pause_is_chance() -> None:
    assert Pauses(jitter=lambda low, _: low).next_s() == 0.5


def test_samples_of_one_message_become_readings_of_their_own_times() -> None:
    several = subscription(TIMED, samples="history")
    found = read(several, '{"history":[{"t":1688205601,"p":5},{"t":1688205600,"p":null},{"t":1688205602,"p":7}]}')
    assert [(time_ms, value) for _, time_ms, value, _ in found.rows] == [
        (1_688_205_601_000, 0.005),
        (1_688_205_602_000, 0.007),
    ]
    assert found.refused == ("active_power null",)
    assert read(several, '{"history":5}').refused == ("samples not an array",)
    with pytest.raises(ValueError, match="need a time each"):
        subscription(TIMED, samples="history", time=None)
