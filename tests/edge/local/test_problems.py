"""What is broken, since when, what to do: from the status of a gateway."""

import pytest

from kgce.edge.local.advice import for_device, for_uplink
from kgce.edge.local.problems import problems
from tests.edge.fakes import NOW_MS

HOUR_MS = 3_600_000


def status(**changed) -> dict:
    """All is well."""
    well = {
        "gateway": "gw-1",
        "equation_holds": True,
        "keeps_readings": True,
        "counters": {"polled": 10, "stored": 8, "duplicate": 0, "refused": 0, "dropped": 0, "waiting": 2},
        "buffer": {
            "hours_left": 900.0, "below_floor": False, "free_bytes": 10**9, "floor_bytes": 10**7, "drops": [],
            "repairs": [], "dead_letters": 0, "quarantined_batches": 0,
        },
        "uplink": {"state": "up", "since_ms": NOW_MS - HOUR_MS, "last_error": "", "taken_over": False},
        "clock": {"state": "trusted", "since_ms": 0, "reason": "", "witness": "none", "follows_machine": True, "machine_off_s": 0.0},
        "devices": [device()],
        "sources": [],
        "companions": [],
        "config": {"refused": None},
        "control": {"alarms": []},
    }  # fmt: skip
    for name, value in changed.items():
        well[name] = {**well[name], **value} if isinstance(well[name], dict) else value
    return well


def device(**changed) -> dict:
    return {
        "institution": "o", "device": "main", "online": True, "since_ms": NOW_MS - HOUR_MS, "polls": 9, "failures": 0,
        "missed_ticks": 0, "last_error": "", **changed,
    }  # fmt: skip


def one(**changed):
    (found,) = problems(status(**changed), NOW_MS)
    return found


def test_nothing_is_broken_when_all_is_well() -> None:
    assert problems(status(), NOW_MS) == []


@pytest.mark.parametrize(
    ("changed", "severity", "words"),
    [
        ({"equation_holds": False}, "alarm", "do not add up"),
        ({"keeps_readings": False}, "alarm", "readings are being lost"),
        ({"buffer": {"hours_left": 5.0}}, "alarm", "full in 5 h"),
        ({"buffer": {"below_floor": True}}, "alarm", "less than its floor"),
        ({"buffer": {"dead_letters": 3}}, "warning", "3 batches were refused for good"),
        ({"buffer": {"quarantined_batches": 2}}, "warning", "2 batches are damaged"),
        ({"uplink": {"taken_over": True}}, "alarm", "another gateway"),
        ({"uplink": {"state": "down", "last_error": "refused"}}, "warning", "down for 60 min, 2 readings wait"),
        ({"clock": {"state": "unsure", "reason": "jumped"}}, "alarm", "not trusted (jumped)"),
        ({"clock": {"follows_machine": False, "machine_off_s": 86400.0}}, "warning", "+86400 s off"),
        ({"devices": [device(online=False, failures=9, last_error="silent")]}, "warning", "silent for 60 min"),
        ({"sources": [{"name": "s", "failing": True, "restarts": 4, "last_error": "x"}]}, "warning", "4 times"),
        ({"companions": [{"name": "page", "restarts": 1, "last_error": "x"}]}, "warning", "the job died"),
        ({"config": {"refused": {"at_ms": NOW_MS, "reason": "bad"}}}, "warning", "was refused: bad"),
    ],
)
def test_each_fault_is_told_with_its_severity_and_what_to_do(changed, severity: str, words: str) -> None:
    found = one(**changed)
    assert found.severity == severity
    assert words in found.what
    assert len(found.todo) > 10


def test_a_loss_is_told_for_a_week_with_its_span_and_count() -> None:
    drop = {"from_ms": NOW_MS - 2 * HOUR_MS, "to_ms": NOW_MS - HOUR_MS, "rows": 60, "reason": "buffer.thinned"}
    assert "60 readings" in one(buffer={"drops": [drop]}).what
    old = {**drop, "to_ms": NOW_MS - 8 * 24 * HOUR_MS}
    assert problems(status(buffer={"drops": [old]}), NOW_MS) == []


def test_one_answer_that_fails_is_no_news_yet() -> None:
    just = device(online=False, failures=1, since_ms=NOW_MS - 2000, last_error="silent")
    assert problems(status(devices=[just]), NOW_MS) == []


def test_a_device_nobody_has_asked_yet_is_not_broken() -> None:
    assert problems(status(devices=[device(online=False, since_ms=0, polls=0)]), NOW_MS) == []


def test_the_worst_comes_first_then_the_oldest() -> None:
    found = problems(
        status(
            keeps_readings=False,
            devices=[
                device(online=False, failures=9, since_ms=NOW_MS - HOUR_MS, last_error="x"),
                device(device="old", online=False, failures=9, since_ms=NOW_MS - 9 * HOUR_MS, last_error="x"),
            ],
        ),
        NOW_MS,
    )
    assert [problem.subject for problem in found] == ["disk", "o/old", "o/main"]


@pytest.mark.parametrize(
    ("error", "word"),
    [
        ("127.0.0.1:502 unit 3: no answer within 1.0 s", "wires"),
        ("nobody answers at 10.0.0.5:502", "network cable"),
        ("10.0.0.5:502 unit 4 answers with exceptions only", "profile"),
        ("[Errno 111] Connection refused", "port"),
        ("[Errno 2] could not open port /dev/ttyUSB0", "adapter"),
        ("/dev/ttyUSB0: Permission denied", "dialout"),
        ("something nobody has thought of", "kgce edge check"),
    ],
)
def test_a_devices_error_comes_with_what_to_do(error: str, word: str) -> None:
    assert word in for_device(error)


@pytest.mark.parametrize(
    ("error", "word"),
    [
        ("certificate verify failed: certificate has expired", "certificate"),
        ("does not keep readings (No matching subscribers)", "kgce ingest"),
        ("[Errno 111] Connection refused", "not running"),
        ("[Errno -2] Name or service not known", "DNS"),
        ("Not authorized", "password"),
        ("something nobody has thought of", "nothing is lost"),
    ],
)
def test_the_uplinks_error_comes_with_what_to_do(error: str, word: str) -> None:
    assert word in for_uplink(error)
