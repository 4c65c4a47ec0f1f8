"""Register lists nobody has seen before become profiles that read the device right, and say what they assumed."""

import csv
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgce.collectors.decode_text import decode_with_profile
from kgce.collectors.profile_image import readings_of_image
from kgce.collectors.profile_import.devices import Imported, imported
from kgce.collectors.profile_import.table import import_profiles
from kgce.domain.errors import InputError
from kgce.domain.quantities import quantity_of

HEAD = "device,kind,name,fc,address,type,word_order,scale,unit,source,confidence"


def rows(*lines: str, device: str = "Foo EM9", kind: str = "electricity_meter") -> list[dict[str, str]]:
    text = [HEAD, *(f"{device},{kind},{line}" for line in lines)]
    return list(csv.DictReader(text))


def one(line: str, kind: str = "electricity_meter") -> Imported:
    return imported("Foo EM9", rows(line, kind=kind))


def point(line: str, kind: str = "electricity_meter"):
    [found] = one(line, kind).profile.point
    return found


def words(code: str, value: float, *, low_first: bool = False) -> list[int]:
    wire = struct.pack(f">{code}", value)
    found = [int.from_bytes(wire[at : at + 2], "big") for at in range(0, len(wire), 2)]
    return found[::-1] if low_first else found


def test_a_meter_nobody_has_seen_reads_right() -> None:
    """Notations as they stand in makers' lists; the image is built with struct."""
    found = imported("Foo EM9 (never seen)", rows(
        "Voltage L1-N,3,0x0000,FLOAT,CDAB,1,V,foo,high",
        "Total Active Power (sum),03,10,INT32,lsw first,0.1,W,foo,high",
        "Import kWh total,holding,20,U64,little(LSW first),0.001,kWh,foo,high",
        "cos phi,3,30,int16,n/a,1/1000,,foo,medium",
        "Grid frequency,4,31,uint16,,0.01,Hz,foo,high",
    ))  # fmt: skip
    assert found.refused == ()
    image = dict(enumerate(words("f", 230.1, low_first=True)))
    image |= dict(enumerate(words("i", -12345, low_first=True), 10)) | dict(
        enumerate(words("Q", 98_765_432, low_first=True), 20)
    )
    image |= {30: 0x10000 - 970, 31: 5002}
    read = {reading.name: (reading.value, reading.unit) for reading in decode_with_profile(found.profile, image)}
    assert read == {
        "voltage_l1_n": (pytest.approx(230.1, rel=1e-6), "V"),
        "active_power_total": (pytest.approx(-1.2345), "kW"),
        "active_energy_import": (pytest.approx(98_765.432), "kWh"),
        "power_factor": (pytest.approx(-0.97), ""),
        "frequency": (pytest.approx(50.02), "Hz"),
    }
    assert [metered.name for metered in found.profile.metering] == ["active_energy_import"]


def test_every_row_of_a_list_reads_in_the_lists_own_words_and_units(shared_facts: Path) -> None:
    """All 42 devices of registers.csv: each number row alone, encoded with struct as its columns say."""
    codes = {
        "int16": "h",
        "uint16": "H",
        "int32": "i",
        "uint32": "I",
        "int64": "q",
        "uint64": "Q",
        "float32": "f",
        "float64": "d",
    }
    with (shared_facts / "registers.csv").open(encoding="utf-8") as file:
        listed = list(csv.DictReader(file))
    profiles = {found.device: found for found in import_profiles(shared_facts / "registers.csv")}
    assert all(found.refused == () for found in profiles.values())
    checked = 0
    for row in listed:
        if row["type"] not in codes:
            continue
        raw = 1234.5 if row["type"].startswith("float") else 1234
        registers = words(codes[row["type"]], raw, low_first=row["word_order"].startswith("little"))
        image = dict(enumerate(registers, int(row["address"])))
        profile = profiles[row["device"]].profile
        found = [
            entry
            for entry in readings_of_image(profile, image)
            if entry.fc == int(row["fc"]) and entry.address == int(row["address"])
        ]
        assert [(entry.name, entry.unit) for entry in found] == [(row["name"].split("(")[0].strip(), row["unit"])]
        assert found[0].value == pytest.approx(raw * float(row["scale"]), rel=1e-9), row
        checked += 1
    assert checked == 643 - 13 - 2 - 7  # texts, BCD and single bytes have tests of their own


def test_an_imported_profile_is_one_file_that_says_where_it_comes_from(shared_facts: Path) -> None:
    found = {entry.name: entry for entry in import_profiles(shared_facts / "registers.csv")}
    profile = found["keba-kecontact-p30-p40"].profile
    assert profile.device.one_value_per_request
    assert profile.device.unit_ids == (255,)
    assert "evcc-io/evcc@b29b49e charger/keba-modbus.go" in profile.device.source
    assert found["plum-macbat-5"].profile.device.enron
    assert len(found) == 42


