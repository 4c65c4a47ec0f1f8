"""`kgce quotas`: limits with their edition and how sure they are."""

from tests.cli.kgce_command import kgce


def test_limits_are_listed_with_edition_and_confidence(tmp_path) -> None:
    """energy_domain.md section 3.2: universities 16.5, 10.0 and 7.5 kgce/m2, in force since 2020-01-24."""
    rows = kgce("quotas", "list", "--class", "university", "--year", "2019", "--json", cwd=tmp_path).json
    [row] = [one for one in rows if one["indicator"] == "non_heating_per_area"]
    assert (row["constraint"], row["reference"], row["guide"], row["unit"]) == (16.5, 10.0, 7.5, "kgce/m2")
    assert (row["standard"], row["confidence"], row["retrospective"]) == ("DB37/T 2671-2019", "verified", True)
    assert not any(
        one["retrospective"] for one in kgce("quotas", "list", "--year", "2022", "--json", cwd=tmp_path).json
    )


def test_what_no_standard_has_is_said_with_what_there_is(tmp_path) -> None:
    answer = kgce("quotas", "list", "--class", "church", cwd=tmp_path)
    assert (answer.code, "classes with one: agency" in answer.err) == (2, True)


def test_an_office_is_corrected_and_its_limits_called_unverified(tmp_path) -> None:
    stated = ("quotas", "office", "--kwh-per-m2", "80", "--system", "A", "--hours", "5000")
    found = kgce(*stated, "--json", cwd=tmp_path).json
    assert (found["words"], found["confidence"]["limits"]) == ("within the constraint value", "unverified")
    shown = kgce(*stated, cwd=tmp_path)
    assert "52.00" in shown.out
    assert "unverified" in shown.err
