"""What a gateway's file may say about a Modbus line, and what it may not."""

import pytest
from pydantic import ValidationError

from kgce.collectors.modbus.config import ModbusLinkConfig

DEVICE = {"institution": "office", "device": "m1", "profile": "eastron-sdm630"}


def config(**line) -> ModbusLinkConfig:
    device = DEVICE | line.pop("device", {})
    return ModbusLinkConfig.model_validate({"devices": [device]} | line)


def test_a_host_speaks_modbus_tcp_at_port_502_and_a_serial_port_rtu() -> None:
    network, serial = config(host="10.0.0.5"), config(serial="/dev/ttyUSB0")
    assert (network.mode, network.port, network.address) == ("tcp", 502, "10.0.0.5:502")
    assert (serial.mode, serial.port, serial.address) == ("rtu", None, "/dev/ttyUSB0")
    assert (network.pause_s, serial.pause_s) == (0.0, 0.02)
    assert config(serial="/dev/ttyUSB0", pause_ms=3).pause_s == 0.003


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        pytest.param({}, "say where the line is", id="nowhere"),
        pytest.param({"host": "a", "serial": "/dev/x"}, "say where the line is", id="twice"),
        pytest.param({"host": "a", "port": 1, "mode": "rtu"}, "rtu-over-tcp", id="RTU on a network"),
        pytest.param({"host": "a", "mode": "rtu-over-tcp"}, "host needs a port", id="converter without port"),
        pytest.param({"serial": "/dev/x", "mode": "tcp"}, "does not go over a serial port", id="TCP on serial"),
        pytest.param({"serial": "/dev/x", "connections": 2}, "is one connection", id="two on serial"),
        pytest.param({"serial": "/dev/x", "echo_transaction": False}, "belong to mode tcp", id="no transactions there"),
        pytest.param({"serial": "/dev/x", "device": {"unit": 0}}, "unit 0 is the broadcast", id="broadcast"),
        pytest.param({"host": "a", "device": {"ratios": {"pt": 2}}}, "pt", id="ratio the profile does not know"),
        pytest.param({"host": "a", "device": {"profile": "none-such"}}, "m1: ", id="no such profile"),
        pytest.param({"host": "a", "timeout_s": 10}, "is not below interval_s", id="timeout"),
    ],
)
def test_a_line_that_cannot_work_is_refused_with_its_reason(line: dict, reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        config(**line)


@pytest.mark.hazard(4)
def test_unit_0_is_allowed_where_it_means_the_device_itself() -> None:
    assert config(host="a", device={"unit": 0}).devices[0].unit == 0


def test_a_profile_that_asks_for_patience_gets_it(tmp_path) -> None:
    from tests.collectors.modbus.meter import PROFILE

    path = tmp_path / "slow.toml"
    path.write_text(PROFILE.replace("[device]", "[device]\nmin_interval_s = 30"))
    with pytest.raises(ValidationError, match="below the 30"):
        config(host="a", device={"profile": str(path), "interval_s": 10})
    assert config(host="a", device={"profile": str(path), "interval_s": 30}).devices[0].interval_s == 30
