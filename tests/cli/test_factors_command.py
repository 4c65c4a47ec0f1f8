"""`kgce factors`: sets of one's own, checked before they are believed."""

from pathlib import Path

import pytest

from tests.cli.kgce_command import kgce
from tests.domain.test_sanity import HEAD

GOOD = HEAD.format(carrier="heat", value=0.0341, unit="MJ", basis="equivalent")
SLIPPED = HEAD.format(carrier="heat", value=34.12, unit="MJ", basis="equivalent")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "good.toml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "slipped.toml").write_text(SLIPPED, encoding="utf-8")
    return tmp_path


def test_an_imported_set_is_used_by_its_name_and_never_changes(folder: Path) -> None:
    assert kgce("factors", "import", "good.toml", "--json", cwd=folder).json == {"imported": ["x"], "findings": []}
    listed = {row["id"]: row["imported"] for row in kgce("factors", "list", "--json", cwd=folder).json}
    assert listed == {"cn-national": False, "sd-db37-2019": False, "x": True}
    assert kgce("factors", "show", "x", "--json", cwd=folder).json["factors"][0]["value"] == 0.0341
    assert kgce("rank", "--year", "2019", "--indicator", "eue", "--factor-set", "x", cwd=folder).code == 0
    assert kgce("factors", "import", "good.toml", cwd=folder).code == 0, "the same again is no change"
    (folder / "good.toml").write_text(GOOD.replace("0.0341", "0.0342"), encoding="utf-8")
    changed = kgce("factors", "import", "good.toml", cwd=folder)
    assert (changed.code, "give this one an id of its own" in changed.err) == (2, True)
    unknown = kgce("rank", "--year", "2019", "--indicator", "eue", "--factor-set", "y", cwd=folder)
    assert (unknown.code, "unknown factor set 'y'; known: cn-national, sd-db37-2019, x" in unknown.err) == (2, True)


def test_heat_a_thousand_times_too_large_is_caught_before_it_counts(folder: Path) -> None:
    checked = kgce("factors", "check", "slipped.toml", "--json", cwd=folder)
    assert (checked.code, checked.json[0]["evidence"]["carrier"]) == (1, "heat")
    refused = kgce("factors", "import", "slipped.toml", cwd=folder)
    assert (refused.code, "kgce/GJ for kgce/MJ" in refused.err, "--force" in refused.err) == (2, True, True)
    assert [row["id"] for row in kgce("factors", "list", "--json", cwd=folder).json] == ["cn-national", "sd-db37-2019"]
    forced = kgce("factors", "import", "slipped.toml", "--force", "--json", cwd=folder)
    assert [one["id"] for one in forced.json["findings"]] == ["factor.outside_band"]


def test_a_published_list_is_not_compared_with_one_of_other_factors(folder: Path) -> None:
    year = ("leaders", "--year", "2019")
    assert kgce(*year, "--publish", "first", cwd=folder).code == 0
    assert kgce(*year, "--against", "first", cwd=folder).code == 0
    other = kgce(*year, "--against", "first", "--factor-set", "sd-db37-2019", cwd=folder)
    assert (other.code, "made with sd-db37-2019 and cn-national" in other.err) == (2, True)
    indicator = kgce(*year, "--against", "first", "--indicator", "eue", cwd=folder)
    assert (indicator.code, "is a list of energy_per_area" in indicator.err) == (2, True)


def test_a_file_that_is_none_is_refused_in_one_line(folder: Path) -> None:
    for name in ("absent.toml", "bad.toml"):
        (folder / "bad.toml").write_text("[[set]]\nid = 'x'\n", encoding="utf-8")
        answer = kgce("factors", "check", name, cwd=folder)
        assert (answer.code, len(answer.err.strip().splitlines())) == (2, 1), answer.err
