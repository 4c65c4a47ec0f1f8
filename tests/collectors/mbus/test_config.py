"""What a gateway's file may say about an M-Bus line, and what it may not."""

from typing import Any

import pytest
from pydantic import ValidationError

from kgce.collectors.mbus.config import MbusLinkConfig
from kgce.collectors.mbus.source import MbusSource
from kgce.collectors.mbus.timing import Timing

METER = {"institution": "school", "device": "h1", "address": 1, "medium": "heat"}


def link(*devices: dict[str, Any], **line: Any) -> MbusLinkConfig:
    return MbusLinkConfig.model_validate({"host": "127.0.0.1", "port": 10001, "devices": list(devices)} | line)


def test_the_bus_speaks_2400_8e1_unless_the_file_says_otherwise() -> None:
    """EN 13757-2: every meter speaks 300 or 2400 baud, even parity."""
    config = link(METER)
    assert (config.baudrate, config.bytesize, config.parity, config.stopbits) == (2400, 8, "E", 1)


def test_a_slow_bus_is_given_the_time_its_bits_take() -> None:
    """At 2400 baud: 330 bits and 50 ms to begin, 261 bytes of 11 bits to finish."""
    assert Timing.at(2400).answer_s > 330 / 2400 + 0.05 + 261 * 11 / 2400
    assert Timing.at(300).answer_s > 8 * Timing.at(9600).answer_s


@pytest.mark.parametrize(
    ("devices", "line", "reason"),
    [
        pytest.param([METER | {"secondary": "12345678"}], {}, "not both", id="two addresses for one meter"),
        pytest.param([{k: v for k, v in METER.items() if k != "address"}], {}, "which meter", id="no address"),
        pytest.param([METER | {"address": 251}], {}, "250", id="no such bus address"),
        pytest.param([METER | {"secondary": "1234", "address": None}], {}, "8 digits", id="short number"),
        pytest.param([METER, METER | {"device": "h2"}], {}, "two meters", id="one address twice"),
        pytest.param([METER | {"interval_s": 1}], {}, "may take", id="polled faster than it answers"),
        pytest.param([METER | {"timezone": "Europe/Nowhere"}], {}, "time zone", id="unknown zone"),
        pytest.param([METER | {"medium": "steam"}], {}, "medium", id="unknown medium"),
        pytest.param(
            [METER | {"records": [{"name": "nonsense", "quantity": "energy"}]}],
            {},
            "unknown quantity",
            id="unknown point",
        ),
        pytest.param([METER], {"serial": "/dev/ttyUSB0"}, "not both", id="two lines"),
    ],
)
def test_a_mistake_is_named_before_anything_is_opened(
    devices: list[dict[str, Any]], line: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ValidationError, match=reason):
        link(*devices, **line)


def test_a_meter_feeds_the_counter_of_its_medium() -> None:
    kinds = {
        "heat": "heat_energy",
        "cooling": "cooling_energy",
        "water": "water_volume",
        "gas": "gas_volume",
        "electricity": "active_energy_import",
    }
    devices = [
        METER | {"device": medium, "address": place, "medium": medium} for place, medium in enumerate([*kinds, "other"])
    ]
    points = MbusSource(link(*devices)).points()
    assert {point.id: point.series.quantity for point in points} == kinds