@pytest.mark.parametrize(
    ("line", "kind", "field", "unit"),
    [
        ("Forward temp,3,0,int16,n/a,0.01,C,x,high", "heat_meter", "supply_temperature", "degC"),
        ("dT,3,0,int16,n/a,0.01,K,x,high", "heat_meter", "temperature_difference", "ΔK"),
        ("Volume flow,3,0,uint32,big,1,l/h,x,high", "heat_meter", "water_flow", "L/h"),
        ("Volume,3,0,uint32,big,1,Nm3,x,high", "gas_meter", "gas_volume", "Nm3"),
        ("Total,3,0,uint32,big,1,configured unit,x,high", "water_meter", "water_volume", "m3"),
        ("energy_received,3,0,uint32,big,1,kWh,x,high", "electricity_meter", "active_energy_export", "kWh"),
        ("total energy,3,0,uint32,big,1,kWh,x,high", "ev_charger", "active_energy_import", "kWh"),
        ("thd_u_l1,3,0,uint16,n/a,0.1,%,x,high", "electricity_meter", "thd_voltage_l1", "%"),
        ("pf_total,3,0,uint16,n/a,0.1,%,x,high", "electricity_meter", "power_factor_total", "percent"),
        ("burner starts,3,0,uint32,n/a,1,,x,high", "boiler", "startups_burner", ""),
        ("alarm 1,3,0,uint16,n/a,1,,x,high", "boiler", "error_code_alarm_1", ""),
        ("wind speed,3,0,uint16,n/a,0.1,m/s,x,high", "weather_station", "flow_velocity_wind", "m/s"),
    ],
)
def test_a_name_finds_its_quantity_by_words_unit_and_kind_of_device(
    line: str, kind: str, field: str, unit: str
) -> None:
    found = point(line, kind)
    assert (found.name, found.unit) == (field, unit)


@pytest.mark.parametrize(
    ("line", "field", "assumed"),
    [
        ("frobnication,3,0,uint16,n/a,1,,x,high", "other_value_frobnication", "no known quantity, kept as other_value_frobnication"),
        ("frobnication,3,0,uint16,n/a,1,glorp,x,high", "other_value_frobnication", "unit 'glorp' is not known, the number is kept as it is"),
        ("voltage_l1,3,0,uint16,n/a,1,,x,high", "voltage_l1", "no unit stated, V assumed"),
        ("voltage_l1,3,0,uint32,zigzag,1,V,x,high", "voltage_l1", "order 'zigzag' is not known, high word first assumed"),
        ("voltage_l1,3,0,uint16,n/a,ten,V,x,high", "voltage_l1", "scale 'ten' is no factor, 1 assumed"),
        ("voltage_l1,3,0,uint16,n/a,1,V,x,perhaps", "voltage_l1", "no confidence stated, low assumed"),
        ("电压,3,7,uint16,n/a,0.1,,x,high", "other_value_holding_7", "no known quantity, kept as other_value_holding_7"),
    ],
)  # fmt: skip
def test_what_is_not_clear_is_kept_said_and_unverified(line: str, field: str, assumed: str) -> None:
    found = one(line)
    [kept] = found.profile.point
    assert kept.name == field
    assert kept.unverified
    assert any(assumed in entry for entry in found.assumed)


def test_a_row_that_cannot_be_read_is_named_and_the_others_are_kept() -> None:
    found = imported(
        "Foo",
        rows(
            "a,3,0,uint16,n/a,1,V,x,high",
            "b,3,1,mod10k,n/a,1,kWh,x,high",
            "c,3,70000,uint16,n/a,1,V,x,high",
            "d,43,1,uint16,n/a,1,V,x,high",
        ),
    )
    assert len(found.profile.point) == 1
    assert found.refused == (
        "b: type 'mod10k' is not known", "c: address '70000' is not within 0 to 65535 on the wire",
        "d: function code '43' reads no table; give 1, 2, 3 or 4",
    )  # fmt: skip


def test_twelve_digits_with_four_decimals_are_scaled_once() -> None:
    """registers.csv: bcd48 with scale 0.0001; vector dec-gas-fx-work-bcd: 122856864222 is 12285686.4222."""
    profile = one("standard_total_bcd,3,18,bcd48,big,0.0001,Nm3,x,high", "gas_corrector").profile
    [reading] = readings_of_image(profile, {18: 0x1228, 19: 0x5686, 20: 0x4222})
    assert reading.value == pytest.approx(12_285_686.4222, rel=1e-12)


