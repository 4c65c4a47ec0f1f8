"""Configuration mistakes are told before any port opens."""

import tomllib

import pytest
from pydantic import ValidationError

from kgce.collectors.dlt645.config import Dlt645LinkConfig
from kgce.collectors.dlt645.identifiers import Edition

EXAMPLE = """
serial = "/dev/ttyUSB0"
[[devices]]
institution = "office"
device = "main"
address = "123456789"
[[devices]]
institution = "office"
device = "lift"
address = "AAAAAAAAAA12"
edition = "1997"
points = ["active_energy_import"]
"""


def link(**changes: object) -> Dlt645LinkConfig:
    return Dlt645LinkConfig.model_validate(tomllib.loads(EXAMPLE) | changes)


def device(**changes: object) -> list[dict]:
    return [{"institution": "office", "device": "main", "address": "1"} | changes]


def test_a_line_is_2400_8e1_unless_configured_otherwise() -> None:
    config = link()
    assert (config.baudrate, config.bytesize, config.parity, config.stopbits) == (2400, 8, "E", 1)
    assert [one.address for one in config.devices] == ["000123456789", "aaaaaaaaaa12"]
    assert config.devices[0].known_edition is None
    assert config.devices[0].wanted(Edition.Y1997) == (
        "active_energy_import", "voltage_l1_n", "voltage_l2_n", "voltage_l3_n",
    )  # fmt: skip
    assert config.devices[1].metered == ("active_energy_import",)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"devices": device(address="12345678901234")}, "no meter address", id="address too long"),
        pytest.param({"devices": device(address="999999999999")}, "broadcast", id="broadcast address"),
        pytest.param({"devices": device(points=["colour"])}, "no point 'colour'", id="unknown point"),
        pytest.param(
            {"devices": device(points=["frequency"], edition="1997")}, "edition 1997 have no point", id="other edition"
        ),
        pytest.param({"devices": device() + device(device="other")}, "have the address 000000000001", id="twice"),
        pytest.param({"devices": device(interval_s=1.0)}, "not below interval_s", id="timeout too long"),
        pytest.param({"devices": []}, "at least 1", id="no meter"),
        pytest.param({"host": "127.0.0.1", "port": 4001}, "not both", id="two lines"),
        pytest.param({"colour": "red"}, "not permitted", id="unknown key"),
    ],
)
def test_a_mistake_is_told(changes: dict, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        link(**changes)
