"""A device is identified by its registers, not by its label (devices.md 1.6, lesson 3)."""

import pytest

from kgce.collectors.modbus.identify import identification_reads, mismatch
from kgce.collectors.profile import load_profile, parse_profile
from kgce.domain.errors import ProfileError

EM24 = "carlo-gavazzi-em24-e1"
PROFILE = """
[device]
brand = "B"
model = "M"
measurement = "m"
protocol = "modbus"
confidence = "high"
source = "test"
{rule}
[[point]]
name = "other_value"
register = {{ table = "holding", address = 0, type = "uint16" }}
kind = "gauge"
confidence = "high"
"""


def test_the_em24_e1_is_known_by_its_code() -> None:
    """Identification code at input register 0x000B, 1648 to 1653 (devices.md 1.1)."""
    profile = load_profile(EM24)
    [read] = identification_reads(profile)
    assert (read.table, read.address, read.words) == ("input", 11, 1)
    assert mismatch(profile, [[1650]]) is None


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ([1647], "holds 1647"),
        ([1654], "holds 1654"),
        ([0xFFFF], "is not available"),
        (None, "is not there"),
        ([], "is not there"),
    ],
)
def test_another_device_is_named_with_what_was_found(answer, found: str) -> None:
    complaint = mismatch(load_profile(EM24), [answer])
    assert (
        complaint
        == f"not a Carlo Gavazzi EM24-E1: input register 11 {found}, expected 1648 to 1653 (1648 to 1653 are the EM24-E1)"
    )


@pytest.mark.parametrize(("text", "is_it"), [("B23 ", True), ("A44 ", True), ("B2\0\0", False), ("EM24", False)])
def test_an_abb_meter_is_known_by_its_text(text: str, is_it: bool) -> None:
    """registers.csv: model id as a text word pair at 0x8960, B21, B23, B24."""
    profile = load_profile("abb-b23")
    [read] = identification_reads(profile)
    assert (read.table, read.address, read.words) == ("holding", 0x8960, 2)
    words = [int.from_bytes(text[at : at + 2].encode(), "big") for at in (0, 2)]
    assert (mismatch(profile, [words]) is None) is is_it


def test_a_profile_without_a_rule_takes_any_device() -> None:
    profile = load_profile("eastron-sdm630")
    assert identification_reads(profile) == ()
    assert mismatch(profile, []) is None


def test_a_text_may_be_told_by_its_beginning() -> None:
    rule = '[[identify]]\nregister = { table = "holding", address = 5, type = "ascii", length = 6 }\nprefix = "EV"\n'
    profile = parse_profile(PROFILE.format(rule=rule), "made")
    assert mismatch(profile, [[0x4556, 0x4330, 0x3400]]) is None
    assert mismatch(profile, [[0x5645, 0x4330, 0x3400]]) is not None


def test_all_rules_must_hold() -> None:
    rule = '[[identify]]\nregister = { table = "holding", address = 5, type = "uint16" }\nequals = 3\n'
    second = '[[identify]]\nregister = { table = "input", address = 5, type = "uint32" }\none_of = [1, 65536]\nword_order = "little"\n'
    profile = parse_profile(PROFILE.format(rule=rule + second), "made")
    assert mismatch(profile, [[3], [0, 1]]) is None
    assert "input register 5 holds 2, expected 1 or 65536" in str(mismatch(profile, [[3], [2, 0]]))
    assert "holding register 5 holds 4, expected 3" in str(mismatch(profile, [[4], [1, 0]]))


@pytest.mark.parametrize(
    ("what", "complaint"),
    [
        ("", "exactly one of"),
        ("equals = 1\nbetween = [1, 2]", "exactly one of"),
        ('prefix = "A"', "prefix is for text"),
    ],
)
def test_a_rule_that_says_nothing_clear_is_refused(what: str, complaint: str) -> None:
    rule = f'[[identify]]\nregister = {{ table = "holding", address = 5, type = "uint16" }}\n{what}\n'
    with pytest.raises(ProfileError, match=complaint):
        parse_profile(PROFILE.format(rule=rule), "made")