def test_a_unit_with_a_factor_scales_the_value_and_the_list_keeps_its_own_number() -> None:
    profile = one("energy_import,3,0,uint32,big,1,0.1 kWh,x,high").profile
    image = {0: 1, 1: 0x81CD}  # 98765, vector img-vestel: 9876.5 kWh
    assert [(entry.value, entry.unit) for entry in decode_with_profile(profile, image)] == [
        (pytest.approx(9876.5), "kWh")
    ]
    assert [(entry.value, entry.unit) for entry in readings_of_image(profile, image)] == [
        (pytest.approx(98765), "0.1 kWh")
    ]


def test_secondary_values_get_ratios_for_the_whole_map() -> None:
    found = imported("Foo", rows("voltage_l1(x PT),3,0,uint16,n/a,0.1,V,x,high", "current_l1(x CT),3,1,uint16,n/a,0.01,A,x,high",
        "current_l2,3,2,uint16,n/a,0.01,A,x,high", "active_power,3,3,int16,n/a,1,W,x,high", "frequency,3,4,uint16,n/a,0.01,Hz,x,high"))  # fmt: skip
    document = found.text
    assert "ratios = { ct = 1.0, pt = 1.0 }" in document
    factors = {line.split(" = ")[1].strip('"') for line in document.splitlines() if line.startswith("name")}
    assert factors == {"voltage_l1", "current_l1", "current_l2", "active_power", "frequency"}
    assert document.count('multiplied_by = ["ct"]') == 2
    assert document.count('multiplied_by = ["pt", "ct"]') == 1
    assert document.count('multiplied_by = ["pt"]') == 1


def test_markers_in_remarks_join_those_of_the_type() -> None:
    """registers.csv, Triangle Tube: low byte s8; invalid 0x8000; the type itself knows 8000 and FFC0."""
    assert point("t(invalid 0x8000),4,0,int8_low,n/a,1,°C,x,high", "boiler").invalid is None
    assert point("t(invalid 0x0FFF),4,0,int16,n/a,1,°C,x,high", "boiler").invalid == ("0fff", "7fff", "8000")


def test_a_unit_behind_the_name_is_a_unit() -> None:
    found = point("Voltage L1 [V],3,0,uint16,n/a,0.1,,x,high")
    assert (found.name, found.unit, found.unverified) == ("voltage_l1", "V", False)


def test_what_is_written_is_not_polled_and_equal_names_stay_apart() -> None:
    found = imported(
        "Foo",
        rows(
            "set_current(RW),3,0,uint16,n/a,1,A,x,high",
            "power,3,1,uint16,n/a,1,W,x,low",
            "power,3,2,uint32,big,1,W,x,high",
        ),
    )
    assert [(entry.name, entry.register_.address, entry.poll) for entry in found.profile.point] == [
        ("set_current", 0, False), ("active_power_uint16", 1, True), ("active_power", 2, True)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "column device is missing"), ("device,name,fc,address\n", "column type is missing"), (HEAD + "\n", "no rows"),
        (HEAD + "\nFoo,x,a,3,0,mod10k,,1,V,x,high\n", "Foo: no row can be used: a: type 'mod10k' is not known"),
    ],
)  # fmt: skip
def test_a_list_that_is_none_is_refused_in_one_line(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "list.csv").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=complaint):
        import_profiles(tmp_path / "list.csv")


def test_a_list_with_semicolons_and_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text(
        "\ufeffDevice;Name;FC;Address;Type;Scale;Unit\nFoo;voltage_l1;3;7;uint16;0,1;V\n", encoding="utf-8"
    )
    [found] = import_profiles(tmp_path / "list.csv")
    assert [(entry.name, entry.scale) for entry in found.profile.point] == [("voltage_l1", 0.1)]


def test_two_devices_whose_names_are_alike_get_two_files(tmp_path: Path) -> None:
    lines = [HEAD, "A/B,x,voltage,3,0,uint16,,1,V,x,high", "A B,x,voltage,3,0,uint16,,1,V,x,high"]
    (tmp_path / "list.csv").write_text("\n".join(lines), encoding="utf-8")
    assert [found.name for found in import_profiles(tmp_path / "list.csv")] == ["a-b-1", "a-b-2"]


ANY = st.text(max_size=12) | st.sampled_from(
    [
        "voltage_l1",
        "3",
        "4",
        "100",
        "uint32",
        "float32",
        "big",
        "0.1",
        "kWh",
        "V",
        "ascii",
        "see reg 4",
        "high",
        "(x CT)",
        "bcd",
        "W",
    ]
)


@given(st.lists(st.fixed_dictionaries(dict.fromkeys(HEAD.split(",")[1:], ANY)), min_size=1, max_size=6))
def test_any_list_is_a_profile_that_loads_or_a_refusal(lines: list[dict[str, str]]) -> None:
    try:
        found = imported("Foo", lines)
    except InputError:
        return  # not one row could be used
    assert len(found.profile.point) + len(found.refused) == len(lines)
    for entry in found.profile.point:
        assert quantity_of(entry.name)
