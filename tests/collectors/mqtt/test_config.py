"""A wrong MQTT configuration is refused before anything connects."""

from typing import Any

import pytest

from kgce.collectors.mqtt.source import MqttSource
from kgce.domain.quantities import Kind
from tests.collectors.mqtt.subscriptions import PLUG, SCALAR, broker, subscription


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"topic": "meters/+/energy"}, "wildcard"),
        ({"topic": "meters/#"}, "wildcard"),
        ({"fields": {"juice": {"path": "x"}}}, "unknown quantity 'juice'"),
        ({"fields": {"active_power_total": {"path": "x", "unit": "kWh"}}}, "measures energy"),
        ({"fields": {"active_power_total": {"path": "a..b", "unit": "W"}}}, "path 'a..b'"),
        ({"fields": {}}, "at least 1 item"),
        ({"metering": "water_volume"}, "not among the fields"),
        ({"metering": "active_power_total"}, "measures no carrier"),
        ({"time": {"path": "t", "format": "iso", "tz": "Mars/Base"}}, "unknown time zone"),
        ({"time": {"path": "t", "format": "unix_s", "tz": "Europe/Berlin"}}, "is UTC already"),
        ({"colour": "red"}, "Extra inputs"),
    ],
)
def test_a_wrong_subscription_is_refused(change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        subscription(PLUG, **change)


def test_a_client_without_a_stable_name_is_refused() -> None:
    """Hazard 42: under a random name nothing published meanwhile is ever delivered."""
    with pytest.raises(ValueError, match="client_id"):
        broker(PLUG, client_id="")


def test_secrets_come_from_the_environment_and_must_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KGCE_TEST_PASSWORD", raising=False)
    with pytest.raises(ValueError, match="KGCE_TEST_PASSWORD is not set"):
        broker(PLUG, username="gateway", password_env="KGCE_TEST_PASSWORD")
    monkeypatch.setenv("KGCE_TEST_PASSWORD", "from outside")
    config = broker(PLUG, username="gateway", password_env="KGCE_TEST_PASSWORD")
    assert config.password == "from outside"
    assert "from outside" not in repr(config)


def test_metering_points_are_known_before_any_connection() -> None:
    [point] = MqttSource(broker(PLUG, {**SCALAR, "counts": False})).points()
    assert point.series.key == ("office", "plug", "active_energy_import")
    assert (point.carrier, point.kind, point.counts) == ("electricity", Kind.COUNTER, True)
