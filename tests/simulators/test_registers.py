import csv
import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgce.domain.quantities import quantity_of
from kgce.domain.units import convert
from kgce.simulators.devices import lmv5, sdm630, terra_ac
from kgce.simulators.devices.encode import WordType, to_words
from kgce.simulators.devices.registers import Register, RegisterMap
from kgce.simulators.modbus_frames import Refusal
from tests.simulators.world import WINTER_MS, frozen_site

MAPS = {
    "Eastron SDM630": sdm630.REGISTERS,
    "Siemens LMV5 + AZL52 burner management": lmv5.REGISTERS,
    "ABB Terra AC": terra_ac.REGISTERS,
}


def bare_name(name):
    return name.split("(")[0].replace("actual_temperature_or_pressure", "actual_temperature")


def stated_per_canonical(row, name):
    """Raw register per canonical unit, from the row's scale and unit."""
    canonical, unit, scale = quantity_of(name).unit, row["unit"], float(row["scale"])
    if unit == "0.1 % (confirm)":
        unit, scale = "%", 0.1
    if unit.startswith("see reg"):
        unit = canonical
    return convert(1.0, canonical, unit) / scale if canonical else 1.0 / scale


@pytest.mark.parametrize("device", sorted(MAPS))
def test_every_published_register_is_where_the_facts_say(shared_facts, device):
    """Function, address, type and scale of each row of registers.csv."""
    with (shared_facts / "registers.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["device"] == device]
    ours = {register.name: register for register in MAPS[device].registers}
    assert set(ours) == {bare_name(row["name"]) for row in rows}

    for row in rows:
        register = ours[bare_name(row["name"])]
        assert MAPS[device].function == int(row["fc"])
        assert register.address == int(row["address"])
        assert register.word_type.name.lower() == row["type"]
        if register.name != "charging_state":  # its scale is a byte position, proven below
            assert register.per_canonical == pytest.approx(stated_per_canonical(row, register.name)), row


@pytest.mark.parametrize(("vector", "device"), [("img-sdm630", "Eastron SDM630"), ("img-terra-ac", "ABB Terra AC")])
def test_published_readings_encode_to_the_published_registers(shared_facts, vector, device):
    """Device images of protocol_vectors.json, in the direction device -> wire."""
    vectors = json.loads((shared_facts / "protocol_vectors.json").read_text(encoding="utf-8"))["vectors"]
    image = next(entry for entry in vectors if entry["id"] == vector)
    values = {
        reading["name"]: convert(reading["value"], reading["unit"], quantity_of(reading["name"]).unit)
        for reading in image["expect"]["readings"]
    }

    for reading in image["expect"]["readings"]:
        words = MAPS[device].read(reading["address"], 2, values)
        published = [int(image["registers"][str(reading["address"] + part)], 16) for part in range(2)]
        assert words == published, reading["name"]


def test_the_charging_state_is_the_third_byte():
    """ABB Terra AC: byte 2 (counted from 0) & 0x7F."""
    high, low = terra_ac.REGISTERS.read(0x400C, 2, {"charging_state": 4.0})

    assert struct.pack(">HH", high, low) == bytes((0, 0, 4, 0))


@pytest.mark.parametrize(
    ("value", "word_type", "words"),
    [  # IEEE 754 and two's complement, worked by hand
        pytest.param(1.0, WordType.FLOAT32, (0x3F80, 0x0000), id="one as float"),
        pytest.param(-2.0, WordType.FLOAT32, (0xC000, 0x0000), id="minus two as float"),
        pytest.param(65536.0, WordType.UINT32, (1, 0), id="high word first"),
        pytest.param(-1, WordType.INT32, (0xFFFF, 0xFFFF), id="minus one"),
        pytest.param(-1, WordType.INT16, (0xFFFF,), id="short minus one"),
        pytest.param(2**48 + 5, WordType.UINT64, (1, 0, 0, 5), id="four words"),
        pytest.param(41.6, WordType.UINT16, (42,), id="whole numbers round"),
    ],
)
def test_values_encode_most_significant_word_first(value, word_type, words):
    assert to_words(value, word_type) == words


@given(st.floats(width=32, allow_nan=False))
def test_a_float_survives_its_two_registers(value):
    high, low = to_words(value, WordType.FLOAT32)

    assert struct.unpack(">f", struct.pack(">HH", high, low))[0] == value


@pytest.mark.parametrize(
    ("value", "word_type"),
    [
        (70_000, WordType.UINT16),
        (-1, WordType.UINT32),
        (1e39, WordType.FLOAT32),
        (float("inf"), WordType.INT32),
    ],
)
def test_a_value_that_does_not_fit_is_refused(value, word_type):
    with pytest.raises(ValueError, match=r"does not fit|not a whole number"):
        to_words(value, word_type)


class TestRegisterMap:
    small = RegisterMap(
        function=3,
        registers=[Register("a", 10, WordType.UINT16), Register("b", 13, WordType.INT32, 2.0)],
        reserved=[range(11, 13)],
    )

    def test_a_range_spans_values_and_reserved_registers(self):
        assert self.small.read(10, 5, {"a": 7, "b": 3}) == [7, 0, 0, 0, 6]

    def test_half_a_value_can_be_read(self):
        assert self.small.read(14, 1, {"a": 7, "b": 3}) == [6]

    @pytest.mark.parametrize(("address", "count"), [(9, 1), (9, 2), (14, 2), (15, 1), (0xFFFF, 1)])
    def test_an_address_outside_the_map_is_refused(self, address, count):
        with pytest.raises(Refusal) as caught:
            self.small.read(address, count, {"a": 7, "b": 3})
        assert caught.value.code == 2  # Modbus: illegal data address

    def test_two_values_on_one_register_are_a_mistake(self):
        with pytest.raises(ValueError, match="two owners"):
            RegisterMap(function=3, registers=[Register("a", 1, WordType.UINT32), Register("b", 2, WordType.UINT16)])


def test_every_quantity_of_every_simulated_device_is_a_known_word():
    site = frozen_site()
    for building in site.config.buildings:
        for device in building.devices:
            for name in site.device(building.institution, device.id).values(WINTER_MS):
                assert quantity_of(name)
