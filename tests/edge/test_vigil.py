"""Every change of state becomes one event with its evidence; what stays as it is becomes none."""

from kgce.domain.events import Severity
from kgce.edge.vigil import Vigil
from tests.edge.fakes import NOW_MS, clock


def status(**sections):
    return {
        "uplink": {"state": "up", "since_ms": NOW_MS - 5000, "failures": 0, "last_error": ""},
        "devices": [_device(online=True)],
        "buffer": {"bytes": 10, "hours_left": 100.0, "bound_by": "size", "drops": []},
        **sections,
    }


def _device(*, online: bool, since_ms: int = NOW_MS - 9000, failures: int = 0, error: str = ""):
    return {
        "device": "main", "institution": "hall", "online": online, "since_ms": since_ms, "failures": failures,
        "last_error": error,
    }  # fmt: skip


def look(*statuses):
    events = []
    vigil = Vigil(dict, events.append, clock)
    for one in statuses:
        vigil.look(one)
    return [(event.id, event.subject, event.evidence) for event in events], events


def test_what_stays_as_it_is_is_no_event() -> None:
    assert look(status(), status(), status())[0] == []


def test_what_was_so_at_the_start_is_no_event() -> None:
    assert look(status(devices=[_device(online=False, error="time-out")]))[0] == []


def test_an_uplink_that_goes_and_comes_is_two_events() -> None:
    down = {"state": "down", "since_ms": NOW_MS - 60_000, "failures": 7, "last_error": "no route"}
    found, _ = look(status(), status(uplink=down), status(uplink=down), status())
    assert found == [
        ("uplink.down", "gateway", {"error": "no route"}),
        ("uplink.up", "gateway", {"down_s": 60.0, "failures": 7}),
    ]


def test_a_device_that_falls_silent_and_answers_again_is_two_events() -> None:
    silent = _device(online=False, since_ms=NOW_MS - 50_000, failures=3, error="time-out")
    back = _device(online=True, since_ms=NOW_MS - 10_000, failures=8)
    found, _ = look(status(), status(devices=[silent]), status(devices=[back]))
    assert found == [
        ("device.silent", "hall/main", {"error": "time-out"}),
        ("device.back", "hall/main", {"silent_s": 40.0, "failures": 5}),
    ]


def test_a_span_given_up_is_told_when_it_begins_and_when_it_has_grown() -> None:
    def dropped(rows: int):
        drop = {"from_ms": 1, "to_ms": 1 + rows, "rows": rows, "batches": 1, "reason": "buffer.thinned"}
        return status(buffer={"bytes": 10, "hours_left": 100.0, "drops": [drop]})

    found, events = look(status(), dropped(5), dropped(5), dropped(9))
    assert [(name, evidence["rows"]) for name, _, evidence in found] == [("buffer.dropped", 5), ("buffer.dropped", 9)]
    assert {event.severity for event in events} == {Severity.ALARM}


def test_a_buffer_that_runs_full_within_a_day_is_told_once_and_so_is_its_end() -> None:
    def hours(left):
        return status(buffer={"bytes": 10, "hours_left": left, "bound_by": "disk", "drops": []})

    found, _ = look(hours(25.0), hours(23.0), hours(22.0), hours(26.0), hours(31.0), hours(None))
    assert [name for name, _, _ in found] == ["buffer.low", "buffer.enough"]
