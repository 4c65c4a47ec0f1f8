"""Paths reach what they name, and nothing else."""

import pytest

from kgce.collectors.mqtt.json_path import Absent, follow, parse_path

DOCUMENT = {
    "ENERGY": {"Power": [5, 7]},
    "params": {"em:0": {"a": 1}},
    "a.b": {"c": 2},
    "1": 3,
    "deep": [[4, [6]]],
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("ENERGY.Power[1]", 7),
        ("ENERGY.Power.0", 5),
        ("params.em:0.a", 1),
        ('params."em:0".a', 1),
        ('"a.b".c', 2),
        ("1", 3),
        ("deep[0][1][0]", 6),
        ("", DOCUMENT),
    ],
)
def test_a_path_finds_what_lies_there(path: str, found: object) -> None:
    assert follow(DOCUMENT, parse_path(path)) == found


@pytest.mark.parametrize("path", ["ENERGY.Power[2]", "ENERGY.Total", "ENERGY.Power.x", "ENERGY.Power[0].x", "[0]"])
def test_nothing_there_is_absent(path: str) -> None:
    with pytest.raises(Absent):
        follow(DOCUMENT, parse_path(path))


@pytest.mark.parametrize("path", ["a..b", ".a", "a.", "a[x]", "a[-1]", 'a."b', "a[0]b", "a[0"])
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match=r"^path "):
        parse_path(path)
