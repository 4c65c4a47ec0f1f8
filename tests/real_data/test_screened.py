"""What the detectors find in measured data: a leak at a campus, a meter that was entered twice."""

from pathlib import Path

from kgce.analytics.book import Book
from kgce.cli.database import database
from kgce.cli.imports import load_dataset
from kgce.cli.screening import screen
from kgce.domain.findings import Finding


def screened(folder: Path, data: Path, name: str, *years: int) -> list[Finding]:
    with database(folder) as at:
        load_dataset(at, name, data, quiet=True)
        book = Book(at.store, at.registry, at.shelf)
        for year in years:
            book.bring_up(year)
            screen(at, book, year, nights=True)
        return at.registry.findings()


def test_water_that_never_rests_is_told_at_the_building_where_it_runs(shared_data: Path, tmp_path: Path) -> None:
    """lan-building032 used water in every hour of 188 nights from 4 January on; its neighbours rest at night."""
    found = [one for one in screened(tmp_path, shared_data, "lancaster", 2023) if one.id == "water.night_flow"]
    longest = max(found, key=lambda one: one.evidence["nights"])
    assert (longest.subject, longest.evidence["first_night"]) == ("lan-building032", "2023-01-04")
    assert longest.evidence["nights"] == 188
    assert {one.subject for one in found} == {"lan-building023", "lan-building032"}


def test_a_meter_that_was_entered_twice_is_told_by_its_figures(shared_data: Path, tmp_path: Path) -> None:
    """Trap 3 of the data's README: cam-b36-e and cam-b37-e are identical in 2018, and go apart in 2019."""
    found = screened(tmp_path, shared_data, "cambridge", 2018, 2019)
    copies = [one for one in found if one.id == "figures.identical"]
    by_year = {one.evidence["year"]: one for one in copies}
    assert {one.evidence["year"] for one in copies} == {2018, 2019}
    assert by_year[2018].evidence["institutions"] == ["cam-b36", "cam-b37"]
    assert len(by_year[2018].evidence["months"]) == 12
    assert len(by_year[2019].evidence["months"]) < 12
