"""The simulated meter writes what real ones were seen to write, byte for byte."""

import pytest

from kgce.simulators.devices.device import time_ms_of
from kgce.simulators.dlt645.codec import bcd, cut, frame, unmask
from kgce.simulators.dlt645.meter import Dlt645Meter
from kgce.simulators.dlt645.server import Dlt645Bus
from tests.collectors.dlt645.published import vectors

PREAMBLE = b"\xfe"
QUANTITIES = {
    "00010000": "active_energy_import",
    "9010": "active_energy_import",
    "02010100": "voltage_l1_n",
    "02010300": "voltage_l3_n",
}
BLOCKS = {"0201FF00": "voltage_l{}_n", "0202FF00": "current_l{}"}


class Planted:
    """A device with fixed values."""

    def __init__(self, values: dict[str, float]) -> None:
        self._values = values

    def values(self, time_ms: int) -> dict[str, float]:
        return self._values


def planted(expected: dict) -> dict[str, float]:
    if "values" in expected:
        name = BLOCKS[expected["di"]]
        return {name.format(row): value for row, value in enumerate(expected["values"], 1)}
    return {QUANTITIES[expected["di"]]: expected["value"]}


ANSWERS = [
    one
    for one in vectors("response")
    if one.values[0]["expect"].get("value") is not None or "values" in one.values[0]["expect"]
]


@pytest.mark.parametrize("vector", ANSWERS)
def test_a_published_answer_is_written_byte_for_byte(vector: dict) -> None:
    expected = vector["expect"]
    edition = vector["protocol"].removeprefix("dlt645-")
    meter = Dlt645Meter(expected["address"], Planted(planted(expected)), edition=edition)
    di = bytes.fromhex(expected["di"])[::-1]
    asked = frame(expected["address"], 0x11 if edition == "2007" else 0x01, di)
    if "request_hex" in vector:
        assert asked.hex() == vector["request_hex"]
    answer = meter.answer(asked, lambda: 0.0)
    assert answer is not None
    assert answer.hex() == vector["hex"].lstrip("fe")


def test_the_published_address_answer_is_written_byte_for_byte() -> None:
    (vector,) = [one.values[0] for one in vectors("response") if one.id == "dlt-readaddr-rsp"]
    (asked,) = [one.values[0] for one in vectors("request") if one.id == "dlt-readaddr-req"]
    meter = Dlt645Meter(vector["expect"]["read_address"], Planted({}))
    answer = meter.answer(bytes.fromhex(asked["hex"]), lambda: 0.0)
    assert answer is not None
    assert answer.hex() == vector["hex"]


async def test_a_bus_cuts_requests_out_of_noise_and_asks_whom_they_fit() -> None:
    bus = Dlt645Bus(
        {name: Dlt645Meter(name, Planted({"frequency": 50.0})) for name in ("000000000001", "000000000102")},
        lambda: 0.0,
    )
    asked = frame("aaaaaaaaaa02", 0x11, bytes.fromhex("02800002")[::-1])
    heard = bytearray(b"\xfe\x68\x00" + asked[:5])
    assert bus.next_request(heard) is None
    heard += asked[5:] + asked
    for _ in range(2):
        request = bus.next_request(heard)
        assert request == asked
        (answer,) = await bus.answers(request)
        assert unmask(answer)[2][4:] == b"\x00\x50"
    assert bus.next_request(heard) is None


def test_a_full_register_begins_again_at_zero() -> None:
    assert bcd(999_999.99, 4, 2).hex() == "99999999"
    assert bcd(1_000_000.01, 4, 2).hex() == "01000000"


def test_a_negative_value_needs_a_sign() -> None:
    assert bcd(-1.5, 3, 4, signed=True).hex() == "005081"
    with pytest.raises(ValueError, match="without sign"):
        bcd(-1.5, 4, 2)


def test_a_broken_request_is_skipped() -> None:
    asked = frame("000000000001", 0x11, bytes(4))
    heard = bytearray(asked[:-2] + b"\x00\x16" + asked)
    assert cut(heard) == asked
    assert cut(heard) is None


def test_the_clock_is_asked_for_every_answer() -> None:
    class Counting:
        def values(self, time_ms: int) -> dict[str, float]:
            return {"active_energy_import": time_ms / 1000}

    meter = Dlt645Meter("000000000001", Counting())
    asked = frame("000000000001", 0x11, bytes.fromhex("00010000")[::-1])
    assert time_ms_of(lambda: 12.5) == 12_500
    assert unmask(meter.answer(asked, lambda: 12.5))[2][4:] == bcd(12.5, 4, 2)
