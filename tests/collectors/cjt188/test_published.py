"""Published frames give their published meaning."""

from pathlib import Path

import pytest

from kgce.collectors.cjt188.exchange import Answer, finder
from kgce.collectors.cjt188.explain import explain, explain_address, explain_stream
from kgce.collectors.cjt188.frame import encode, parse
from kgce.collectors.cjt188.values import decode
from tests.collectors.dlt645.published import said, vectors

# A heat meter whose maker puts the unit byte before its value, published with its explanation:
# 365seal.com/y/zNpN2r68po.html and cnblogs.com/llguanli/p/8683992.html; its checksum 31 is right as printed.
PUBLISHED_HEAT = bytes.fromhex(
    "fefefefe 68 20 32413140000000 81 2e 901f01"
    "0802000000 0802000000 1700000000 3500000000 2c34100000 352500 662500 000000 53001210071520 0000 31 16".replace(" ", "")
)  # fmt: skip


def test_the_published_frames_are_there(shared_facts: Path) -> None:
    assert len(vectors(prefix="cjt188")) == 11


@pytest.mark.parametrize("vector", vectors(prefix="cjt188"))
def test_a_published_frame_means_what_its_publisher_says(vector: dict) -> None:
    said(vector["expect"], explain(bytes.fromhex(vector["hex"])))
    (frame,) = explain_stream(bytes.fromhex(vector["hex"]))["frames"]
    said(vector["expect"], frame)


@pytest.mark.parametrize("vector", vectors(prefix="cjt188"))
def test_a_published_frame_is_encoded_byte_for_byte(vector: dict) -> None:
    (frame,) = parse(bytes.fromhex(vector["hex"]))
    assert encode(frame).hex() in vector["hex"]


@pytest.mark.parametrize("vector", vectors("response", prefix="cjt188"))
def test_a_published_answer_is_found_by_the_question_it_answers(vector: dict) -> None:
    expected = vector["expect"]
    answer = finder(int(expected["meter_type"], 16), expected["address"])(bytes.fromhex(vector["hex"]))
    assert isinstance(answer, Answer)
    reading = decode(answer.meter_type, answer.payload)
    assert reading.canonical(reading.current) == expected["value"]


def test_the_published_heat_meter_puts_its_units_first() -> None:
    reading = explain(PUBLISHED_HEAT)
    assert (reading["value"], reading["unit"], reading["quantity"]) == (0.02, "MWh", "heat_energy")
    assert reading["water_volume"] == {"value": 10.34, "unit": "m3"}
    assert reading["supply_temperature"] == {"value": 25.35, "unit": "degC"}
    assert reading["return_temperature"] == {"value": 25.66, "unit": "degC"}
    assert reading["meter_time"] == "2015-07-10T12:00:53"
    assert reading["unverified"] == ["heat_power", "water_flow", "operating_hours"]


def test_an_address_goes_over_the_line_low_byte_first() -> None:
    """The address of cjt-req-901F-a."""
    assert explain_address("78330011223344") == {"wire_hex": "44332211003378"}


def test_what_is_no_frame_is_to_be_discarded() -> None:
    broken = bytearray(PUBLISHED_HEAT)
    broken[20] ^= 1
    assert explain(bytes(broken)) == {"valid": False, "action": "discard, wait for timeout, retry"}
