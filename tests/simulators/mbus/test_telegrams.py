"""The simulated meters' telegrams: read by another library, and equal to frames others published."""

import datetime as dt
import decimal
import json
import math
from pathlib import Path

import meterbus
import pytest

from kgce.simulators.mbus.encode import Coding, Field, clock_record, header, record, telegram
from kgce.simulators.mbus.meter import SimulatedMeter
from kgce.simulators.mbus.models import ELECTRICITY, GAS, HEAT, WATER, MeterModel

NOON = dt.datetime(2026, 1, 15, 4, 0, tzinfo=dt.UTC).timestamp()  # 12:00 in Shanghai


class Fixed:
    """A device that always shows the same."""

    def __init__(self, **values: float) -> None:
        self._values = values

    def values(self, time_ms: int) -> dict[str, float]:
        return self._values


def meter(model: MeterModel, **values: float) -> SimulatedMeter:
    return SimulatedMeter(5, "12345678", model, Fixed(**values), lambda: NOON)


def read_by_peer(data: bytes) -> dict[str, float]:
    """VIF name to value of the first record of it, by pymeterbus, in Wh, m3, W, m3/h, °C."""
    found: dict[str, float] = {}
    for one in meterbus.load(data).records:
        name = str(one.interpreted["type"]).removeprefix("VIFUnit.")
        if isinstance(one.interpreted["value"], int | float | decimal.Decimal):
            found.setdefault(name, float(one.interpreted["value"]))
    return found


def test_another_library_reads_the_heat_meter() -> None:
    answer = meter(
        HEAT,
        heat_energy=37351,
        water_volume=561.08,
        supply_temperature=101.69,
        return_temperature=46.16,
        heat_power=34.7,
        water_flow=0.543,
    ).answer(b"\x10\x7b\x05\x80\x16")
    assert answer is not None
    got = read_by_peer(answer)
    assert got["ENERGY_WH"] == 37_351_000
    assert got["VOLUME"] == pytest.approx(561.08)
    assert got["FLOW_TEMPERATURE"] == pytest.approx(101.69)
    assert got["RETURN_TEMPERATURE"] == pytest.approx(46.16)
    assert got["POWER_W"] == pytest.approx(34_700)
    assert got["VOLUME_FLOW"] == pytest.approx(0.543)


@pytest.mark.parametrize(
    ("model", "values", "expected"),
    [
        (WATER, {"water_volume": 2850.427, "water_flow": 0.127}, {"VOLUME": 2850.427, "VOLUME_FLOW": 0.127}),
        (GAS, {"gas_volume": 28504.27, "gas_flow": 1.5}, {"VOLUME": 28504.27, "VOLUME_FLOW": 1.5}),
        (ELECTRICITY, {"active_energy_import": 409.3}, {"ENERGY_WH": 409_300}),
    ],
)
def test_another_library_reads_the_other_meters(
    model: MeterModel, values: dict[str, float], expected: dict[str, float]
) -> None:
    answer = meter(model, **values).answer(b"\x10\x7b\x05\x80\x16")
    assert answer is not None
    got = read_by_peer(answer)
    assert {name: got[name] for name in expected} == pytest.approx(expected)


def test_the_encoder_makes_the_published_frames_of_a_water_and_a_gas_meter(
    shared_facts: Path, shared_data: Path
) -> None:
    """Byte for byte: the first of OMS's example frames (gas), and the frame of a GWF water meter."""
    vectors = json.loads((shared_facts / "protocol_vectors.json").read_text(encoding="utf-8"))["vectors"]
    published = next(bytes.fromhex(one["hex"]) for one in vectors if one["id"] == "mbus-oms_frame1")
    records = [
        record(Field("gas_volume", Coding.BCD8, b"\x14", 0.01), 28504.27),
        clock_record(dt.datetime(2008, 5, 31, 23, 50, tzinfo=dt.UTC)),
        record(Field("error", Coding.INT16, b"\xfd\x17", 1), 0),
    ]
    ours = telegram(0xFD, header("12345678", "ELS", 51, 3, access=0x2A) + b"".join(records))
    assert ours == published

    water = bytes.fromhex((shared_data / "captures" / "mbus" / "GWF-MTKcoder.hex").read_text())
    number = record(Field("number", Coding.BCD8, b"\x78", 1), 182007)
    volume = record(Field("water_volume", Coding.BCD8, b"\x16", 1), 269)
    assert telegram(1, header("00182007", "GWF", 53, 7, access=0x4C) + number + volume) == water


def test_a_value_that_is_not_there_is_sent_as_invalid_and_one_that_does_not_fit_is_refused() -> None:
    """EN 13757-3 annex A: the most negative integer; digits above 9 in BCD."""
    assert record(Field("x", Coding.INT16, b"\x59", 0.01), math.nan) == bytes.fromhex("02590080")
    assert record(Field("x", Coding.BCD4, b"\x59", 0.01), math.nan) == bytes.fromhex("0a59eeee")
    assert record(Field("x", Coding.BCD4, b"\x59", 0.01), -1.5) == bytes.fromhex("0a5950f1")
    for field in (Field("x", Coding.INT16, b"\x59", 0.01), Field("x", Coding.BCD4, b"\x59", 0.01)):
        with pytest.raises(ValueError, match="does not fit"):
            record(field, 400_000)


def test_the_frame_count_bit_turns_pages_and_its_repetition_repeats_the_telegram() -> None:
    """EN 13757-2: an unchanged FCB asks for the lost telegram again, access number and all."""
    one = meter(ELECTRICITY, active_energy_import=1.0, active_power_total=2.0)
    first = one.answer(b"\x10\x7b\x05\x80\x16")
    assert one.answer(b"\x10\x7b\x05\x80\x16") == first
    second = one.answer(b"\x10\x5b\x05\x60\x16")
    assert first is not None
    assert second is not None
    assert first != second
    assert first[-3] == 0x1F
    assert second[-3] != 0x1F
    assert one.answer(b"\x10\x40\x05\x45\x16") == b"\xe5"
    again = one.answer(b"\x10\x7b\x05\x80\x16")
    assert again is not None
    assert again[19:] == first[19:-2] + again[-2:]


def test_a_meter_is_selected_by_its_number_with_wildcards_and_deselected_by_another_one() -> None:
    one = meter(WATER, water_volume=1.0)

    def select(number: str, rest: str = "ffffffff") -> bytes:
        body = bytes.fromhex("53fd52") + bytes.fromhex(number)[::-1] + bytes.fromhex(rest)
        return bytes([0x68, len(body), len(body), 0x68]) + body + bytes([sum(body) % 256, 0x16])

    request = b"\x10\x7b\xfd\x78\x16"
    assert one.answer(request) is None
    assert one.answer(select("1234ffff")) == b"\xe5"
    assert one.answer(request) is not None
    assert one.answer(select("87654321")) is None
    assert one.answer(request) is None
    assert one.answer(select("12345678", "24232907")) == b"\xe5"  # HYD is 2324 hex
    assert one.answer(select("12345678", "24232904")) is None
