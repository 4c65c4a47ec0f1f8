"""One folder per case: a profile (shipped, or beside it), raw registers, and the readings or the error they must give.

A bug seen in the field becomes a folder.
"""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from kgce.collectors.decode_text import decode_with_profile
from kgce.collectors.profile import load_profile
from kgce.domain.batch import Quality
from kgce.domain.errors import ProfileError

CASES = sorted(path for path in (Path(__file__).parent / "cases").iterdir() if path.is_dir())


def read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_a_case_gives_exactly_its_expected_readings(case: Path) -> None:
    given, expected = read(case / "registers.toml"), read(case / "expected.toml")
    name = str(case / given["profile"]) if given["profile"].endswith(".toml") else given["profile"]
    if "error" in expected:
        with pytest.raises(ProfileError) as refusal:
            load_profile(name)
        assert str(refusal.value).endswith(expected["error"])
        return
    registers = {int(address): int(word, 16) for address, word in given["registers"].items()}
    found = {one.name: one for one in decode_with_profile(load_profile(name), registers, given.get("table"))}
    assert set(found) == {*expected["readings"], *expected.get("bad", [])}
    for name, (value, unit) in expected["readings"].items():
        same = value if isinstance(value, int | str) else pytest.approx(value, rel=1e-6)
        assert (found[name].value, found[name].unit, found[name].quality) == (same, unit, Quality.GOOD), name
    for name in expected.get("bad", []):
        assert (found[name].value, found[name].quality) == (None, Quality.BAD), name


def test_every_shipped_profile_has_a_case() -> None:
    from kgce.collectors.profile import profile_names

    assert set(profile_names()) <= {read(case / "registers.toml")["profile"] for case in CASES}
