"""The simulated meter writes what real ones were seen to write, byte for byte."""

from datetime import UTC, datetime, timedelta

import pytest

from kgce.simulators.cjt188.codec import clock_bytes, cut, digits, frame
from kgce.simulators.cjt188.meter import HEAT, Cjt188Meter, Habits
from kgce.simulators.cjt188.server import Cjt188Bus
from tests.collectors.cjt188.meters import ADDRESS, Planted
from tests.collectors.cjt188.test_published import PUBLISHED_HEAT
from tests.collectors.dlt645.published import vectors


@pytest.mark.parametrize("vector", vectors("request", prefix="cjt188"))
def test_a_published_request_is_written_byte_for_byte(vector: dict) -> None:
    expected = vector["expect"]
    data = bytes.fromhex(expected["di"] + expected["ser"])
    written = frame(int(expected["meter_type"], 16), expected["address"], 0x01, data)
    assert written.hex() == vector["hex"]


def test_the_published_answer_with_count_and_clock_is_written_byte_for_byte() -> None:
    """cjt-rsp-556677: settlement equal to the count, clock 2015-05-11 22:01:31, status 2184."""
    (vector,) = [one.values[0] for one in vectors("response", prefix="cjt188") if one.id == "cjt-rsp-556677"]
    local = datetime(2015, 5, 11, 22, 1, 31, tzinfo=UTC)
    count = {"water_volume": 556_677.0, "water_volume_settlement": 556_677.0}
    meter = Cjt188Meter("78330011223344", Planted(count), habits=Habits(status=b"\x21\x84"))
    asked = frame(0x10, meter.address, 0x01, b"\x1f\x90\x00")
    answer = meter.answer(asked, (local - timedelta(hours=8)).timestamp)
    assert answer is not None
    assert answer.hex() == vector["hex"]


def test_the_published_answer_without_settlement_and_clock_is_written_byte_for_byte() -> None:
    """cjt-ff-sentinel, asked as published: by the address AA...AA and with serial number AA."""
    (vector,) = [one.values[0] for one in vectors("response", prefix="cjt188") if one.id == "cjt-ff-sentinel"]
    meter = Cjt188Meter(
        ADDRESS, Planted({"water_volume": 5959.0}), habits=Habits(knows_settlement=False, knows_time=False)
    )
    bus = Cjt188Bus({ADDRESS: meter}, lambda: 0.0)
    request = bus.next_request(bytearray.fromhex(vector["request_hex"]))
    assert request is not None
    assert bus.meant(request) == [ADDRESS]
    assert meter.answer(request, lambda: 0.0) == bytes.fromhex(vector["hex"].lstrip("fe"))


def test_the_published_heat_answer_differs_in_its_megawatt_hours_only() -> None:
    """The simulated heat meter counts kWh; everything else is as published."""
    truth = {"heat_energy": 0.02, "heat_energy_settlement": 0.02, "water_volume": 10.34,
             "supply_temperature": 25.35, "return_temperature": 25.66}  # fmt: skip
    meter = Cjt188Meter("00000040314132", Planted(truth), meter_type=HEAT, habits=Habits(unit_leads=True))
    local = datetime(2015, 7, 10, 12, 0, 53, tzinfo=UTC)
    asked = frame(HEAT, meter.address, 0x01, b"\x90\x1f\x01")
    answer = meter.answer(asked, (local - timedelta(hours=8)).timestamp)
    assert answer is not None
    published = PUBLISHED_HEAT[4:]
    differing = [at for at, (ours, theirs) in enumerate(zip(answer, published, strict=True)) if ours != theirs]
    assert differing == [14, 19, len(published) - 2]  # two unit bytes, and so the sum


def test_a_count_shows_whole_digits_only_and_begins_again_at_zero() -> None:
    assert digits(1.239, 4, 2).hex() == "23010000"
    assert digits(999_999.99, 4, 2).hex() == "99999999"
    assert digits(1_000_000.01, 4, 2).hex() == "01000000"
    with pytest.raises(ValueError, match="without a sign"):
        digits(-1.0, 4, 2)


def test_the_clock_is_written_low_first() -> None:
    assert clock_bytes(datetime(2017, 8, 19, 16, 54, 59, tzinfo=UTC)).hex() == "59541619081720"


def test_a_broken_request_is_skipped() -> None:
    asked = frame(0x10, ADDRESS, 0x01, b"\x90\x1f\x00")
    heard = bytearray(b"\xfe\x68" + asked[:-2] + b"\x00\x16" + asked)
    found = []
    while (one := cut(heard)) is not None:
        found.append(one)
    assert found == [asked]


def test_another_types_question_is_not_answered() -> None:
    meter = Cjt188Meter(ADDRESS, Planted({"water_volume": 1.0}))
    assert meter.answer(frame(0x20, ADDRESS, 0x01, b"\x90\x1f\x00"), lambda: 0.0) is None
    assert meter.answer(frame(0x10, ADDRESS, 0x04, b"\x90\x1f\x00"), lambda: 0.0) is None
