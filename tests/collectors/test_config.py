"""The collectors' configuration is checked whole before any socket opens."""

from typing import Any

import pytest

from kgce.collectors.config import CollectorsConfig
from kgce.collectors.drivers import DRIVERS, build_sources


def meter(name: str, **fields: Any) -> dict[str, Any]:
    return {"institution": "o", "device": name, "profile": "eastron-sdm630", **fields}


def link(port: int, *devices: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"host": "127.0.0.1", "port": port, "devices": devices, **fields}


def topic(name: str, device: str, quantity: str = "water_volume") -> dict[str, Any]:
    return {
        "topic": name,
        "institution": "o",
        "device": device,
        "measurement": "water",
        "fields": {quantity: {"path": "v", "unit": "m3" if quantity == "water_volume" else "m3/h"}},
    }


def broker(*subscriptions: dict[str, Any], client_id: str = "g") -> dict[str, Any]:
    return {"host": "127.0.0.1", "client_id": client_id, "subscriptions": subscriptions}


@pytest.mark.parametrize(
    ("tables", "complaint"),
    [
        pytest.param(
            {"modbus": [link(1, meter("a")), link(1, meter("b"))]},
            r"two links to 127\.0\.0\.1:1",
            id="one queue a link",
        ),
        pytest.param(
            {"modbus": [link(1, meter("a")), link(2, meter("a"))]},
            "two devices are called 'a' at institution 'o'",
            id="same device on two links",
        ),
        pytest.param(
            {"modbus": [link(1, meter("a"))], "mqtt": [broker(topic("t", "a"))]},
            "two devices are called 'a'",
            id="same device on both protocols",
        ),
        pytest.param(
            {"mqtt": [broker(topic("t", "a"), topic("u", "a"))]},
            "two topics give water_volume of 'a' at institution 'o'",
            id="same quantity on two topics",
        ),
        pytest.param(
            {"mqtt": [broker(topic("t", "a")), broker(topic("u", "b"))]},
            "two clients are called 'g'",
            id="clients that would throw each other out",
        ),
        pytest.param({"modbus": [link(1, meter("a", profile="x"))]}, "a: unknown profile 'x'", id="unknown profile"),
        pytest.param(
            {"modbus": [link(1, meter("a", interval_s=1), timeout_s=1)]}, "is not below interval_s", id="timeout"
        ),
        pytest.param({"modbus": [link(1, meter("a", unit=256))]}, "less than or equal to 255", id="unit id"),
        pytest.param({"modbus": [link(1, meter("a", speed=1))]}, "Extra inputs", id="unknown key"),
        pytest.param({"modbus": [link(1)]}, "at least 1 item", id="a link without devices"),
        pytest.param({"bacnet": []}, "Extra inputs", id="unknown driver"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused_with_its_reason(tables: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        CollectorsConfig.model_validate(tables)


def test_a_device_may_have_several_topics_and_a_topic_several_devices() -> None:
    """Shelly Gen1 publishes one scalar per topic; a Tasmota plug of two channels one message for both."""
    shared = broker(topic("t", "a"), topic("u", "a", "water_flow"), topic("t", "b"))
    [source] = build_sources(CollectorsConfig.model_validate({"mqtt": [shared]}))
    assert [status.device for status in source.status()] == ["a", "b"]


def test_every_table_of_the_configuration_has_its_driver() -> None:
    assert set(DRIVERS) == set(CollectorsConfig.model_fields)
