"""Which records of real meters become which points; telegrams are captures, the numbers those published beside them."""

import json
import math
from pathlib import Path

import pytest

from kgce.collectors.mbus import frame
from kgce.collectors.mbus.mapping import Mapped, map_telegrams
from kgce.collectors.mbus.rules import MEDIUMS, Medium, RecordRule, usual_rules
from kgce.domain.quantities import QUANTITIES, quantity_of


@pytest.fixture
def capture(shared_data: Path, shared_facts: Path):
    """Telegram of a capture, or of a vector, by name."""

    def read(name: str) -> bytes:
        file = shared_data / "captures" / "mbus" / f"{name}.hex"
        if file.exists():
            return bytes.fromhex(file.read_text())
        vectors = json.loads((shared_facts / "protocol_vectors.json").read_text(encoding="utf-8"))["vectors"]
        return bytes.fromhex(next(one["hex"] for one in vectors if one["id"] == f"mbus-{name}"))

    return read


def mapped(data: bytes, medium: Medium, *own: RecordRule, storage: int = 0) -> Mapped:
    return map_telegrams([frame.parse(data)], (*own, *usual_rules(medium)), storage=storage)


def test_a_heat_meter_gives_energy_volume_power_flow_and_temperatures(capture) -> None:
    """Kamstrup 601 as published: 37 351 kWh, 561.08 m3, 34.7 kW, 0.543 m3/h, 101.69 and 46.16 °C."""
    got = mapped(capture("kamstrup_multical_601"), "heat")
    assert got.values == pytest.approx(
        {
            "heat_energy": 37351, "heat_energy_t1": 0, "heat_energy_t2": 0, "water_volume": 561.08, "heat_power": 34.7,
            "water_flow": 0.543, "supply_temperature": 101.69, "return_temperature": 46.16,
            "temperature_difference": 55.53, "error_code_status": 0,
        }
    )  # fmt: skip
    assert got.meter_time is not None
    assert (got.meter_time.year, got.meter_time.month, got.meter_time.day) == (2011, 1, 5)
    assert (got.meter_time.hour, got.meter_time.minute) == (15, 26)


def test_maxima_and_other_storages_are_not_live_values(capture) -> None:
    """Kamstrup 601 also sends 55 kW as last year's maximum and 33 361 kWh as its due date's energy."""
    assert 55.0 not in mapped(capture("kamstrup_multical_601"), "heat").values.values()
    assert mapped(capture("kamstrup_multical_601"), "heat", storage=1).values["heat_energy"] == 33361


@pytest.mark.parametrize(
    ("name", "medium", "point", "value"),
    [
        ("els_falcon", "water", "water_volume", 1234.567),
        ("GWF-MTKcoder", "water", "water_volume", 269),
        ("oms_frame1", "gas", "gas_volume", 28504.27),
        ("REL-Relay-Padpuls2", "gas", "gas_volume", 28760.81),
        ("kamstrup_382_005", "electricity", "active_energy_import", 0),
        ("filler", "electricity", "active_energy_import", 5.0),  # VIFE 3B: only positive
        ("emh_diz", "electricity", "active_energy_import_t1", 4.09),
        ("svm_f22_telegram1", "heat", "heat_energy", 28014),
        ("elv_temp_humid", "other", "temperature", 22.56),
        ("siemens_water", "water", "water_volume", 0.101),
    ],
)
def test_captured_meters_give_their_published_counters(
    capture, name: str, medium: Medium, point: str, value: float
) -> None:
    assert mapped(capture(name), medium).values[point] == pytest.approx(value)


def test_the_old_fixed_structure_gives_its_counter_and_not_the_historic_one(capture) -> None:
    """Example 2 of the M-Bus documentation: 1 l now, 135 l at the due date."""
    assert mapped(capture("manual_frame2"), "water").values["water_volume"] == pytest.approx(0.001)


def test_a_meter_that_keeps_its_last_hour_in_storage_one_is_read_there(capture) -> None:
    """Landis+Gyr G350 has nothing but that: 10 834.092 m3 at 2016-07-22 08:00."""
    assert "gas_volume" not in mapped(capture("LGB_G350"), "gas").values
    got = mapped(capture("LGB_G350"), "gas", storage=1)
    assert got.values["gas_volume"] == 10834.092
    assert got.meter_time is not None
    assert (got.meter_time.day, got.meter_time.hour) == (22, 8)


@pytest.mark.hazard(30)
@pytest.mark.hazard(31)
def test_values_sent_in_error_state_are_not_available_instead_of_999_9(capture) -> None:
    """Itron CF 55 without sensors: 999.9 °C and 99 999.9 kW, marked "value during error state"."""
    got = mapped(capture("itron_cf_55"), "heat").values
    for point in ("supply_temperature", "return_temperature", "heat_power"):
        assert math.isnan(got[point])
    assert got["heat_energy"] == 0.0
    assert got["water_volume"] == 0.0


def test_records_nothing_tells_apart_are_left_out_and_told(capture) -> None:
    """The simulated SDM630 of the capture sends powers four times alike, and "dimensionless" values unlike."""
    got = mapped(capture("nzr_dhz_5_63"), "electricity")
    assert got.values["active_energy_import"] == 1.274
    head = capture("eastron_sdm630")[4:19]
    unlike = head + bytes.fromhex("0bfd470000230bfd47000022")
    ambiguous = mapped(
        bytes([0x68, len(unlike), len(unlike), 0x68]) + unlike + bytes([sum(unlike) % 256, 0x16]), "electricity"
    )
    assert "voltage" not in ambiguous.values
    assert any("voltage" in text for text in ambiguous.told)


def test_records_that_agree_are_one_and_the_finest_is_taken() -> None:
    """EN 13757-3: VIF 06 counts kWh, VIF 03 counts Wh."""
    body = bytes.fromhex("080172785634122d2c010401000000040605000000040388130000")
    got = mapped(bytes([0x68, len(body), len(body), 0x68]) + body + bytes([sum(body) % 256, 0x16]), "heat")
    assert got.values["heat_energy"] == 5.0
    assert any("agree" in text for text in got.told)


def test_a_row_of_the_device_tells_phases_apart_by_their_order(capture) -> None:
    """GMC EMMOD206: voltages 86.4, 95.9 and 105.6 V of subunits 1 to 3, as published."""
    rows = [RecordRule(name=f"voltage_l{n}_n", quantity="voltage", subunit=n) for n in (1, 2, 3)]
    got = mapped(capture("gmc_emmod206"), "electricity", *rows).values
    assert [got[f"voltage_l{n}_n"] for n in (1, 2, 3)] == pytest.approx([86.4, 95.9, 105.6])
    nth = [RecordRule(name=f"voltage_l{n}_n", quantity="voltage", occurrence=n - 1) for n in (1, 2, 3)]
    assert mapped(capture("eastron_sdm630"), "electricity", *nth).values["voltage_l3_n"] == 1234.56


def test_every_usual_row_names_a_known_point() -> None:
    assert {quantity_of(rule.name).name for medium in MEDIUMS for rule in usual_rules(medium)} <= set(QUANTITIES)
