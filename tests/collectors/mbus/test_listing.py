"""What a person is shown of a telegram."""

import json
from pathlib import Path

import pytest

from kgce.collectors.mbus.link import FrameError
from kgce.collectors.mbus.listing import listing


def test_a_heat_meter_is_listed_with_its_values_and_what_qualifies_them(shared_data: Path) -> None:
    """Kamstrup 601; numbers as in the decoding published beside the capture."""
    lines = listing(bytes.fromhex((shared_data / "captures" / "mbus" / "kamstrup_multical_601.hex").read_text()))
    assert lines[0] == "address 17, meter 06855817 KAM version 8, heat (outlet)"
    for line in (
        "energy: 37351000 Wh",
        "volume: 561.08 m3",
        "supply_temperature: 101.69 degC",
        "power: 44800 W (maximum)",
        "volume: 0 m3 (storage 1, subunit 2)",
        "time: 2011-01-05 15:26:00",
    ):
        assert line in lines
    assert lines[-1].startswith("manufacturer's own data: 00 00")


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("manual_frame2", "volume: 0.001 m3 (now)"),
        ("itron_cf_echo_2", "volume_flow: 999.999 m3/h (error state)"),
        ("REL-Relay-Padpuls2", "time: not a valid time"),
        ("svm_f22_telegram1", "another telegram follows"),
        ("frame1", "address 0, meter 10060958 LSE version 22, bus or system"),
    ],
)
def test_odd_telegrams_are_listed_too(shared_data: Path, name: str, line: str) -> None:
    lines = listing(bytes.fromhex((shared_data / "captures" / "mbus" / f"{name}.hex").read_text()))
    assert line in lines


def test_a_broken_frame_is_refused_with_the_reason(shared_facts: Path) -> None:
    vectors = json.loads((shared_facts / "protocol_vectors.json").read_text(encoding="utf-8"))["vectors"]
    cut = next(bytes.fromhex(one["hex"]) for one in vectors if one["id"] == "mbus-err-premature-end-of-vif1")
    with pytest.raises(FrameError, match="in the middle"):
        listing(cut)
