"""A wrong configuration is refused before anything connects."""

from typing import Any

import pytest

from kgce.collectors.sparkplug.source import SparkplugSource
from kgce.domain.quantities import Kind
from tests.collectors.sparkplug.world import METER, config, device


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"group": "a/b"}, "match pattern"),
        ({"node": "+"}, "match pattern"),
        ({"metrics": {}}, "at least 1 item"),
        ({"metrics": {"X": {"quantity": "juice"}}}, "unknown quantity 'juice'"),
        ({"metrics": {"X": {"quantity": "active_power", "unit": "kWh"}}}, "measures energy"),
        ({"metrics": {n: {"quantity": "active_power"} for n in "XY"}, "metering": None}, "two metrics give"),
        ({"metering": "water_volume"}, "not among the quantities"),
        ({"metering": "active_power"}, "measures no carrier"),
        ({"colour": "red"}, "Extra inputs"),
    ],
)
def test_a_wrong_device_is_refused(change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        device(**change)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"client_id": ""}, "client_id"),
        ({"host_id": "a/b"}, "match pattern"),
        ({"version": "4"}, "3.1.1"),
        ({"ca_file": "x"}, "need tls"),
        ({"tls": True, "cert_file": "x"}, "belong together"),
        ({"tls": True, "ca_file": "/nowhere/ca.pem"}, "no file /nowhere/ca.pem"),
        ({"password_env": "X"}, "needs a username"),
        ({"username": "u", "password_env": "KGCE_NOT_SET"}, "KGCE_NOT_SET is not set"),
    ],
)
def test_a_wrong_broker_is_refused(change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        config(**change)


def test_one_device_is_configured_once() -> None:
    with pytest.raises(ValueError, match="configured 2 times"):
        config(METER, {**METER, "device": "other"})


def test_metering_points_are_known_before_any_connection() -> None:
    [point] = SparkplugSource(config()).points()
    assert point.series.key == ("office", "meter", "active_energy_import")
    assert (point.carrier, point.kind, point.counts) == ("electricity", Kind.COUNTER, True)
    assert not SparkplugSource(config()).status()[0].online
