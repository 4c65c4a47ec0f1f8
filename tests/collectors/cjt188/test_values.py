"""Values of a metering answer: units from the answer, nothing guessed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgce.collectors.cjt188.layouts import kind_of, meter_types
from kgce.collectors.cjt188.values import Reading, decode
from kgce.domain.errors import InputError
from kgce.domain.quantities import quantity_of
from kgce.simulators.cjt188.codec import digits, frame
from kgce.simulators.cjt188.meter import COOLING, HEAT, WATER, Cjt188Meter, Habits
from tests.collectors.cjt188.meters import ADDRESS, HEAT_TRUTH, NOW_S, Planted


def water(current: bytes, unit: int) -> Reading:
    return decode(WATER, current + bytes([unit]) + bytes(4) + b"\x2c" + bytes(9))


def canonical(reading: Reading) -> dict[str, float | None]:
    return {reading.quantity(value): reading.canonical(value) for value in reading.values}


@given(st.integers(0, 99_999_999))
def test_a_count_is_read_back_from_an_independent_encoder(hundredths: int) -> None:
    assert canonical(water(digits(hundredths / 100, 4, 2), 0x2C))["water_volume"] == hundredths / 100


@pytest.mark.hazard(30, 31)
@pytest.mark.parametrize("raw", ["ffffffff", "0000000a", "00ff0000"])
def test_what_is_no_digit_is_not_available_and_never_zero(raw: str) -> None:
    assert canonical(water(bytes.fromhex(raw), 0x2C))["water_volume"] is None


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        pytest.param(0x2C, 12.34, id="cubic metres"),
        pytest.param(0x29, 0.01234, id="litres"),
        pytest.param(0x05, None, id="kWh: not what a water meter counts"),
        pytest.param(0x77, None, id="a unit nobody explained"),
        pytest.param(0xFF, None, id="no unit"),
    ],
)
def test_the_unit_byte_decides_and_is_never_guessed(unit: int, expected: float | None) -> None:
    found = canonical(water(bytes.fromhex("34120000"), unit))["water_volume"]
    assert found == pytest.approx(expected)


def test_litres_are_unverified() -> None:
    assert water(bytes(4), 0x2C).current.is_verified
    assert not water(bytes(4), 0x29).current.is_verified


@pytest.mark.parametrize("leads", [False, True], ids=["unit behind", "unit before"])
@pytest.mark.parametrize(("meter_type", "name"), [(HEAT, "heat_energy"), (COOLING, "cooling_energy")])
def test_a_heat_meter_is_read_whichever_end_its_units_stand_at(meter_type: int, name: str, leads: bool) -> None:
    truth = {name: 4321.09} | HEAT_TRUTH
    meter = Cjt188Meter(ADDRESS, Planted(truth), meter_type=meter_type, habits=Habits(unit_leads=leads))
    answer = meter.answer(frame(meter_type, ADDRESS, 0x01, b"\x90\x1f\x00"), lambda: NOW_S)
    assert answer is not None
    got = canonical(decode(meter_type, answer[14:-2]))
    assert got == pytest.approx(truth | {f"{name}_settlement": 0.0})


def test_a_heat_answer_whose_units_fit_nowhere_has_no_energy() -> None:
    reading = decode(HEAT, bytes(43))
    got = canonical(reading)
    assert {name for name, value in got.items() if value is None} == {
        "heat_energy", "heat_energy_settlement", "heat_power", "water_flow", "water_volume",
    }  # fmt: skip


@pytest.mark.hazard(8)
@pytest.mark.parametrize(("meter_type", "size"), [(WATER, 18), (WATER, 20), (WATER, 43), (HEAT, 19), (0x7F, 19)])
def test_an_answer_of_another_length_or_type_gives_no_reading(meter_type: int, size: int) -> None:
    with pytest.raises(InputError):
        decode(meter_type, bytes(size))


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("31012211051520", "2015-05-11T22:01:31"),  # cjt-rsp-556677
        ("59541619081720", "2017-08-19T16:54:59"),  # cjt-garbage-tail
        ("00000000000000", None),
        ("ffffffffffffff", None),
        ("60000001011520", None),
    ],
)
def test_the_meters_clock_is_a_time_or_nothing(raw: str, expected: str | None) -> None:
    reading = decode(WATER, bytes(4) + b"\x2c" + bytes(4) + b"\x2c" + bytes.fromhex(raw) + b"\x13\x01")
    assert (reading.clock.isoformat() if reading.clock else None) == expected
    assert reading.status == b"\x13\x01"


def test_every_layout_is_as_long_as_its_fields() -> None:
    for code in meter_types():
        kind = kind_of(code)
        assert kind is not None
        assert sum(field.whole_size for field in kind.layout.fields) == kind.layout.size
        assert quantity_of(kind.current).name == kind.current
