"""Times without an offset, placed by --tz, over the days the clock changes."""

from datetime import UTC, datetime

import pytest

from tests.collectors.files.reading_files import Read


def row(time: str, value: str = "1", *, point: str = "m", kind: str = "interval") -> str:
    return f"{time},college,{point},electricity,{kind},kWh,{value}"


def utc(found_ms: list[int]) -> list[str]:
    return [datetime.fromtimestamp(at / 1000, UTC).strftime("%m-%dT%H:%M") for at in found_ms]


def test_local_times_follow_summer_and_winter_time(read: Read) -> None:
    """London is at UTC in January and an hour ahead in July."""
    found = read(row("2019-01-15T12:00", kind="counter"), row("2019-07-15T12:00", kind="counter"), tz="Europe/London")

    assert utc(found.batch.time_ms.tolist()) == ["01-15T12:00", "07-15T11:00"]


def test_an_offset_in_the_file_wins_over_tz(read: Read) -> None:
    found = read(row("2019-07-15T12:00+08:00"), tz="Europe/London")

    assert utc(found.batch.time_ms.tolist()) == ["07-15T04:00"]


def test_the_hour_the_clock_skips_is_refused(read: Read) -> None:
    """On 31 March 2019 London went from 01:00 GMT to 02:00 BST."""
    found = read(*(row(f"2019-03-31T{hour}:00") for hour in ("00", "01", "02")), tz="Europe/London")

    assert utc(found.batch.time_ms.tolist()) == ["03-31T00:00", "03-31T01:00"]
    assert [refusal.line for refusal in found.refusals] == [3]
    assert "does not exist in Europe/London" in found.refusals[0].reason


def test_the_hour_the_clock_shows_twice_is_placed_in_file_order(read: Read) -> None:
    """On 27 October 2019 London went from 02:00 BST back to 01:00 GMT."""
    hours = ["00:00", "00:30", "01:00", "01:30", "01:00", "01:30", "02:00"]

    found = read(*(row(f"2019-10-27T{hour}", str(n)) for n, hour in enumerate(hours)), tz="Europe/London")

    assert found.refusals == []
    assert utc(found.batch.time_ms.tolist()) == [
        "10-26T23:00", "10-26T23:30", "10-27T00:00", "10-27T00:30", "10-27T01:00", "10-27T01:30", "10-27T02:00",
    ]  # fmt: skip
    assert found.batch.value.tolist() == [0, 1, 2, 3, 4, 5, 6]


def test_an_ambiguous_hour_given_once_is_refused_per_point(read: Read) -> None:
    """Which of the two it is nobody can tell; another point that has both is not touched."""
    found = read(
        row("2019-10-27T01:00", point="once"),
        row("2019-10-27T01:00", point="both"),
        row("2019-10-27T01:00", point="both"),
        tz="Europe/London",
    )

    assert [refusal.line for refusal in found.refusals] == [2]
    assert "happens twice and is given once" in found.refusals[0].reason
    assert utc(found.batch.time_ms.tolist()) == ["10-27T00:00", "10-27T01:00"]


def test_an_ambiguous_hour_given_three_times_holds_a_duplicate(read: Read) -> None:
    found = read(*(row("2019-10-27T01:00", str(n)) for n in range(3)), tz="Europe/London")

    assert [(refusal.line, refusal.reason) for refusal in found.refusals] == [(4, "duplicate of line 3")]
    assert found.batch.value.tolist() == [0, 1]


@pytest.mark.parametrize("time", ["2019-10-27T01:00+01:00", "2019-10-27T01:00+00:00", "2019-10-27T01:00Z"])
def test_an_offset_leaves_nothing_ambiguous(read: Read, time: str) -> None:
    found = read(row(time), tz="Europe/London")

    assert (len(found.batch), found.refusals) == (1, [])
