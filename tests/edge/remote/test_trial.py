"""A version is kept when nothing is worse at the end of its trial."""

import pytest

from kgce.edge.remote.health import Health, health_of, worse
from kgce.edge.remote.trial import Outcome, Proven, Trial

A, B = ("office-1", "a"), ("office-1", "b")
WELL = Health({A: True, B: True}, "up")
SICK = Health({A: True, B: False}, "up")


def trial(before: Health = WELL) -> Trial:
    return Trial(Proven(0, None, before), began_s=100.0, lasts_s=300.0)


@pytest.mark.parametrize(
    ("before", "now", "words"),
    [
        (WELL, WELL, ""),
        (WELL, SICK, "office-1/b answered before and is silent now"),
        (WELL, Health({A: False, B: False}, "up"), "office-1/a and 1 more answered before and is silent now"),
        (SICK, SICK, ""),
        (SICK, WELL, ""),
        (WELL, Health({A: True}, "up"), ""),
        (WELL, Health({A: True, B: True, ("office-2", "new"): False}, "up"), ""),
        (WELL, Health({A: True, B: True}, "down"), "the uplink was up before and is down now"),
        (Health({}, "down"), Health({}, "down"), ""),
        (Health({}, "idle"), Health({}, "down"), ""),
    ],
)
def test_worse_is_what_was_well_and_is_not(before, now, words) -> None:
    assert worse(before, now) == words


def device(name: str, *, online: bool, polls: int = 0, failures: int = 0, last_error: str = "") -> dict:
    return {
        "institution": "office-1",
        "device": name,
        "online": online,
        "polls": polls,
        "failures": failures,
        "last_error": last_error,
    }


def test_a_device_nobody_has_asked_yet_is_neither_well_nor_silent() -> None:
    status = {
        "devices": [
            device("a", online=True, polls=5),
            device("b", online=False, polls=5, failures=2),
            device("slow", online=False),
            device("unreachable", online=False, last_error="refused"),
        ],
        "uplink": {"state": "up"},
    }
    devices = {A: True, B: False, ("office-1", "unreachable"): False}
    assert health_of(status) == Health(devices, "up")
    assert health_of({}) == Health({}, "idle")


def test_a_trial_passes_at_its_end_and_not_before() -> None:
    one = trial()
    assert one.look(WELL, 399.9) is Outcome.GOES_ON
    assert one.look(WELL, 400.0) is Outcome.PASSED


def test_lines_that_start_anew_have_a_third_of_the_trial_to_come_back() -> None:
    one = trial()
    assert one.look(SICK, 101.0) is Outcome.GOES_ON
    assert one.look(SICK, 200.9) is Outcome.GOES_ON
    assert one.look(WELL, 201.0) is Outcome.GOES_ON
    assert one.look(SICK, 290.0) is Outcome.GOES_ON, "the time begins again"
    assert one.look(WELL, 400.0) is Outcome.PASSED


def test_worse_for_a_third_without_a_break_fails() -> None:
    one = trial()
    assert one.look(SICK, 101.0) is Outcome.GOES_ON
    assert one.look(SICK, 201.0) is Outcome.FAILED
    assert one.worse == "office-1/b answered before and is silent now"


def test_worse_at_the_end_fails_however_short() -> None:
    one = trial()
    assert one.look(WELL, 399.0) is Outcome.GOES_ON
    assert one.look(SICK, 400.0) is Outcome.FAILED
